// Kernels that together use every operation of the table: what the front end records verifies, whatever the operation.
#include <doctest/doctest.h>

#include <string>

#include "same.hpp"
#include "tessera/ir/hash.hpp"
#include "tessera/ir/parse.hpp"
#include "tests/kernels/kernels.hpp"

namespace {

TESSERA_KERNEL(every_function)(Kernel k, In<f32, "N"> x, In<i32, "N"> n, In<b8, "N"> c, Out<f32, "N"> y, Out<i32, "N"> z, Out<b8, "N"> w) {
  auto i = k.block<"N">(BM);
  auto a = x(i);
  auto f = -a + abs(a) * sqrt(a) / rsqrt(a) - exp(a) + exp2(a) * expm1(a) + log(a) + log2(a) + log1p(a) + sin(a) + cos(a) +
           tan(a) + tanh(a) + erf(a) + sigmoid(a) + floor(a) + ceil(a) + trunc(a) + round(a) + a % 2 + pow(a, 3) + fma(a, a, 1) +
           max_number(a, 0) + min_number(a, 1) + max(a, 0) + min(a, 0) + gelu(a) + gelu_tanh(a) + relu(a) + silu(a) + clamp(a, 0, 1);
  y(i) = where(c(i) || (!c(i) && a > 0), f, bitcast<f32>(n(i)));
  z(i) = ((cdiv(n(i), 3) & 7) | (1 ^ n(i) << 2)) >> 1;
  w(i) = ((n(i) >= 1) == (n(i) <= 2) && n(i) != 3) || n(i) < 4;
};
TESSERA_KERNEL(every_reduction)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y, Out<i64, "M"> p, Out<b8, "M"> q, Out<f32, "M", "N"> s) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto v = x(m, n);
  y(m) = sum<"N">(v) + prod<"N">(v) + max<"N">(v) + min<"N">(v) + mean<"N">(v);
  p(m) = argmax<"N">(v) + argmin<"N">(v);
  q(m) = any<"N">(v > 0) && all<"N">(v > 0);
  auto scanned = associative_scan<"N">(v, 1.f, [](auto a, auto b) { return a * b; });
  s(m, n) = cumsum<"N">(v) + cumprod<"N">(v) + sort<"N">(v) + sort<"N">(v, Order::descending) + scanned + flip<"N">(v);
};
TESSERA_KERNEL(every_shape)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y, Out<f32, "N"> z) {
  auto i = k.block<"N">(64);
  auto v = x(i);
  auto halves = split<"N", "O", "I">(v, 32);
  auto back = merge<"O", "I", "P">(halves + sum<"I">(halves));
  auto two = join<"Q">(as<"P", "Q">(back), as<"N", "Q">(v));
  Var t = v;
  at<"N">(t, i.begin()) = 2;
  y(i) = at<"Q">(two, i.begin() + 0) + at<"N">(pad(v, 1), i + 1) + t;
  z(i) = merge<"O", "I">(halves, i);
};
TESSERA_KERNEL(every_memory)(Kernel k, In<i32, "T"> ids, InOut<i32, "N"> h, Out<i32, "T"> old, InOut<u64, "N"> g, Scalar<u64> seed) {
  auto t = k.block<"T">(BM);
  auto id = ids(t);
  auto first = atomic_add(h(id), 1);
  old(t) = first;
  atomic_exchange(h(id).where(id > 3), 7);
  atomic_compare_exchange(h(id), 1, 2);
  auto masked = h(id).where(id > 2, -1);
  h(id).where(masked > 0) += masked;
  atomic_max(h(id), 3);
  g(id) = cast<u64>(uniform<f32>(seed, cast<u64>(t)) * 10.f) + cast<u64>(abs(normal<f32>(seed, cast<u64>(t)))) + randint<u64>(seed, cast<u64>(t));
};
TESSERA_KERNEL(every_place)(Kernel k, In<f32, "M", "N"> x, InOut<f32, "M", "N"> y, InOut<i64, "M"> ids) {
  auto m = k.block<"M">(BM);
  auto e = k.lanes<"E">(8);
  auto th = k.threads<"W">(32);
  auto n = k.span<"N">(BN, m.begin(), m.end());
  auto scratch = k.shared<f32>(m, n);
  auto regs = k.registers<f32>(m, n);
  scratch(m, n) = x(m, n);
  regs(m, n) = scratch(m, n) + x.pad(0)(m, n + sum<"E">(e) + max<"W">(th));
  k.check(regs(m, n) >= 0, "not negative");
  k.print("{} of {}", m.count(), k.extent<"N">());
  ids(m) = k.linear_id() + k.group_id() + k.block_id<"M">() + m.number();
  if (auto c = k.when(any(regs(m, n) > 3))) {
    y(m, n) = regs(m, n);
  }
  if (auto d = k.otherwise()) {
    for (auto r : k.range(0, 4)) y(m, r) = cast<f32>(r);
  }
  Var left = k.zeros<i32>();
  while (k.loop(left < 3)) {
    left += 1;
    k.stop_if(left > 7);
  }
  y(m, n.grow(1)) = at<"N">(pad(y(m, n), 0), n.grow(1));
};

const ir::Program* const programs[] = {&every_function.program, &every_reduction.program, &every_shape.program,
                                       &every_memory.program,   &every_place.program,     &attention<f16>.program,
                                       &top_k.program,          &welford.program,         &moe.program,
                                       &gram.program};

TEST_CASE("what the front end records is sound, and the same through canonical form and text") {
  for (const ir::Program* p : programs) {
    INFO(p->name);
    const ir::Defect d = ir::verify(*p);
    REQUIRE_MESSAGE(!d, d.text.view() << "\n" << (d.node >= 0 ? ir::to_text(*p, d.node) : ""));
    const ir::Storage c = ir::canonical(*p);
    CHECK_MESSAGE(!ir::verify(c.view()), ir::verify(c.view()).text.view());
    const ir::Parsed back = ir::parse(ir::to_text(*p));
    REQUIRE_MESSAGE(back, back.error.view());
    CHECK(ir_test::difference(*p, back.program.view()) == "");
    CHECK(ir::hash_of(back.program.view()) == ir::hash_of(*p));
    CHECK(ir::hash_of_canonical(c.view()) == ir::hash_of(*p));
  }
}

TEST_CASE("every operation occurs in some kernel") {
  bool seen[ir::op_count] = {};
  for (const ir::Program* p : programs)
    for (const ir::Node& n : p->nodes) seen[static_cast<int>(n.op)] = true;
  for (int i = 0; i < ir::op_count; ++i) CHECK_MESSAGE(seen[i], ir::op_table[i].text);
}

// As in kernels_test.cpp: one hash for every compiler.
static_assert(ir::hash_of(every_function.program) == ir::Hash{0xa727f8d858c89ca5, 0xb48672478c047259});
static_assert(ir::hash_of(every_reduction.program) == ir::Hash{0x57ea81be71ff0fd3, 0x1f036f33a5626fc9});
static_assert(ir::hash_of(every_shape.program) == ir::Hash{0x64c7542a13de11aa, 0xd0be236399de47b2});
static_assert(ir::hash_of(every_memory.program) == ir::Hash{0x45d1d59ddca3a54a, 0xd598a089d502624f});
static_assert(ir::hash_of(every_place.program) == ir::Hash{0x58566cf65fafd77f, 0x8b86ca709d7c38e2});

}  // namespace
