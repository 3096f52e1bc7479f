// Tests reductions on a CPU: each operation over each axis of a tile, of every kind of element, of nothing, with NaN.
#include <tessera/tessera.hpp>

#include <cmath>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

template <class T>
TESSERA_KERNEL(over_first)(Kernel k, In<T, "A", "B", "C"> x, Out<T, "B", "C"> high, Out<T, "B", "C"> low,
                           Out<i64, "B", "C"> at_high, Out<i64, "B", "C"> at_low) {
  auto a = k.all<"A">();
  auto b = k.block<"B">(BM), c = k.block<"C">(BN);
  high(b, c) = max<"A">(x(a, b, c));
  low(b, c) = min<"A">(x(a, b, c));
  at_high(b, c) = argmax<"A">(x(a, b, c));
  at_low(b, c) = argmin<"A">(x(a, b, c));
};
template <class T>
TESSERA_KERNEL(over_middle)(Kernel k, In<T, "A", "B", "C"> x, Out<T, "A", "C"> high, Out<T, "A", "C"> low,
                            Out<i64, "A", "C"> at_high, Out<b8, "A", "C"> some, Out<b8, "A", "C"> every) {
  auto b = k.all<"B">();
  auto a = k.block<"A">(BM), c = k.block<"C">(BN);
  high(a, c) = max<"B">(x(a, b, c));
  low(a, c) = min<"B">(x(a, b, c));
  at_high(a, c) = argmax<"B">(x(a, b, c));
  some(a, c) = any<"B">(x(a, b, c) > 0);
  every(a, c) = all<"B">(x(a, b, c) > 0);
};
template <class T>
TESSERA_KERNEL(over_last)(Kernel k, In<T, "A", "B", "C"> x, Out<T, "A", "B"> high, Out<T, "A", "B"> low,
                          Out<i64, "A", "B"> at_low, Out<b8, "A", "B"> some, Out<b8, "A", "B"> every) {
  auto c = k.all<"C">();
  auto a = k.block<"A">(BM), b = k.block<"B">(BN);
  high(a, b) = max<"C">(x(a, b, c));
  low(a, b) = min<"C">(x(a, b, c));
  at_low(a, b) = argmin<"C">(x(a, b, c));
  some(a, b) = any<"C">(x(a, b, c) > 0);
  every(a, b) = all<"C">(x(a, b, c) > 0);
};
TESSERA_KERNEL(sums)(Kernel k, In<f32, "A", "B", "C"> x, Out<f32, "B", "C"> first, Out<f32, "A", "C"> middle,
                     Out<f32, "A", "B"> last, Out<f32, "B"> outer, Out<f32> total, Out<f32, "A", "B"> product) {
  auto a = k.all<"A">();
  auto b = k.all<"B">();
  auto c = k.all<"C">();
  auto v = x(a, b, c);
  first(b, c) = sum<"A">(v);
  middle(a, c) = sum<"B">(v);
  last(a, b) = sum<"C">(v);
  outer(b) = sum<"A", "C">(v);
  total() = sum(v);
  product(a, b) = prod<"C">(v);
};
template <class T, class S>
TESSERA_KERNEL(typed_sums)(Kernel k, In<T, "M", "N"> x, Out<S, "M"> rows, Out<S, "N"> columns, Out<S, "M"> square) {
  auto m = k.all<"M">();
  auto n = k.all<"N">();
  rows(m) = sum<"N">(x(m, n));
  columns(n) = sum<"M">(x(m, n));
  square(m) = dot<"N">(x(m, n), x(m, n));
};
TESSERA_KERNEL(moments)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> mu, Out<f32, "M"> var, Out<f32, "M"> lse,
                        Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto v = x(m, n), u = mean<"N">(v), top = max<"N">(v);
  mu(m) = u;
  var(m) = mean<"N">((v - u) * (v - u));
  lse(m) = log(sum<"N">(exp(v - top))) + top;
  y(m, n) = (v - u) / sqrt(mean<"N">((v - u) * (v - u)) + 1e-5f);
};
TESSERA_KERNEL(blocked)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> total, Out<f32, "M"> top, Out<i64, "M"> at_) {
  auto m = k.block<"M">(BM);
  Var s = k.zeros<f32>(m), t = k.full<f32>(-inf, m), p = k.full<i64>(-1, m);
  for (auto n : k.blocks<"N">(BN)) {
    s += sum<"N">(x(m, n));
    p = where(max<"N">(x(m, n)) > t, argmax<"N">(x(m, n)), p);
    t = max(t, max<"N">(x(m, n)));
  }
  total(m) = s;
  top(m) = t;
  at_(m) = p;
};
TESSERA_KERNEL(grid_sums)(Kernel k, In<f32, "M", "N"> x, Out<f32, "N"> columns, Out<f32> total, Out<i32> count) {
  auto m = k.block<"M">(4), n = k.block<"N">(16);
  columns(n) += sum<"M">(x(m, n));
  total() += sum(x(m, n));
  count() += sum(cast<i32>(x(m, n) > 0));
};
TESSERA_KERNEL(custom)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> far, Out<f32, "N"> near) {
  auto m = k.all<"M">();
  auto n = k.all<"N">();
  far(m) = reduce<"N">(x(m, n), 0.f, [](auto a, auto b) { return where(abs(b) > abs(a), b, a); });
  near(n) = reduce<"M">(abs(x(m, n)), inf, [](auto a, auto b) { return min(a, b); });
};

using Extents = std::map<std::string, std::int64_t>;
const Extents cubes[] = {{{"A", 1}, {"B", 1}, {"C", 1}},
                         {{"A", 3}, {"B", 5}, {"C", 37}},
                         {{"A", 17}, {"B", 2}, {"C", 8}},
                         {{"A", 2}, {"B", 33}, {"C", 3}}};
const Extents squares[] = {{{"M", 1}, {"N", 1}}, {{"M", 13}, {"N", 37}}, {{"M", 5}, {"N", 128}}, {{"M", 70}, {"N", 3}}};

void check(const ir::Program& p, const Extents& extents) {
  auto c = of(p, extents);
  CPU_CHECK(c);
  c.row_padding = 3;
  CPU_CHECK(c);
}

}  // namespace

TEST_CASE("extremes and their places over each axis") {
  for (const Extents& s : cubes) {
    check(over_first<f32>.program, s);
    check(over_middle<f32>.program, s);
    check(over_last<f32>.program, s);
  }
  check(over_first<i8>.program, cubes[1]);
  check(over_middle<u16>.program, cubes[1]);
  check(over_last<i64>.program, cubes[1]);
  check(over_last<f16>.program, cubes[1]);
  check(over_middle<f64>.program, cubes[1]);
}

TEST_CASE("extremes of nothing, and of NaN, infinities, zeros of both signs") {
  check(over_first<f32>.program, {{"A", 0}, {"B", 3}, {"C", 9}});
  check(over_middle<f32>.program, {{"A", 3}, {"B", 0}, {"C", 9}});
  check(over_last<i8>.program, {{"A", 3}, {"B", 2}, {"C", 0}});
  auto c = of(over_first<f32>.program, cubes[1]);
  c.data = {{"x", [](std::int64_t i) {
               return i % 41 == 7 ? NAN : i % 5 == 0 ? INFINITY : i % 3 ? -0.0 : double(i % 11);
             }}};
  CPU_CHECK(c);
  c.program = &over_middle<f32>.program;
  CPU_CHECK(c);
  c.program = &over_last<f32>.program;
  CPU_CHECK(c);
}

TEST_CASE("sums and products over each axis") {
  for (const Extents& s : cubes) check(sums.program, s);
  check(sums.program, {{"A", 3}, {"B", 2}, {"C", 0}});
}

TEST_CASE("sums accumulate in the type that the language names") {
  for (const Extents& s : squares) {
    check(typed_sums<f16, f32>.program, s);
    check(typed_sums<bf16, f32>.program, s);
    check(typed_sums<f64, f64>.program, s);
    check(typed_sums<i8, i32>.program, s);
    check(typed_sums<u8, i32>.program, s);
    check(typed_sums<i64, i64>.program, s);
  }
}

TEST_CASE("mean, variance, logsumexp; blocked and gridded sums; reductions of the user's own") {
  for (const Extents& s : squares) {
    check(moments.program, s);
    check(blocked.program, s);
    check(grid_sums.program, s);
    check(custom.program, s);
  }
}
