// Tests on a CPU what moves along axes: slices, windows, flips, scans, sorts, top-k, split, merge, join, inserts.
#include <tessera/tessera.hpp>

#include <cmath>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(window_1d)(Kernel k, In<f32, "N"> x, In<f32, "K"> w, Out<f32, "N"> y, Out<f32, "N"> z,
                          Out<f32, "N"> top) {
  auto n = k.block<"N">(BN);
  auto j = k.all<"K">();
  y(n) = sum<"K">(x.pad(0)(n + j - 2) * w(j));
  auto wide = x(n.grow(3));
  z(n) = at<"N">(pad(wide, 1), n - 3) + at<"N">(pad(wide, 1), n + 3) - at<"N">(wide, n);
  top(n) = max<"K">(x.pad(-inf)(n + j - 1));
};
TESSERA_KERNEL(window_2d)(Kernel k, In<f32, "H", "W"> x, In<f32, "P", "Q"> w, Out<f32, "H", "W"> y,
                          Out<f32, "H", "W"> z) {
  auto h = k.block<"H">(4), c = k.block<"W">(16);
  auto p = k.all<"P">(), q = k.all<"Q">();
  y(h, c) = sum<"P", "Q">(x.pad(0)(h + p - 1, c + q - 1) * w(p, q));
  Var acc = k.zeros<f32>(h, c);
  for (auto i : k.range(0, k.extent<"P">()))
    for (auto j : k.range(0, k.extent<"Q">())) acc += x.pad(0)(h + i - 1, c + j - 1) * w(i, j);
  z(h, c) = acc;
};
TESSERA_KERNEL(flips)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> a, Out<f32, "M", "N"> b, Out<f32, "N", "M"> c) {
  auto m = k.all<"M">(), n = k.all<"N">();
  auto v = x(m, n);
  a(m, n) = flip<"N">(v);
  b(m, n) = flip<"M">(v) + v;
  c(n, m) = at<"N">(v, k.extent<"N">() - 1 - n) * 2;
};
TESSERA_KERNEL(scans)(Kernel k, In<f32, "M", "N"> x, In<i32, "M", "N"> i, Out<f32, "M", "N"> a, Out<f32, "M", "N"> b,
                      Out<i32, "M", "N"> c, Out<f32, "M", "N"> d, Out<f32, "M", "N"> e, Out<f32, "M", "N"> f) {
  auto m = k.all<"M">(), n = k.all<"N">();
  a(m, n) = cumsum<"N">(x(m, n));
  b(m, n) = cumsum<"M">(x(m, n));
  c(m, n) = cumsum<"N">(i(m, n)) - cumsum<"M">(i(m, n));
  d(m, n) = cumprod<"N">(x(m, n));
  e(m, n) = associative_scan<"N">(x(m, n), -inf, [](auto p, auto q) { return max(p, q); });
  f(m, n) = associative_scan<"M">(x(m, n), inf, [](auto p, auto q) { return min(p, q); });
};
template <class T>
TESSERA_KERNEL(sorts)(Kernel k, In<T, "M", "N"> x, Out<T, "M", "N"> a, Out<T, "M", "N"> b, Out<T, "M", "K"> best,
                      Out<i64, "M", "K"> place) {
  auto m = k.block<"M">(4);
  auto n = k.all<"N">(), c = k.all<"K">();
  a(m, n) = sort<"N">(x(m, n));
  b(m, n) = sort<"N">(x(m, n), Order::descending);
  auto [v, p] = topk<"N", "K">(x(m, n), c);
  best(m, c) = v;
  place(m, c) = p;
};
TESSERA_KERNEL(sort_columns)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> a) {
  auto m = k.all<"M">();
  auto n = k.block<"N">(8);
  a(m, n) = sort<"M">(x(m, n) * 2);
};
TESSERA_KERNEL(pieces)(Kernel k, In<f32, "M", "L"> x, Out<f32, "M", "L"> y, Out<f32, "M", "L"> z, Out<f32> total) {
  auto m = k.block<"M">(4);
  auto l = k.lanes<"E">(24);
  auto v = x(m, l);
  auto s = split<"E", "A", "B">(v, 4);
  auto back = merge<"A", "B", "F">(s * 2);
  y(m, l) = at<"F">(back, l);
  z(m, l) = at<"A">(sum<"B">(s), l / 4);
  total() += sum(s);
};
TESSERA_KERNEL(joins)(Kernel k, In<f32, "M", "N"> x, In<f32, "M", "P"> y, Out<f32, "M"> total, Out<f32, "M"> top,
                      Out<i64, "M"> place) {
  auto m = k.block<"M">(4);
  auto both = join<"C">(as<"N", "C">(x(m, k.all<"N">())), as<"P", "C">(y(m, k.all<"P">())));
  total(m) = sum<"C">(both);
  top(m) = max<"C">(both);
  place(m) = argmax<"C">(both);
};
TESSERA_KERNEL(inserts)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.all<"N">();
  Var v = x(n);
  for (auto i : k.range(1, k.extent<"N">())) at<"N">(v, i) = at<"N">(v, i - 1) + at<"N">(v, i);
  y(n) = v;
};
TESSERA_KERNEL(renames)(Kernel k, In<f32, "N"> x, Out<f32, "N", "N"> y, Out<f32, "N"> z) {
  auto i = k.block<"N">(8);
  auto j = as<"J">(k.all<"N">());
  y(i, j) = x(i) - x(j);
  z(i) = sum<"J">(where(x(j) < x(i), 1.0f, 0.0f));
};

void check(const ir::Program& p, const std::map<std::string, std::int64_t>& extents) {
  auto c = of(p, extents);
  CPU_CHECK(c);
  c.row_padding = 3;
  CPU_CHECK(c);
}

const std::int64_t lengths[] = {1, 7, 16, 37};

}  // namespace

TEST_CASE("windows in one and two dimensions") {
  for (std::int64_t n : {1, 7, 40, 130}) check(window_1d.program, {{"N", n}, {"K", 5}});
  for (std::int64_t n : lengths) check(window_2d.program, {{"H", 9}, {"W", n}, {"P", 3}, {"Q", 3}});
}

TEST_CASE("flips, scans along each axis") {
  for (std::int64_t n : lengths)
    for (std::int64_t m : {1, 5, 18}) {
      check(flips.program, {{"M", m}, {"N", n}});
      check(scans.program, {{"M", m}, {"N", n}});
    }
}

TEST_CASE("sorts and top-k, ties and NaN among them") {
  for (std::int64_t n : lengths) {
    check(sorts<f32>.program, {{"M", 5}, {"N", n}, {"K", 3}});
    check(sorts<i16>.program, {{"M", 5}, {"N", n}, {"K", 9}});
    check(sort_columns.program, {{"M", n}, {"N", 11}});
    auto c = of(sorts<f32>.program, {{"M", 5}, {"N", n}, {"K", 4}});
    c.data = {{"x", [](std::int64_t i) { return i % 9 == 4 ? NAN : i % 6 == 1 ? -INFINITY : double(i % 4); }}};
    CPU_CHECK(c);
  }
}

TEST_CASE("split, merge, join, inserts, renames") {
  check(pieces.program, {{"M", 6}, {"L", 24}});
  for (std::int64_t n : lengths) {
    check(joins.program, {{"M", 5}, {"N", n}, {"P", 6}});
    check(inserts.program, {{"N", n}});
    check(renames.program, {{"N", n}});
  }
}
