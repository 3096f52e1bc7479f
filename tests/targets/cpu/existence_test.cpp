// Tests on a CPU axes that are cut and then split, merged, joined or grown: lanes that do not exist in the middle of an
// axis, and values of which some lanes are not there.
#include <tessera/tessera.hpp>

#include <array>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

constexpr auto moments_of = [](auto x, auto y) {
  auto [n, mu, m2] = x;
  auto [p, nu, p2] = y;
  auto all = n + p, by = nu - mu, part = where(all > 0, p / where(all > 0, all, 1.f), 0.f);
  return std::array{all, mu + by * part, m2 + p2 + by * by * n * part};
};

// What does not exist reads as 0 and becomes infinite by 1 / x: nothing may see it.
TESSERA_KERNEL(split_reduced)
(Kernel k, In<f32, "M", "N"> x, In<f32, "W"> w, Out<f32, "M"> total, Out<f32, "M"> top, Out<f32, "M"> means,
 Out<i64, "M"> place, Out<f32, "M"> product, Out<b8, "M"> some, Out<f32, "M"> weighed) {
  auto m = k.block<"M">(3);
  auto e = k.lanes<"E">(6);
  auto s = split<"N", "A", "B">(1 / x(m, k.all<"N">()), 6);
  total(m) = sum<"A", "B">(s);
  top(m) = max<"A">(min<"B">(s));
  means(m) = sum<"A">(mean<"B">(s));
  place(m) = sum<"A">(argmax<"B">(s)) - 7 * sum<"B">(argmin<"A">(s));
  product(m) = sum<"A">(prod<"B">(s));
  some(m) = any<"A">(all<"B">(s > 0));
  auto onto = split<"N">(1 / x(m, k.all<"N">()), k.lanes<"G">(16), e);
  weighed(m) = sum<"G">(dot<"E">(onto, w(e)));
};
TESSERA_KERNEL(split_ordered)
(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> scanned, Out<f32, "M", "N"> sorted, Out<f32, "M", "K"> best,
 Out<i64, "M", "K"> place) {
  auto m = k.block<"M">(2);
  auto n = k.all<"N">(), c = k.all<"K">();
  auto s = split<"N", "A", "B">(1 / x(m, n), 5);
  scanned(m, n) = at<"F">(merge<"A", "B", "F">(cumsum<"A">(s) - cumprod<"B">(s)), n);
  sorted(m, n) = at<"F">(merge<"A", "B", "F">(sort<"A">(s)), n) +
                 2 * at<"F">(merge<"A", "B", "F">(sort<"B">(s, Order::descending)), n);
  auto [v, p] = topk<"B", "K">(s, c);
  best(m, c) = sum<"A">(where(v > -1000, v, 0.f));
  place(m, c) = sum<"A">(p);
};
// Pieces of a block of the grid and of a loop, onto blocks, and into memory.
TESSERA_KERNEL(split_stored)
(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y, Out<f32, "M", "N"> z, Out<f32> total, Out<i32, "B"> counts,
 InOut<f32, "M"> low) {
  auto m = k.block<"M">(3), n = k.block<"N">(16);
  auto g = k.lanes<"G">(3), e = k.lanes<"E">(6);
  auto s = split<"N">(x(m, n) * 2, g, e);
  y(m, split<"N">(n + 0, g, e)) += s;
  z(m, n) = at<"F">(merge<"G", "E", "F">(s * s), n - n.begin());
  total() += sum(s);
  counts(cast<i32>(abs(s)) % 5) += 1;
  Var v = s;
  for (auto i : k.range(0, 3)) v = v * 0.5f + s + cast<f32>(i);
  atomic_min(low(m), min<"G", "E">(v));
};
TESSERA_KERNEL(split_variable)
(Kernel k, In<f32, "M", "N"> x, In<i32, "C"> turns, Out<f32, "M"> total, Out<f32, "M"> top) {
  auto m = k.block<"M">(3);
  Var acc = k.zeros<f32>(m);
  Var high = k.full<f32>(-100, m);
  for (auto i : k.blocks<"N">(16)) {
    auto s = split<"N", "A", "B">(x(m, i), 6);
    Var v = s * 0;
    Var turn = turns(0);
    while (k.loop(turn > 0)) {
      v = v + s * 2 + 1;
      turn -= 1;
      if (auto odd = k.when(turn % 2 == 1)) v = v + 0.5f;
    }
    acc += sum<"A", "B">(v);
    high = max(high, max<"A", "B">(v - s));
  }
  total(m) = acc;
  top(m) = high;
};
// A pair of cut axes as one: what exists of it has holes.
TESSERA_KERNEL(merged)
(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y, Out<f32, "M", "N"> z, Out<f32, "A"> total, Out<i64, "A"> place,
 Out<f32, "A", "K"> best, Out<f32, "A"> spread) {
  auto a = k.index<"A">();
  auto m = k.span<"M">(4, a * 4, a * 4 + 4);
  auto c = k.all<"K">();
  Var sums = k.full<f32>(0);
  Var places = k.full<i64>(0);
  for (auto n : k.blocks<"N">(8)) {
    auto f = merge<"M", "N", "F">(1 / x(m, n));
    auto lane = (m - m.begin()) * 8 + (n - n.begin());
    y(m, n) = at<"F">(cumsum<"F">(f), lane) + sum<"F">(f) * max<"F">(f);
    z(m, n) = at<"F">(sort<"F">(f), lane) +
              at<"F">(associative_scan<"F">(f, 0.f, [](auto p, auto q) { return p + q; }), lane);
    sums += sum<"F">(f * f);
    places += argmax<"F">(f) + argmin<"F">(f);
  }
  total(a) = sums;
  place(a) = places;
  auto n = k.span<"N">(8, a, a + 5);
  auto f = merge<"M", "N", "F">(x(m, n));
  auto [v, p] = topk<"F", "K">(f, c);
  best(a, c) = where(v > -1000, v, 0.f) + cast<f32>(p);
  auto [count, mean_, square] = reduce<"F">({1.f, f, 0.f}, {0.f, 0.f, 0.f}, moments_of);
  spread(a) = square / max(count, 1) + mean_;
};
TESSERA_KERNEL(merged_dots)
(Kernel k, In<f32, "M", "N"> x, In<f32, "M", "N", "I"> p, In<f32, "N", "J"> q, In<i8, "N", "J"> r, Out<f32, "I", "J"> y,
 Out<f32, "I", "J"> z, Out<i32, "I", "J"> w) {
  auto i = k.block<"I">(16);
  auto j = k.all<"J">();
  Var sums = k.zeros<f32>(i, j);
  Var others = k.zeros<f32>(i, j);
  Var whole = k.zeros<i32>(i, j);
  for (auto m : k.blocks<"M">(3))
    for (auto n : k.blocks<"N">(8)) {
      sums += dot<"F">(merge<"M", "N", "F">(1 / x(m, n) + p(m, n, i)), merge<"M", "N", "F">(q(n, j) + x(m, n)));
      auto pieces = split<"N", "G", "E">(p(m, n, i), 3), ones = split<"N", "G", "E">(1 / q(n, j), 3);
      others += dot<"M", "G", "E">(pieces, ones + 0 * split<"N", "G", "E">(x(m, n), 3));
      whole += dot<"G", "E">(split<"N", "G", "E">(r(n, j), 3), split<"N", "G", "E">(cast<i8>(p(0, n, i) * 4), 3));
    }
  y(i, j) = sums;
  z(i, j) = others;
  w(i, j) = whole;
};
// The first of the joined is cut short, or begins late; the second has holes.
TESSERA_KERNEL(joined)
(Kernel k, In<f32, "M", "N"> x, In<f32, "M", "P"> y, Out<f32, "M"> total, Out<i64, "M"> place, Out<f32, "M", "N"> moved,
 Out<f32, "M"> later) {
  auto m = k.block<"M">(4);
  Var sums = k.zeros<f32>(m);
  Var places = k.zeros<i64>(m);
  Var late = k.zeros<f32>(m);
  for (auto n : k.blocks<"N">(8)) {
    auto wide = n.grow(2);
    auto p = k.all<"P">();
    auto c = join<"C">(as<"N", "C">(1 / x(m, n)), as<"P", "C">(1 / y(m, p)));
    auto d = join<"D">(as<"N", "D">(1 / x(m, wide)), as<"C", "D">(c));
    sums += sum<"D">(d) + max<"C">(c);
    places += argmax<"D">(d) + 3 * argmin<"C">(c);
    late += sum<"D">(cumsum<"D">(d));
    moved(m, n) = at<"D">(sort<"D">(d), n - n.begin() + 2);
  }
  total(m) = sums;
  place(m) = places;
  later(m) = late;
};
TESSERA_KERNEL(grown)
(Kernel k, In<f32, "N"> x, In<i64, "P+1"> from, Out<f32, "P"> total, Out<i64, "P"> count, Out<i64, "P"> first,
 Out<i64, "P"> place) {
  auto p = k.index<"P">();
  auto t = k.span<"N">(6, from(p), from(p + 1));
  auto wide = t.grow(2, 1);
  auto e = k.lanes<"E">(4);
  total(p) = sum<"N">(x(wide)) + sum<"E">(cast<f32>(e.grow(1)));
  count(p) = wide.count() + sum<"N">(cast<i64>(x(wide) == x(wide)));
  first(p) = wide.begin() * 100 + wide.end();
  place(p) = argmax<"N">(x(wide));
};
// Functions of reductions and scans with loops, variables and reductions of their own.
TESSERA_KERNEL(combined)
(Kernel k, In<f32, "M", "N"> x, In<i32, "C"> turns, Out<f32, "M"> y, Out<f32, "M", "N"> z, Out<f32, "M"> longest,
 Out<f32> last) {
  auto m = k.all<"M">(), n = k.all<"N">();
  y(m) = reduce<"N">(x(m, n), -inf, [&](auto a, auto b) {
    Var v = a;
    for (auto i : k.range(0, turns(0))) v = max(v, b - cast<f32>(i));
    return v;
  });
  z(m, n) = associative_scan<"N">(x(m, n), -inf, [](auto a, auto b) { return where(any<"M">(b > a), b, a); });
  auto s = split<"N", "A", "B">(x(m, n), 4);
  longest(m) =
      sum<"A">(reduce<"B">(s, 0.f, [](auto a, auto b) { return where(sum<"M">(abs(b)) > sum<"M">(abs(a)), b, a); }));
  last() = reduce<"N">(sum<"M">(x(m, n)), -inf, [&](auto a, auto b) {
    Var v = a;
    if (auto above = k.when(b > a)) v = b;
    return v;
  });
};
template <class T>
TESSERA_KERNEL(narrow_atomics)(Kernel k, In<i32, "N"> to, In<T, "N"> x, InOut<T, "C"> low, InOut<T, "C"> high,
                               InOut<T, "C"> swapped) {
  auto n = k.block<"N">(5);
  atomic_min(low(to(n)), x(n));
  atomic_max(high(to(n)), x(n));
  atomic_compare_exchange(swapped(to(n)), x(n), x(n));
};

void check(const ir::Program& p, const std::map<std::string, std::int64_t>& extents) {
  auto c = of(p, extents);
  CPU_CHECK(c);
}

const std::int64_t lengths[] = {1, 7, 37};

}  // namespace

TEST_CASE("a split whose last piece is cut short") {
  for (std::int64_t n : lengths) {
    check(split_reduced.program, {{"M", 5}, {"N", n}, {"W", 6}});
    check(split_ordered.program, {{"M", 5}, {"N", n}, {"K", 3}});
  }
  check(split_reduced.program, {{"M", 5}, {"N", 0}, {"W", 6}});
  check(split_ordered.program, {{"M", 0}, {"N", 7}, {"K", 3}});
}

TEST_CASE("pieces of blocks that are cut short, stored, added, and kept in variables") {
  for (std::int64_t n : lengths) {
    check(split_stored.program, {{"M", 5}, {"N", n}, {"B", 5}});
    auto c = of(split_variable.program, {{"M", 4}, {"N", n}, {"C", 1}});
    c.data = {{"turns", [](std::int64_t) { return 4.0; }}};
    CPU_CHECK(c);
  }
}

TEST_CASE("a pair of axes of which both are cut short, merged") {
  for (std::int64_t n : {0, 5, 19}) check(merged.program, {{"M", 7}, {"N", n}, {"A", 3}, {"K", 3}});
  for (std::int64_t n : {5, 19}) check(merged_dots.program, {{"M", 4}, {"N", n}, {"I", 21}, {"J", 18}});
}

TEST_CASE("joins after an axis that is cut short, and of joined axes") {
  for (std::int64_t n : lengths) check(joined.program, {{"M", 5}, {"N", n}, {"P", n / 7}});
}

TEST_CASE("halos of spans and of lanes") {
  auto c = of(grown.program, {{"N", 20}, {"P", 6}});
  const double from[] = {0, 4, 4, 13, 18, 25, 30};
  c.data = {{"from", [&](std::int64_t i) { return from[i]; }}};
  CPU_CHECK(c);
}

TEST_CASE("functions of combinations with loops, variables and reductions of their own") {
  for (std::int64_t n : {0, 9})
    for (std::int64_t m : {1, 19}) {
      auto c = of(combined.program, {{"M", m}, {"N", n}, {"C", 1}});
      c.data = {{"turns", [](std::int64_t) { return 3.0; }}};
      CPU_CHECK(c);
    }
}

TEST_CASE("atomics on elements of fewer than 8 bits") {
  for (std::int64_t n : {0, 1, 23}) {
    for (const ir::Program* p :
         {&narrow_atomics<i4>.program, &narrow_atomics<u4>.program, &narrow_atomics<e2m1>.program}) {
      auto c = of(*p, {{"N", n}, {"C", 7}});
      c.data = {{"to", [](std::int64_t i) { return double(i * 5 % 7); }}};
      CPU_CHECK(c);
    }
  }
}
