// Tests the kernels of tests/kernels on a CPU: stencils, loops with conditions, sparse and factored matrices.
#include "tests/kernels/kernels.hpp"
#include "tests/targets/cpu/support.hpp"

namespace {

using cpu_test::Case;
using Extents = std::map<std::string, std::int64_t>;

Case of(const ir::Program& p, Extents extents) {
  Case c;
  c.program = &p;
  c.extents = std::move(extents);
  return c;
}

}  // namespace

TEST_CASE("stencils: halos, padding, one row, one column") {
  for (const Extents& s : {Extents{{"Y", 23}, {"X", 37}}, Extents{{"Y", 1}, {"X", 9}}, Extents{{"Y", 5}, {"X", 1}}}) {
    for (std::int64_t padding : {0, 5}) {
      Case c = of(heat_steps<4>.program, s);
      c.row_padding = padding;
      CPU_CHECK(c);
      c = of(heat_steps<1>.program, s);
      c.row_padding = padding;
      CPU_CHECK(c);
      c = of(five_point.program, s);
      c.row_padding = padding;
      CPU_CHECK(c);
    }
  }
}

TEST_CASE("Mandelbrot and a while inside a while") {
  for (const Extents& s : {Extents{{"Y", 13}, {"X", 37}}, Extents{{"Y", 1}, {"X", 1}}}) {
    Case c = of(mandelbrot.program, s);
    c.scalars = {{"x0", -2}, {"y0", -1}, {"step", .0625}, {"limit", 30}};
    CPU_CHECK(c);
  }
  for (std::int64_t m : {1, 13, 64}) {
    Case c = of(nested_while.program, {{"M", m}});
    c.tunables = {16};  // every lane of a block goes on until its last one is done: the result depends on blocks
    c.data = {{"a", [](std::int64_t i) { return double(i % 4); }}};
    CPU_CHECK(c);
  }
}

TEST_CASE("block sparse times dense, batched Cholesky") {
  Case c = of(bsr.program, {{"R", 4}, {"P", 6}, {"E", 5}, {"F", 7}, {"K", 35}, {"N", 37}, {"M", 20}});
  c.data = {{"row",
             [](std::int64_t i) {
               const double v[] = {0, 2, 2, 5, 6};
               return v[i];
             }},
            {"col", [](std::int64_t i) {
               const double v[] = {0, 3, 1, 2, 4, 0};
               return v[i];
             }}};
  CPU_CHECK(c);
  for (std::int64_t n : {1, 9, 16}) {
    Case l = of(cholesky.program, {{"B", 3}, {"N", n}});
    l.data = {{"a", [n](std::int64_t e) {
                 const std::int64_t i = e / n % n, j = e % n;
                 return i == j ? 20.0 : 1.0 / double(1 + i + j);
               }}};
    CPU_CHECK(l);
  }
}
