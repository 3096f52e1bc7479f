// Tests that the 31 kernels are captured into programs that verify, and what is in some of them.
#include <doctest/doctest.h>

#include "tests/kernels/kernels.hpp"
#include "tests/language/support.hpp"

using namespace tessera::test;

namespace {

template <class Kernel>
void check(const Kernel& k, int grid, int arguments) {
  CAPTURE(k.name);
  CHECK(defect(k.program) == "");
  CHECK(count(k.program, ir::Op::grid_block) + count(k.program, ir::Op::grid_index) == grid);
  CHECK(k.program.args.size() == static_cast<std::size_t>(arguments));
  CHECK(k.program.name == k.name);
  CHECK(Kernel::Parameters::size == static_cast<std::size_t>(arguments));
  CHECK(k.program.lines.size() == k.program.size());
}

}  // namespace

TEST_CASE("the kernels are captured and verify") {
  check(softmax, 1, 2);
  check(layer_norm, 1, 7);
  check(welford, 1, 2);
  check(layer_norm_backward, 1, 8);
  check(attention<f16>, 3, 10);
  check(attention<bf16>, 3, 10);
  check(attention_backward<f16>, 3, 14);
  check(bmm, 3, 3);
  check(gram, 2, 2);
  check(conv2d, 5, 5);
  check(gemm_i8, 2, 7);
  check(gemm_i4, 2, 5);
  check(gemm_mx, 2, 5);
  check(quantize_groups, 2, 3);
  check(embed, 2, 3);
  check(embed_backward, 2, 3);
  check(histogram, 1, 2);
  check(scan_part, 1, 2);
  check(scan_rest, 1, 3);
  check(scan, 0, 2);
  check(radix_scatter, 1, 4);
  check(top_k, 1, 3);
  check(heat_steps<4>, 2, 2);
  check(five_point, 2, 2);
  check(moe, 2, 4);
  check(dropout, 2, 4);
  check(gemm_split, 3, 3);
  check(mandelbrot, 2, 5);
  check(bsr, 2, 5);
  check(cholesky, 1, 2);
  check(nested_while, 1, 2);
}

TEST_CASE("softmax: structure, types, axes, names, lines") {
  constexpr const ir::Program& p = softmax.program;
  static_assert(count(p, ir::Op::for_blocks) == 2 && count(p, ir::Op::end) == 2);
  static_assert(count(p, ir::Op::var) == 2 && count(p, ir::Op::set) == 2 && count(p, ir::Op::store) == 1);
  static_assert(count(p, ir::Op::reduce_max) == 1 && count(p, ir::Op::sum) == 1 && count(p, ir::Op::exp) == 3);
  static_assert(p.extents.size() == 2 && p.tunables.size() == 2);
  CHECK(p.str(p.args[0].name) == "x");
  CHECK(p.str(p.args[1].name) == "y");
  CHECK(p.args[0].effect == ir::Effect::in);
  CHECK(p.args[1].effect == ir::Effect::out);
  CHECK(p.str(p.tunables[0].name) == "BM");
  CHECK(axes(p, node(p, ir::Op::store)) == "M, N");
  CHECK(axes(p, node(p, ir::Op::reduce_max)) == "M");
  CHECK(node(p, ir::Op::sum).type == DType::f32);
  const int first = find(p, ir::Op::for_blocks, 0), second = find(p, ir::Op::for_blocks, 1);
  CHECK(p.lines[static_cast<std::size_t>(second)] - p.lines[static_cast<std::size_t>(first)] == 6);
  CHECK(p.node(first + 1).op == ir::Op::loop_block);
}

TEST_CASE("a Var that a member function changes keeps the user's lines") {
  constexpr const ir::Program& p = layer_norm.program;
  static_assert(count(p, ir::Op::var) == 3 && count(p, ir::Op::set) == 3);
  for (std::uint32_t line : p.lines) CHECK(line < 330);  // none of a header
}

TEST_CASE("an Out with += is marked, one with = is not") {
  constexpr const ir::Program& p = layer_norm_backward.program;
  static_assert(!p.args[5].accumulated && p.args[6].accumulated && p.args[7].accumulated);
  static_assert(count(p, ir::Op::accumulate) == 2 && count(p, ir::Op::store) == 1);
}

TEST_CASE("while conditions are computed inside, once") {
  constexpr const ir::Program& p = nested_while.program;
  static_assert(count(p, ir::Op::while_loop) == 2 && count(p, ir::Op::loop_condition) == 2);
  static_assert(count(p, ir::Op::any) == 1);
  const int loop = find(p, ir::Op::while_loop), condition = find(p, ir::Op::loop_condition);
  CHECK(loop < find(p, ir::Op::any));
  CHECK(find(p, ir::Op::any) < condition);
  CHECK(p.operand(p.node(condition), 0) == find(p, ir::Op::any));
  CHECK(condition < find(p, ir::Op::while_loop, 1));
}

TEST_CASE("gram: one name for two pieces of an axis is renamed, contraction keeps both") {
  constexpr const ir::Program& p = gram.program;
  CHECK(axes(p, node(p, ir::Op::dot)) == "N, J");
  CHECK(node(p, ir::Op::dot).type == DType::f32);
}

TEST_CASE("dot accumulates narrow types in wide ones") {
  static_assert(node(gemm_i8.program, ir::Op::dot).type == DType::i32);
  static_assert(node(gemm_i4.program, ir::Op::dot).type == DType::f32);
  static_assert(node(gemm_i8.program, ir::Op::sum).type == DType::i32);
}

TEST_CASE("conv2d contracts three axes; its image is padded and indexed by values") {
  constexpr const ir::Program& p = conv2d.program;
  CHECK(axes(p, node(p, ir::Op::dot)) == "F, OH, OW");
  const ir::Node& load = node(p, ir::Op::load, 1);
  CHECK((load.flags & ir::flag_padded) != 0);
  CHECK(load.count == 6);
  static_assert(count(p, ir::Op::expects) == 3);
}

TEST_CASE("derived extents are entries of their own") {
  constexpr const ir::Program& p = gemm_i4.program;
  int derived = 0;
  for (const ir::Extent& e : p.extents) derived += e.divide == 2 || e.divide == 128;
  CHECK(derived == 2);
  constexpr const ir::Program& a = attention<f16>.program;
  int plus = 0;
  for (const ir::Extent& e : a.extents) plus += e.plus == 1;
  CHECK(plus == 1);
}

TEST_CASE("cholesky: k.all is one axis, a renamed tile meets a renamed block") {
  constexpr const ir::Program& p = cholesky.program;
  static_assert(count(p, ir::Op::all_block) == 1 && count(p, ir::Op::alias) == 2);
  CHECK(axes(p, node(p, ir::Op::mul)) == "B, I, J");
}

TEST_CASE("heat_steps: halos are grown axes, each step's made once") {
  constexpr const ir::Program& p = heat_steps<4>.program;
  static_assert(count(p, ir::Op::grow) == 8);
  static_assert(count(p, ir::Op::load) == 1);
}
