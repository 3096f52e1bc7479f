// Tests the kernels of tests/kernels on a CPU: those that work along rows, scans and counts, at ragged shapes.
#include <cmath>
#include <limits>

#include "tests/kernels/kernels.hpp"
#include "tests/targets/cpu/support.hpp"

namespace {

using cpu_test::Case;
using Extents = std::map<std::string, std::int64_t>;

const Extents shapes[] = {{{"M", 1}, {"N", 1}}, {{"M", 13}, {"N", 37}}, {{"M", 7}, {"N", 96}}, {{"M", 17}, {"N", 8}}};

Case of(const ir::Program& p, Extents extents) {
  Case c;
  c.program = &p;
  c.extents = std::move(extents);
  return c;
}

/// Infinities, NaN, denormals and zeros of both signs among ordinary numbers.
double awkward(std::int64_t i) {
  const double v[] = {1, -2, 0.0, -0.0, 1e-40, -3e-45, 3e38, std::numeric_limits<double>::infinity(), 5, 0.5};
  return i % 53 == 17 ? std::nan("") : i % 7 == 0 ? v[i / 7 % 10] : std::sin(double(i));
}

}  // namespace

TEST_CASE("softmax, layer norm and its backward, Welford at ragged shapes") {
  for (const Extents& s : shapes) {
    for (std::int64_t padding : {0, 3}) {
      Case c = of(softmax.program, s);
      c.row_padding = padding;
      CPU_CHECK(c);
      c = of(layer_norm.program, s);
      c.row_padding = padding;
      c.scalars = {{"eps", 1e-5}};
      CPU_CHECK(c);
      c = of(layer_norm_backward.program, s);
      c.row_padding = padding;
      CPU_CHECK(c);
      c = of(welford.program, s);
      c.row_padding = padding;
      CPU_CHECK(c);
    }
  }
}

TEST_CASE("softmax of rows with infinities, NaN and denormals") {
  Case c = of(softmax.program, {{"M", 11}, {"N", 67}});
  c.data = {{"x", awkward}};
  CPU_CHECK(c);
  c.data = {{"x", [](std::int64_t i) { return i % 134 < 67 ? -INFINITY : double(i % 5); }}};
  CPU_CHECK(c);
}

TEST_CASE("literal and tuned tile sizes do not change what softmax gives") {
  for (std::int64_t bm : {1, 4, 64})
    for (std::int64_t bn : {1, 8, 40}) {
      Case c = of(softmax.program, {{"M", 9}, {"N", 41}});
      c.tunables = {bm, bn};
      CPU_CHECK(c);
    }
}

TEST_CASE("histogram, scans, radix pass and top-k") {
  for (std::int64_t n : {1, 17, 1000}) {
    CPU_CHECK(of(histogram.program, {{"N", n}, {"BINS", 16}}));
    CPU_CHECK(of(scan.program, {{"N", n}}));
  }
  for (std::int64_t n : {1, 4096, 10000}) {
    CPU_CHECK(of(scan_part.program, {{"N", n}}));
    CPU_CHECK(of(scan_rest.program, {{"N", n}}));
  }
  Case radix = of(radix_scatter.program, {{"N", 300}, {"R", 16}});
  radix.scalars = {{"shift", 0}};
  radix.data = {{"key", [](std::int64_t i) { return double((i * 5) % 16); }}, {"base", [](std::int64_t i) {
                                                                                 std::int64_t s = 0;
                                                                                 for (std::int64_t d = 0; d < i; ++d)
                                                                                   for (std::int64_t k = 0; k < 300;
                                                                                        ++k)
                                                                                     s += (k * 5) % 16 == d;
                                                                                 return double(s);
                                                                               }}};
  CPU_CHECK(radix);
  for (std::int64_t keep : {1, 5, 40}) CPU_CHECK(of(top_k.program, {{"M", 7}, {"N", 37}, {"K", keep}}));
}

TEST_CASE("embedding, its backward, dropout, quantisation by groups") {
  const auto ids = [](std::int64_t i) { return double((i * 7) % 11); };
  for (std::int64_t d : {1, 37, 64}) {
    Case c = of(embed.program, {{"T", 13}, {"V", 11}, {"D", d}});
    c.data = {{"ids", ids}};
    CPU_CHECK(c);
    c = of(embed_backward.program, {{"T", 13}, {"V", 11}, {"D", d}});
    c.data = {{"ids", ids}};
    CPU_CHECK(c);
  }
  for (const Extents& s : shapes) {
    Case c = of(dropout.program, s);
    c.scalars = {{"p", .3}, {"seed", 42}};
    CPU_CHECK(c);
  }
  for (std::int64_t k : {32, 96, 320}) CPU_CHECK(of(quantize_groups.program, {{"M", 13}, {"K", k}}));
}
