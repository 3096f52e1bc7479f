// Tests the kernels of tests/kernels on a CPU: products of matrices, plain, quantised, grouped and split; convolution.
#include <cmath>

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

/// Around the register block 6 × 16 and the vector of 8, primes, one, and more than a cache block.
const Extents products[] = {
    {{"M", 1}, {"N", 1}, {"K", 1}},   {{"M", 6}, {"N", 16}, {"K", 8}},  {{"M", 7}, {"N", 17}, {"K", 3}},
    {{"M", 5}, {"N", 15}, {"K", 31}}, {{"M", 13}, {"N", 8}, {"K", 64}}, {{"M", 1}, {"N", 100}, {"K", 19}},
    {{"M", 97}, {"N", 1}, {"K", 23}},
};

}  // namespace

TEST_CASE("batched products at ragged shapes and strides") {
  for (Extents s : products) {
    s["B"] = 2;
    Case c = of(bmm.program, s);
    CPU_CHECK(c);
    c.row_padding = 5;
    CPU_CHECK(c);
  }
  CPU_CHECK(of(bmm.program, {{"B", 1}, {"M", 131}, {"N", 203}, {"K", 301}}));
}

TEST_CASE("a product larger than the cache blocks") {
  CPU_CHECK(of(bmm.program, {{"B", 1}, {"M", 61}, {"N", 83}, {"K", 1031}}));
}

TEST_CASE("gram matrices, products split along K, grouped products") {
  for (const Extents& s : products) {
    CPU_CHECK(of(gram.program, {{"N", s.at("M")}, {"K", s.at("K")}}));
    CPU_CHECK(of(gemm_split.program, s));
  }
  Case c = of(moe.program, {{"T", 40}, {"K", 24}, {"E", 3}, {"N", 20}});
  c.data = {{"start", [](std::int64_t i) { return double(i == 0 ? 0 : i == 1 ? 13 : i == 2 ? 13 : 40); }}};
  CPU_CHECK(c);
}

TEST_CASE("quantised products") {
  for (const Extents& s : products) {
    Case c = of(gemm_i8.program, s);
    c.scalars = {{"zero_a", 3}, {"scale_a", .5}};
    CPU_CHECK(c);
    c.row_padding = 7;
    CPU_CHECK(c);
  }
  CPU_CHECK(of(gemm_i4.program, {{"M", 13}, {"N", 37}, {"K", 256}}));
  CPU_CHECK(of(gemm_i4.program, {{"M", 1}, {"N", 16}, {"K", 128}}));
  Case mx = of(gemm_mx.program, {{"M", 13}, {"N", 37}, {"K", 64}});
  const auto power = [](std::int64_t i) { return std::ldexp(1.0, int(i % 9) - 4); };
  mx.data = {{"sa", power}, {"sb", power}};
  CPU_CHECK(mx);
}

TEST_CASE("convolutions") {
  for (std::int64_t stride : {1, 2}) {
    Case c = of(conv2d.program, {{"B", 2},
                                 {"G", 2},
                                 {"C", 5},
                                 {"H", 9},
                                 {"W", 11},
                                 {"F", 7},
                                 {"KH", 3},
                                 {"KW", 3},
                                 {"OH", (9 + 2 - 3) / stride + 1},
                                 {"OW", (11 + 2 - 3) / stride + 1}});
    c.scalars = {{"stride", double(stride)}, {"pad", 1}};
    CPU_CHECK(c);
  }
  Case c = of(
      conv2d.program,
      {{"B", 1}, {"G", 1}, {"C", 16}, {"H", 14}, {"W", 28}, {"F", 20}, {"KH", 3}, {"KW", 3}, {"OH", 14}, {"OW", 28}});
  c.scalars = {{"stride", 1}, {"pad", 1}};
  CPU_CHECK(c);
}

TEST_CASE("attention and its backward over ragged batches") {
  const std::map<std::string, std::function<double(std::int64_t)>> at{
      {"q_at", [](std::int64_t i) { return double(i == 0   ? 0
                                                  : i == 1 ? 7
                                                           : 20); }},
      {"s_at", [](std::int64_t i) {
         return double(i == 0 ? 0 : i == 1 ? 9 : 25);
       }}};
  Case c = of(attention<f16>.program, {{"B", 2}, {"T", 20}, {"S", 25}, {"HQ", 4}, {"HK", 2}, {"D", 16}});
  c.scalars = {{"longest", 13}, {"window", 10}, {"scale", .25}};
  c.data = at;
  CPU_CHECK(c);
  c.extents["D"] = 13;
  CPU_CHECK(c);
  c.program = &attention<bf16>.program;
  CPU_CHECK(c);
  c.program = &attention_backward<f16>.program;
  c.scalars["longest"] = 16;
  CPU_CHECK(c);
}

TEST_CASE("code for AVX-512 is made where it cannot run") {
  Case c = of(bmm.program, {{"B", 2}, {"M", 17}, {"N", 37}, {"K", 21}});
  CHECK(cpu_test::compile_avx512(c) == "");
  c = of(softmax.program, {{"M", 13}, {"N", 37}});
  CHECK(cpu_test::compile_avx512(c) == "");
  c = of(gemm_i8.program, {{"M", 13}, {"N", 37}, {"K", 50}});
  CHECK(cpu_test::compile_avx512(c) == "");
  c = of(attention<f16>.program, {{"B", 2}, {"T", 20}, {"S", 25}, {"HQ", 4}, {"HK", 2}, {"D", 16}});
  CHECK(cpu_test::compile_avx512(c) == "");
}
