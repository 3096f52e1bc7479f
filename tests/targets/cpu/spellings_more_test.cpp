// Tests on a CPU kernels as users of other tools write them, in several spellings and at odd extents: pictures,
// distances, bits, solvers.
#include <tessera/tessera.hpp>

#include <cmath>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::Case;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(resize_bilinear)(Kernel k, In<f32, "H", "W", "C"> x, Out<f32, "OH", "OW", "C"> y) {
  auto oh = k.block<"OH">(4), ow = k.block<"OW">(BN);
  auto c = k.all<"C">();
  auto fy = (cast<f32>(oh) + 0.5f) * cast<f32>(k.extent<"H">()) / cast<f32>(k.extent<"OH">()) - 0.5f;
  auto fx = (cast<f32>(ow) + 0.5f) * cast<f32>(k.extent<"W">()) / cast<f32>(k.extent<"OW">()) - 0.5f;
  auto y0 = cast<i64>(floor(fy)), x0 = cast<i64>(floor(fx));
  auto row = [&](Tile i) { return clamp(i, 0, k.extent<"H">() - 1); };
  auto column = [&](Tile i) { return clamp(i, 0, k.extent<"W">() - 1); };
  auto ty = fy - floor(fy), tx = fx - floor(fx);
  auto top = x(row(y0), column(x0), c) * (1 - tx) + x(row(y0), column(x0 + 1), c) * tx;
  auto low = x(row(y0 + 1), column(x0), c) * (1 - tx) + x(row(y0 + 1), column(x0 + 1), c) * tx;
  y(oh, ow, c) = top * (1 - ty) + low * ty;
};
// A separable blur of bytes with a halo, subtracted from the picture: one tile is read, everything else is sliced.
TESSERA_KERNEL(unsharp)(Kernel k, In<u8, "H", "W"> x, Scalar<f32> amount, Out<u8, "H", "W"> y) {
  auto h = k.block<"H">(8), w = k.block<"W">(16);
  auto v = cast<f32>(x.pad(0)(h.grow(2), w.grow(2)));
  auto p = pad(v, 0);
  auto rows =
      (at<"H">(p, h - 2) + 4 * at<"H">(p, h - 1) + 6 * at<"H">(p, h) + 4 * at<"H">(p, h + 1) + at<"H">(p, h + 2)) / 16;
  auto q = pad(rows, 0);
  auto blur =
      (at<"W">(q, w - 2) + 4 * at<"W">(q, w - 1) + 6 * at<"W">(q, w) + 4 * at<"W">(q, w + 1) + at<"W">(q, w + 2)) / 16;
  auto mid = cast<f32>(x(h, w));
  y(h, w) = cast<u8>(round(clamp(mid + amount * (mid - blur), 0, 255)));
};
TESSERA_KERNEL(bilateral)(Kernel k, In<f32, "H", "W"> x, Scalar<f32> sharp, Out<f32, "H", "W"> y) {
  auto h = k.block<"H">(4), w = k.block<"W">(BN);
  auto p = k.lanes<"P">(5), q = k.lanes<"Q">(3);
  auto near = x.pad(0)(h + p - 2, w + q - 1);
  auto weight =
      exp(-sharp * (near - x(h, w)) * (near - x(h, w)) - 0.1f * cast<f32>((p - 2) * (p - 2) + (q - 1) * (q - 1)));
  y(h, w) = sum<"P", "Q">(weight * near) / sum<"P", "Q">(weight);
};
TESSERA_KERNEL(gray_to_bytes)(Kernel k, In<u8, "P", "C"> rgb, Out<u8, "P"> gray, Out<u16, "P"> packed) {
  auto p = k.block<"P">(BN);
  auto r = cast<i32>(rgb(p, 0)), g = cast<i32>(rgb(p, 1)), b = cast<i32>(rgb(p, 2));
  gray(p) = cast<u8>((77 * r + 150 * g + 29 * b + 128) >> 8);
  packed(p) = cast<u16>((r >> 3 << 11) | (g >> 2 << 5) | b >> 3);
};
// Distances that are no product.
TESSERA_KERNEL(distances)
(Kernel k, In<f32, "M", "D"> a, In<f32, "N", "D"> b, Out<f32, "M", "N"> city, Out<f32, "M", "N"> chess,
 Out<f32, "M", "N"> euclid, Out<i64, "M"> nearest) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto d = k.all<"D">();
  auto gap = a(m, d) - b(n, d);
  city(m, n) = sum<"D">(abs(gap));
  chess(m, n) = max<"D">(abs(gap));
  euclid(m, n) = sqrt(sum<"D">(gap * gap));
  nearest(m) = argmin<"N">(sum<"D">(abs(gap)));
};
TESSERA_KERNEL(complex_product)(Kernel k, In<f32, "N", "R"> a, In<f32, "N", "R"> b, Out<f32, "N", "R"> c) {
  k.expects(k.extent<"R">() == 2, "real and imaginary");
  auto n = k.block<"N">(BN);
  auto r = k.all<"R">();
  auto re = a(n, 0) * b(n, 0) - a(n, 1) * b(n, 1), im = a(n, 0) * b(n, 1) + a(n, 1) * b(n, 0);
  c(n, r) = where(r == 0, re, im);
};
// Forward substitution, a column of unknowns a lane.
TESSERA_KERNEL(solve_lower)(Kernel k, In<f64, "N", "N"> l, In<f64, "N", "R"> b, Out<f64, "N", "R"> x) {
  auto r = k.block<"R">(BN);
  auto n = k.all<"N">();
  Var v = b(n, r);
  for (auto i : k.range(0, k.extent<"N">())) {
    auto done = at<"N">(v, i) / l(i, i);
    at<"N">(v, i) = done;
    v = where(n > i, v - l(n, i) * done, v);
  }
  x(n, r) = v;
};
TESSERA_KERNEL(outer_products)
(Kernel k, In<f32, "I", "J"> a, In<f32, "P", "Q"> b, Out<f32, "I", "P", "J", "Q"> kron, Out<f32, "I", "I"> lower) {
  auto i = k.block<"I">(BM);
  auto j = k.all<"J">(), p = k.all<"P">(), q = k.all<"Q">();
  kron(i, p, j, q) = a(i, j) * b(p, q);
  auto o = as<"O">(k.all<"I">());
  lower(i, o) = where(o <= i, dot<"J">(a(i, j), a(o, j)), 0);
};
TESSERA_KERNEL(strides)
(Kernel k, In<f32, "N"> x, Out<f32, "N/2"> odd, Out<f32, "N/2"> even, Out<f32, "N"> back, Out<f32, "N"> rolled) {
  auto g = k.all<"N/2">();
  odd(g) = x.pad(0)(2 * g + 1);
  even(g) = x(2 * g) + x(g);
  auto n = k.all<"N">();
  back(n) = x(k.extent<"N">() - 1 - n);
  rolled(n) = x((n + 3) % max(k.extent<"N">(), 1));
};
TESSERA_KERNEL(bits)
(Kernel k, In<u32, "N"> x, Out<u32, "N"> mixed, Out<i32, "N"> ones, Out<u32, "N"> gray, Out<u8> parity) {
  auto n = k.all<"N">();
  auto v = x(n);
  auto h = (v ^ v >> 16) * 0x85ebca6bu;
  mixed(n) = (h ^ h >> 13) * 0xc2b2ae35u;
  auto e = k.lanes<"E">(32);
  ones(n) = sum<"E">(cast<i32>(v >> cast<u32>(e) & 1u));
  gray(n) = v ^ v >> 1;
  parity() = cast<u8>(sum<"N">(v & 1u) % 2u);
};
// Rows are picked by one list and added into places of another.
TESSERA_KERNEL(route)
(Kernel k, In<f32, "T", "K"> x, In<i32, "S"> from, In<i32, "S"> to, In<f32, "K", "N"> w, Out<f32, "T", "N"> y) {
  auto s = k.block<"S">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  y(to(s), n) += dot(x(from(s), i), w(i, n));
};
TESSERA_KERNEL(transposed_sums)
(Kernel k, In<f64, "M", "N"> x, Out<bf16, "N", "M"> y, Out<f32, "N"> columns, Out<f64> all_) {
  auto n = k.block<"N">(BN);
  auto m = k.all<"M">();
  y(n, m) = cast<bf16>(x(m, n));
  columns(n) = cast<f32>(sum<"M">(x(m, n)));
  all_() += sum(x(m, n));
};
// Horner's scheme over an axis that is a loop, and Newton's iteration until all lanes are done.
TESSERA_KERNEL(iterate)
(Kernel k, In<f64, "N"> x, In<f64, "P"> c, Out<f64, "N"> y, Out<f64, "N"> root, Out<i32, "N"> steps) {
  auto n = k.block<"N">(BN);
  Var p = k.zeros<f64>(n);
  for (auto i : k.range(0, k.extent<"P">())) p = p * x(n) + c(k.extent<"P">() - 1 - i);
  y(n) = p;
  auto v = abs(x(n)) + 1;
  Var r = v, count = k.zeros<i32>(n);
  while (k.loop(any(abs(r * r - v) > 1e-9 * v && count < 40))) {
    auto go = abs(r * r - v) > 1e-9 * v;
    r = where(go, 0.5 * (r + v / r), r);
    count += cast<i32>(go);
  }
  root(n) = r;
  steps(n) = count;
};

double small(std::int64_t i) { return double(i * 5 % 4); }
double pixel(std::int64_t i) { return double(i * 97 % 256); }
double triangle(std::int64_t i) { return i % 12 == 0 ? 3.0 + double(i % 5) : std::sin(double(i)) / 4; }

}  // namespace

TEST_CASE("spellings: pictures") {
  CPU_CHECK(of(resize_bilinear.program, {{"H", 7}, {"W", 9}, {"C", 3}, {"OH", 11}, {"OW", 20}}));
  CPU_CHECK(of(resize_bilinear.program, {{"H", 5}, {"W", 31}, {"C", 1}, {"OH", 2}, {"OW", 13}}));
  for (std::int64_t w : {1, 50}) {
    Case c = of(unsharp.program, {{"H", 9}, {"W", w}});
    c.data = {{"x", pixel}};
    c.scalars = {{"amount", 1.5}};
    CPU_CHECK(c);
    c = of(bilateral.program, {{"H", 6}, {"W", w}});
    c.scalars = {{"sharp", 2}};
    CPU_CHECK(c);
    c = of(gray_to_bytes.program, {{"P", w}, {"C", 3}});
    c.data = {{"rgb", pixel}};
    CPU_CHECK(c);
  }
}

TEST_CASE("spellings: distances, products, slices") {
  for (std::int64_t n : {1, 35}) {
    CPU_CHECK(of(distances.program, {{"M", 6}, {"N", n}, {"D", 5}}));
    CPU_CHECK(of(complex_product.program, {{"N", n}, {"R", 2}}));
    CPU_CHECK(of(outer_products.program, {{"I", 5}, {"J", n}, {"P", 3}, {"Q", 2}}));
    CPU_CHECK(of(strides.program, {{"N", n}}));
    CPU_CHECK(of(transposed_sums.program, {{"M", 13}, {"N", n}}));
    Case c = of(route.program, {{"T", 4}, {"S", n}, {"K", 9}, {"N", 18}});
    c.data = {{"from", small}, {"to", [](std::int64_t i) { return small(i + 1); }}};
    CPU_CHECK(c);
  }
}

TEST_CASE("spellings: solvers, iterations, bits") {
  for (std::int64_t n : {1, 34}) {
    Case c = of(solve_lower.program, {{"N", 11}, {"R", n}});
    c.data = {{"l", triangle}};
    CPU_CHECK(c);
    CPU_CHECK(of(iterate.program, {{"N", n}, {"P", 6}}));
    c = of(bits.program, {{"N", n}});
    c.data = {{"x", [](std::int64_t i) { return double(static_cast<std::uint32_t>(i * 2654435761)); }}};
    CPU_CHECK(c);
  }
}
