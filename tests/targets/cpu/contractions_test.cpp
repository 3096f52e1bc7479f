// Tests contractions of many forms on a CPU: operands transposed, computed, of every width; batches; vectors.
#include <tessera/tessera.hpp>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

TESSERA_KERNEL(mm_sum)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += sum<"K">(a(m, i) * b(i, n));
  c(m, n) = acc;
};
TESSERA_KERNEL(mm_transposed)(Kernel k, In<f32, "K", "M"> a, In<f32, "N", "K"> b, Out<f32, "M", "N"> c,
                              Out<f32, "N", "M"> t) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(a(i, m), b(n, i));
  c(m, n) = acc;
  t(n, m) = acc;
};
TESSERA_KERNEL(mm_prologue)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, In<f32, "M"> rows, In<f32, "N"> bias,
                            Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(gelu(a(m, i)) * rows(m), b(i, n));
  c(m, n) = gelu(acc + bias(n)) * rows(m);
};
TESSERA_KERNEL(mm_whole)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(32), n = k.block<"N">(24);
  auto i = k.all<"K">();
  c(m, n) = dot(a(m, i), b(i, n));
};
TESSERA_KERNEL(mm_two_loops)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, In<f32, "M", "L"> d,
                             In<f32, "L", "N"> e, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(a(m, i), b(i, n));
  for (auto i : k.blocks<"L">(BK)) acc += dot(d(m, i), e(i, n));
  c(m, n) = acc;
};
TESSERA_KERNEL(mm_gated)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, In<f32, "K", "N"> g,
                         Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var x = k.zeros<f32>(m, n), y = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) {
    x += dot(a(m, i), b(i, n));
    y += dot(a(m, i), g(i, n));
  }
  c(m, n) = silu(y) * x;
};
TESSERA_KERNEL(mm_chain)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, In<f32, "N", "P"> d,
                         Out<f32, "M", "P"> c) {
  auto m = k.block<"M">(8);
  auto i = k.all<"K">();
  auto n = k.all<"N">();
  auto p = k.all<"P">();
  c(m, p) = dot(relu(dot(a(m, i), b(i, n))), d(n, p));
};
TESSERA_KERNEL(mm_batch)(Kernel k, In<f32, "B", "M", "K"> a, In<f32, "B", "K", "N"> b, Out<f32, "B", "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto z = k.all<"B">();
  Var acc = k.zeros<f32>(z, m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot<"K">(a(z, m, i), b(z, i, n));
  c(z, m, n) = acc;
};
TESSERA_KERNEL(dot_two_axes)(Kernel k, In<f32, "M", "K", "L"> a, In<f32, "L", "K", "N"> b, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  auto l = k.all<"L">();
  c(m, n) = dot<"K", "L">(a(m, i, l), b(l, i, n));
};
TESSERA_KERNEL(gemv)(Kernel k, In<f32, "M", "K"> a, In<f32, "K"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var acc = k.zeros<f32>(m);
  for (auto i : k.blocks<"K">(BK)) acc += dot(a(m, i), x(i));
  y(m) = acc;
};
TESSERA_KERNEL(gemv_transposed)(Kernel k, In<f32, "K", "M"> a, In<f32, "K"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto i = k.all<"K">();
  y(m) = dot(x(i), a(i, m));
};
TESSERA_KERNEL(outer)(Kernel k, In<f32, "M"> x, In<f32, "N"> y, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  c(m, n) = x(m) * y(n);
};
TESSERA_KERNEL(inner)(Kernel k, In<f32, "K"> x, In<f32, "K"> y, Out<f32> c) {
  auto i = k.all<"K">();
  c() = dot(x(i), y(i));
};
template <class T, class Acc>
TESSERA_KERNEL(mm_typed)(Kernel k, In<T, "M", "K"> a, In<T, "K", "N"> b, Out<Acc, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<Acc>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(a(m, i), b(i, n));
  c(m, n) = acc;
};
TESSERA_KERNEL(mm_shifted)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  auto p = a.pad(0);
  c(m, n) = dot(p(m - 1, i) + p(m + 1, i), b(i, n)) - sum<"K">(p(m, i));
};
TESSERA_KERNEL(row_softmax_product)(Kernel k, In<f32, "T", "D"> q, In<f32, "S", "D"> key, In<f32, "S", "E"> value,
                                    Out<f32, "T", "E"> out) {
  auto t = k.block<"T">(BM);
  auto d = k.all<"D">();
  auto e = k.all<"E">();
  Var top = k.full<f32>(-inf, t), total = k.zeros<f32>(t), acc = k.zeros<f32>(t, e);
  for (auto s : k.blocks<"S">(64)) {
    auto score = dot<"D">(q(t, d), key(s, d));
    auto next = max(top, max<"S">(score));
    auto p = exp(score - next);
    auto keep = exp(top - next);
    total = total * keep + sum<"S">(p);
    acc = acc * keep + dot<"S">(p, value(s, e));
    top = next;
  }
  out(t, e) = acc / total;
};
TESSERA_KERNEL(powers)(Kernel k, In<f32, "M", "M"> a, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto i = k.all<"M">();
  auto n = k.block<"N">(BN);
  auto j = as<"J">(k.all<"M">());
  Var v = x(i, n);
  for (auto step : k.range(0, 3)) v = dot<"J">(a(i, j), as<"M", "J">(v)) * 0.125f + cast<f32>(step);
  y(i, n) = v;
};

using Extents = std::map<std::string, std::int64_t>;
const Extents shapes[] = {
    {{"M", 1}, {"N", 1}, {"K", 1}},    {{"M", 6}, {"N", 16}, {"K", 8}}, {{"M", 7}, {"N", 17}, {"K", 3}},
    {{"M", 13}, {"N", 37}, {"K", 31}}, {{"M", 5}, {"N", 8}, {"K", 65}},
};
// Large enough for packed operands and blocks cut short in the middle of packed panels, on every vector width.
const Extents packed[] = {
    {{"M", 121}, {"N", 133}, {"K", 37}},
    {{"M", 96}, {"N", 208}, {"K", 5}},
    {{"M", 350}, {"N", 417}, {"K", 2}},
    {{"M", 98}, {"N", 100}, {"K", 0}},
};

Extents with(Extents s, const Extents& more) {
  s.insert(more.begin(), more.end());
  return s;
}

void check(const ir::Program& p, const Extents& extents) {
  auto c = of(p, extents);
  CPU_CHECK(c);
  c.row_padding = 3;
  CPU_CHECK(c);
}

}  // namespace

TEST_CASE("products by sum, transposed, with prologue and epilogue, of literal tiles") {
  for (const Extents& s : shapes) {
    check(mm_sum.program, s);
    check(mm_transposed.program, s);
    check(mm_prologue.program, s);
    check(mm_whole.program, s);
  }
}

TEST_CASE("several products in one program") {
  for (const Extents& s : shapes) {
    check(mm_two_loops.program, with(s, {{"L", 9}}));
    check(mm_gated.program, s);
    check(mm_chain.program, with(s, {{"P", 11}}));
    check(mm_batch.program, with(s, {{"B", 3}}));
    check(dot_two_axes.program, with(s, {{"L", 5}}));
    check(mm_shifted.program, s);
  }
}

TEST_CASE("matrix times vector, outer and inner products") {
  for (const Extents& s : shapes) {
    check(gemv.program, {{"M", s.at("M")}, {"K", s.at("K")}});
    check(gemv_transposed.program, {{"M", s.at("M")}, {"K", s.at("K")}});
    check(outer.program, {{"M", s.at("M")}, {"N", s.at("N")}});
    check(inner.program, {{"K", s.at("K")}});
  }
  check(inner.program, {{"K", 0}});
  check(gemv.program, {{"M", 5}, {"K", 0}});
  check(mm_sum.program, {{"M", 5}, {"N", 17}, {"K", 0}});
}

TEST_CASE("products of every width") {
  for (const Extents& s : shapes) {
    check(mm_typed<f64, f64>.program, s);
    check(mm_typed<f16, f32>.program, s);
    check(mm_typed<bf16, f32>.program, s);
    check(mm_typed<i8, i32>.program, s);
    check(mm_typed<u8, i32>.program, s);
    check(mm_typed<i32, i32>.program, s);
    check(mm_typed<e4m3, f32>.program, s);
  }
}

TEST_CASE("products of packed operands, whole and cut short") {
  for (const Extents& s : packed) {
    check(mm_sum.program, s);
    check(mm_transposed.program, s);
    check(mm_prologue.program, s);
    check(mm_gated.program, s);
  }
  check(mm_sum.program, {{"M", 97}, {"N", 101}, {"K", 530}});  // K in several cuts
  check(mm_typed<i32, i32>.program, packed[0]);
  check(mm_typed<bf16, f32>.program, packed[0]);
}

TEST_CASE("products in loops that leave an operand as it is") {
  check(row_softmax_product.program, {{"T", 130}, {"S", 200}, {"D", 16}, {"E", 40}});
  check(row_softmax_product.program, {{"T", 7}, {"S", 65}, {"D", 3}, {"E", 5}});
  check(row_softmax_product.program, {{"T", 5}, {"S", 0}, {"D", 3}, {"E", 5}});
  check(powers.program, {{"M", 100}, {"N", 104}});
  check(powers.program, {{"M", 3}, {"N", 5}});
}
