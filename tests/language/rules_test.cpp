// Tests of the language's rules: what each form is captured as. What is refused is in tests/compile_fail.
#include <doctest/doctest.h>
#include <tessera/ir/text.hpp>

#include "tests/language/support.hpp"

using namespace tessera;
using namespace tessera::test;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

// Rule 1: axes
TESSERA_KERNEL(axis_identity)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">(), again = k.all<"N">();
  auto e = k.lanes<"E">(8), f = k.lanes<"E">(8);
  y(m) = sum<"N">(x(m, n) * x(m, again)) + sum<"E">(cast<f32>(e) * cast<f32>(f)) + sum<"N">(x(m.grow(0), n));
};
TEST_CASE("rule 1: k.all and k.lanes of one size are one axis, grow(0) is the same") {
  CHECK(defect(axis_identity.program) == "");
  static_assert(count(axis_identity.program, ir::Op::all_block) == 1);
  static_assert(count(axis_identity.program, ir::Op::lanes_block) == 1);
  static_assert(count(axis_identity.program, ir::Op::grow) == 0);
}

// Rule 2: access
TESSERA_KERNEL(indices)(Kernel k, In<f32, "M", "N"> x, In<i8, "M"> row, In<f32, "N+1"> edge, Scalar<i32> j,
                        Out<f32, "M"> y, Out<i64> last, InOut<f32, "N"> z) {
  auto m = k.block<"M">(BM);
  y(m) = x(m, 3) + x(row(m), j) + x(m, 2u) + x(m, 5ull);
  if (auto t = k.when(m.begin() == 0)) {
    auto n = k.all<"N">();
    z(n) = edge(n) + edge(n + 1);
    last() = k.extent<"M">();
  }
};
TEST_CASE("rule 2: indices are blocks, literals, scalars, integer tiles; E+1 takes a block over E; rank 0") {
  CHECK(defect(indices.program) == "");
  const ir::Program& p = indices.program;
  const ir::Node& first = node(p, ir::Op::load, 0);
  CHECK(p.node(p.operand(first, 1)).op == ir::Op::literal);
  CHECK(p.node(p.operand(first, 1)).type == DType::i64);
  CHECK(node(p, ir::Op::store, 2).count == 1);
}

// Rule 3: derived extents
TESSERA_KERNEL(derived)(Kernel k, In<f32, "K"> x, In<i32, "B+1"> at_, Out<f32, "K/32"> y) {
  k.expects(k.extent<"K">() % 32 == 0, "K is a multiple of 32");
  k.expects(BM % 4 == 0 && BM <= max(BN, 64), "BM is a multiple of 4");
  auto g = k.block<"K/32">(BM);
  auto e = k.lanes<"E">(32);
  y(g) = sum<"E">(x(g * 32 + e)) + cast<f32>(at_(0));
};
TEST_CASE("rule 3: extents derived and found; expects over extents and Dims") {
  CHECK(defect(derived.program) == "");
  static_assert(count(derived.program, ir::Op::expects) == 2);
  CHECK(axes(derived.program, node(derived.program, ir::Op::load)) == "K/32, E");
}

// Rules 6 and 7: the grid, loops
TESSERA_KERNEL(grids)(Kernel k, In<i32, "B+1"> start, In<f32, "T", "N"> x, Scalar<i32> longest,
                      Out<f32, "T", "N", "B"> y) {
  auto b = k.index<"B">();
  auto p = k.index(cdiv(k.extent<"N">(), 16));
  auto t = k.block<"T">(BM, start(b), start(b + 1), longest);
  for (auto n : k.blocks<"N">(16, p * 16, (p + 1) * 16)) y(t, n, b) = x(t, n);
  for (auto i : k.range(0, 3)) {
    k.stop_if(i == 7);
    auto s = k.span<"N">(BN, i, i + 1);
    k.check(all(x(t, s) > 0), "x is positive");
  }
};
TEST_CASE("rules 6 and 7: index, ragged blocks, span, ranges, stop_if, check") {
  CHECK(defect(grids.program) == "");
  const ir::Program& p = grids.program;
  CHECK(node(p, ir::Op::grid_block).count == 4);
  CHECK(node(p, ir::Op::loop_block).count == 3);
  CHECK(node(p, ir::Op::span_block).count == 3);
  CHECK((p.node(p.operand(node(p, ir::Op::grid_index, 1), 0)).flags & ir::flag_uniform) != 0);
  static_assert(count(grids.program, ir::Op::stop_if) == 1 && count(grids.program, ir::Op::check) == 1);
}

// Rule 8: tiles index like arrays
TESSERA_KERNEL(shapes)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y, Out<f32, "M"> z) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  Var v = x(m, n);
  at<"N">(v, 0) = 1;
  at<"N">(v, 1) += x(m, 2);
  auto mirrored = flip<"N">(v);
  auto shifted = at<"N">(pad(mirrored, 0), n - 1);
  y(m, n) =
      sort<"N">(shifted) + at<"N">(sort<"N">(x(m, n), Order::descending), n) + as<"J", "N">(as<"N", "J">(x(m, n)));
  auto halves = split<"N", "G", "E">(x(m, n), 4) * split<"N", "G", "E">(-x(m, n), 4);
  z(m) = sum<"G", "E">(halves) + sum<"N2">(merge<"G", "E", "N2">(halves)) +
         sum<"C">(join<"C">(as<"N", "C">(x(m, n)), as<"N", "C">(x(m, n)))) +
         cast<f32>(n.end() - n.begin() + n.count() + m.number());
};
TEST_CASE("rule 8: at, put, flip, pad, sort, as, split, merge, join, and the numbers of a block") {
  CHECK(defect(shapes.program) == "");
  const ir::Program& p = shapes.program;
  CHECK(count(p, ir::Op::put) == 2);
  CHECK(count(p, ir::Op::split) == 2);
  CHECK(count(p, ir::Op::join) == 1);
  CHECK(axes(p, node(p, ir::Op::split)) == "M, G, E");
  CHECK(axes(p, node(p, ir::Op::merge)) == "M, N2");
  CHECK(axes(p, node(p, ir::Op::join)) == "M, C");
  CHECK((node(p, ir::Op::sort, 1).imm >> 32) == 1);
}

// Rules 9 and 10: splitting loads; dot and sum
TESSERA_KERNEL(contractions)(Kernel k, In<f16, "B", "M", "K"> a, In<f16, "B", "K", "N"> b, In<i8, "M", "K"> c,
                             In<u8, "K", "N"> d, Out<f32, "B", "M", "N"> y, Out<i32, "M", "N"> z, Out<f64, "M"> w) {
  auto g = k.all<"B">();
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  y(g, m, n) = dot<"K">(a(g, m, i), b(g, i, n));
  z(m, n) = dot(c(m, i), d(i, n));
  if (auto t = k.when(n.begin() == 0))
    w(m) = sum<f64, "B", "K">(a(g, m, i)) + dot<f64, "B", "K">(a(g, m, i), a(g, m, i));
};
TEST_CASE("rule 10: batch axes, mixed narrow integers, chosen accumulators") {
  CHECK(defect(contractions.program) == "");
  const ir::Program& p = contractions.program;
  CHECK(axes(p, node(p, ir::Op::dot, 0)) == "B, M, N");
  CHECK(node(p, ir::Op::dot, 0).type == DType::f32);
  CHECK(node(p, ir::Op::dot, 1).type == DType::i32);
  CHECK(node(p, ir::Op::dot, 2).type == DType::f64);
}

// Rule 11: types and literals
TESSERA_KERNEL(literals)(Kernel k, In<f16, "M"> h, In<u64, "M"> u, In<i8, "M"> c, In<e4m3, "M"> q, Out<f32, "M"> y,
                         Out<u64, "M"> z, Out<i8, "M"> w, Out<i32, "M"> v) {
  auto m = k.block<"M">(BM);
  y(m) = h(m) * 0.5 + cast<f32>(q(m) + 1) + 1 / cast<f32>(h(m));
  z(m) = u(m) & 0xffffffffffffffffull;
  w(m) = c(m) + -128;
  v(m) = c(m) + cast<i32>(h(m), Rounding::nearest_even, Saturation::overflow) + bitcast<i32>(cast<f32>(h(m))) +
         cast(c(m), k.zeros<i32>()) + (u8{200} + cast<u8>(c(m))) + cast<i32>(f16(1.5f) * h(m));
};
TEST_CASE("rule 11: literals take the tile's type, widening is a cast node, u64 literals are exact") {
  CHECK(defect(literals.program) == "");
  const ir::Program& p = literals.program;
  const ir::Node& half = node(p, ir::Op::literal, 0);
  CHECK(half.type == DType::f16);
  CHECK(half.imm == 0x3800);
  bool all_ones = false, lowest = false;
  for (const ir::Node& n : p.nodes) {
    if (n.op != ir::Op::literal) continue;
    all_ones = all_ones || (n.type == DType::u64 && n.imm == -1);
    lowest = lowest || (n.type == DType::i8 && n.imm == -128);
  }
  CHECK(all_ones);
  CHECK(lowest);
}

// Rule 12 and the functions
TESSERA_KERNEL(functions)(Kernel k, In<f32, "M"> x, In<i32, "M"> i, In<f16, "M"> h, Out<f32, "M"> y, Out<i32, "M"> z,
                          Out<f16, "M"> g) {
  auto m = k.block<"M">(BM);
  auto v = x(m);
  y(m) = abs(v) + sqrt(v) + rsqrt(v) + exp(v) + exp2(v) + expm1(v) + log(v) + log2(v) + log1p(v) + sin(v) + cos(v) +
         tan(v) + tanh(v) + erf(v) + sigmoid(v) + floor(v) + ceil(v) + trunc(v) + round(v) + max(v, 1) + min(1, v) +
         max_number(v, v) + min_number(v, 0) + pow(v, 2) + fma(v, 2, 1) + clamp(v, 0, 1) + relu(v) + silu(v) + gelu(v) +
         gelu_tanh(v) + -v + +v + mean(v) * 0;
  z(m) = i(m) / 3 % 4 + cdiv(i(m), 5) + ((i(m) << 2 >> 1) | (i(m) & 3) | (i(m) ^ 2)) + ~i(m) +
         where(!((i(m) > 1 && i(m) < 5) || i(m) == 7), 1, 0) + cast<i32>(i(m) != 3 && true);
  g(m) = gelu(h(m)) + silu(h(m));
};
TEST_CASE("functions and operators: one node an operation; f16 is computed in f32 by gelu and silu") {
  CHECK(defect(functions.program) == "");
  const ir::Program& p = functions.program;
  CHECK(count(p, ir::Op::rsqrt) == 1);
  CHECK(count(p, ir::Op::erf) == 3);
  CHECK(count(p, ir::Op::cdiv) == 1);
  CHECK(count(p, ir::Op::logical_not) == 1);
  CHECK(node(p, ir::Op::erf, 2).type == DType::f32);
}

// Rule 13: variables
TESSERA_KERNEL(variables)(Kernel k, In<f32, "M"> x, InOut<f32, "M"> c, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = c(m), w = m, s = k.zeros<i64>();
  auto t = v;  // a new Var of the present value
  v = 0;
  v += 1;
  v -= x(m);
  v *= t;
  v /= 2;
  w = m + 1;
  s = m.begin();
  t = v;
  y(m) = t + cast<f32>(w + s);
  c(m) = v;
};
TEST_CASE("rule 13: Vars of a place, of a block; a copy is a new one") {
  CHECK(defect(variables.program) == "");
  static_assert(count(variables.program, ir::Op::var) == 4);
  static_assert(count(variables.program, ir::Op::set) == 8);
  static_assert(count(variables.program, ir::Op::load) == 2);  // x, and c once: written places are not read
}

// Rules 14 to 16: memory
TESSERA_KERNEL(memory)(Kernel k, In<f32, "M"> x, In<i32, "M"> ids, InOut<f32, "M"> c, InOut<i32, "N"> n,
                       Out<f32, "N"> h, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto old = c(m);
  c(m).where(x(m) > 0) = old * 2;
  h(ids(m)).where(ids(m) >= 0) += x(m);
  y(m) =
      x(ids(m)).where(ids(m) >= 0, -1) + c(m + 1).where(m > 3, 0) + x.pad(2)(m - 1).where(m > 0, 3) + c.pad(0)(m - 1);
  auto before = atomic_min(n(ids(m)), 3);
  auto swapped = atomic_compare_exchange(n(m.begin()), 3, 4);
  auto added = atomic_add(n(ids(m)).where(ids(m) > 0), swapped + before) + 1;
  atomic_exchange(n(m + 1), added);
  atomic_or(n(2), 1);
};
TEST_CASE("rules 14 to 16: masks on stores and loads, +=, atomics by name, pad on arguments") {
  CHECK(defect(memory.program) == "");
  const ir::Program& p = memory.program;
  CHECK((node(p, ir::Op::store).flags & ir::flag_masked) != 0);
  CHECK((node(p, ir::Op::accumulate).flags & ir::flag_masked) != 0);
  CHECK(count(p, ir::Op::atomic) == 5);
  int masked = 0, padded = 0;
  for (const ir::Node& n : p.nodes)
    if (n.op == ir::Op::load) {
      masked += (n.flags & ir::flag_masked) != 0;
      padded += (n.flags & ir::flag_padded) != 0;
    }
  CHECK(masked == 3);
  CHECK(padded == 2);
  const ir::Node& cas = node(p, ir::Op::atomic, 1);
  CHECK(static_cast<ir::AtomicKind>(cas.imm >> 32) == ir::AtomicKind::compare_exchange);
  CHECK(cas.count == 3);
}

// Rule 17: control
TESSERA_KERNEL(control)(Kernel k, In<f32, "M"> x, Scalar<i32> n, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = x(m), i = k.zeros<i64>();
  if (auto t = k.when(n > 3)) v += 1;
  if (auto e = k.otherwise()) v -= 1;
  while (k.loop(i < n && all(v > 0))) {
    if (auto t = k.when(i == 2)) {
      while (k.loop(any(v > 5))) v -= 1;
    }
    i += 1;
  }
  for (int step = 0; step < 3; ++step) v = v * v;  // unrolls
  k.print("v = {}, i = {}", v, i);
  k.print("done");
  y(m) = v;
};
TEST_CASE("rule 17: when and otherwise, nested whiles, unrolled loops, print") {
  CHECK(defect(control.program) == "");
  const ir::Program& p = control.program;
  const int other = find(p, ir::Op::else_region);
  CHECK(p.node(other - 1).op == ir::Op::end);
  CHECK(count(p, ir::Op::while_loop) == 2);
  CHECK(count(p, ir::Op::loop_condition) == 2);
  CHECK(count(p, ir::Op::all) == 1);
  CHECK(node(p, ir::Op::print).count == 2);
  CHECK(p.str(static_cast<std::int32_t>(node(p, ir::Op::print).imm)) == "v = {}, i = {}");
}

TESSERA_KERNEL(reducing_condition)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  Var v = x(m, n), turns = k.zeros<i32>();
  auto least = any(x(m, n) > 3);
  while (k.loop(any(reduce<"N">(v, 0, [&](Tile a, Tile b) { return where(least, a + b, a); }) > 1) &&
                max(turns, turns) < 9)) {
    v -= 1;
    turns += 1;
  }
  y(m) = sum<"N">(v);
};
TEST_CASE("a while's condition moves with the functions in it") {
  CHECK(defect(reducing_condition.program) == "");
  const ir::Program& p = reducing_condition.program;
  CHECK(count(p, ir::Op::reduce) == 1);  // what was recorded before the loop is gone
  CHECK(find(p, ir::Op::while_loop) < find(p, ir::Op::reduce));
  CHECK(find(p, ir::Op::region_end) < find(p, ir::Op::loop_condition));
}

// Rule 18: custom reductions and scans
TESSERA_KERNEL(combined)(Kernel k, In<f64, "M", "N"> x, In<i32, "M", "N"> i, Out<f64, "M", "N"> y, Out<i32, "M"> z) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto [count, total] = associative_scan<"N">({1.f, x(m, n)}, {0.f, 0.f}, [](auto a, auto b) {
    auto [ca, ta] = a;
    auto [cb, tb] = b;
    return std::array{ca + cb, ta + tb};
  });
  y(m, n) = total / count;
  z(m) = reduce<"N">(i(m, n), 0, [](Tile a, Tile b) { return a ^ b; });
};
TEST_CASE("rule 18: the combined types are the tiles' own") {
  CHECK(defect(combined.program) == "");
  const ir::Program& p = combined.program;
  CHECK(node(p, ir::Op::scan_by).type == DType::f64);
  CHECK(axes(p, node(p, ir::Op::scan_by)) == "M, N");
  CHECK(node(p, ir::Op::reduce).type == DType::i32);
  CHECK(axes(p, node(p, ir::Op::reduce)) == "M");
  CHECK(count(p, ir::Op::param) == 6);
}

// Rule 19: placement
TESSERA_KERNEL(placed)(Kernel k, In<f32, "M", "K"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto i = k.all<"K">();
  auto t = k.threads<"T">(32);
  auto s = k.shared<f32>({.alignment = 128, .swizzle = 64}, m, i);
  auto acc = k.registers<f32>(m);
  s(m, i) = x(m, i) * 2;
  acc(m) = sum<"K">(s(m, i));
  acc(m) += sum<"T">(at<"T">(cast<f32>(t), t ^ 1));
  y(m) = acc(m) + cast<f32>(k.linear_id() + k.block_id<"M">() + k.group_id());
};
TEST_CASE("rule 19: shared and register arrays, hardware lanes, the program's numbers") {
  CHECK(defect(placed.program) == "");
  const ir::Program& p = placed.program;
  CHECK(p.args.size() == 4);
  CHECK(p.args[2].effect == ir::Effect::shared);
  CHECK(p.args[2].place == Placement{.alignment = 128, .swizzle = 64});
  CHECK(p.args[3].effect == ir::Effect::registers);
  CHECK(p.args[3].place == Placement{});
  const std::string text = ir::to_text(p);
  CHECK(text.find("arg shared f32 shared[M, K] align 128 swizzle 64\n") != std::string::npos);
  CHECK(count(p, ir::Op::threads_block) == 1);
}

// Rule 20: random numbers
TESSERA_KERNEL(randoms)(Kernel k, Scalar<u64> seed, Out<f32, "M"> x, Out<f64, "M"> y, Out<f16, "M"> z, Out<i32, "M"> i,
                        Out<u64, "M"> u) {
  auto m = k.block<"M">(BM);
  x(m) = uniform<f32>(seed, m) + normal<f32>(seed, m);
  y(m) = uniform<f64>(7, m);
  z(m) = normal<f16>(seed, m);
  i(m) = randint<i32>(seed, m, -3, 3);
  u(m) = randint<u64>(seed, m);
};
TEST_CASE("rule 20: random words of counters") {
  CHECK(defect(randoms.program) == "");
  for (const ir::Node& n : randoms.program.nodes)
    if (n.op == ir::Op::random) {
      CHECK(n.type == DType::u32);
      CHECK(n.imm < 4);
    }
}

// The order of evaluation within an expression is the compiler's; the program is the same.
TESSERA_KERNEL(fixed_lines)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = clamp(gelu(x(m)), 0, 1);
};
TEST_CASE("composed operations stand on the user's line") {
  for (std::uint32_t line : fixed_lines.program.lines) CHECK(line + 6 >= __LINE__ - 5);
}

}  // namespace
