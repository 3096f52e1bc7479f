// Tests scans and custom reductions on a CPU: along and across contiguous axes, of each kind of element, of nothing.
#include <tessera/tessera.hpp>

#include <cmath>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

template <class T, class S = T>
TESSERA_KERNEL(running)(Kernel k, In<T, "M", "N"> x, Out<S, "M", "N"> along, Out<S, "M", "N"> down,
                        Out<S, "M", "N"> more) {
  auto m = k.all<"M">();
  auto n = k.all<"N">();
  along(m, n) = cumsum<"N">(x(m, n));
  down(m, n) = cumsum<"M">(x(m, n));
  more(m, n) = cumsum<"N">(x(m, n)) + cumsum<"M">(x(m, n));
};
template <class T>
TESSERA_KERNEL(products)(Kernel k, In<T, "M", "N"> x, Out<T, "M", "N"> along, Out<T, "M", "N"> down) {
  auto m = k.all<"M">();
  auto n = k.all<"N">();
  along(m, n) = cumprod<"N">(x(m, n));
  down(m, n) = cumprod<"M">(x(m, n));
};
TESSERA_KERNEL(carried)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y, InOut<f32, "M", "N"> z) {
  auto m = k.block<"M">(BM);
  Var carry = k.zeros<f32>(m);
  for (auto n : k.blocks<"N">(BN)) {
    y(m, n) = carry + cumsum<"N">(x(m, n));
    carry += sum<"N">(x(m, n));
    z(m, n) = cumsum<"N">(z(m, n));
  }
};
constexpr auto later_if_larger = [](auto a, auto b) { return where(b >= a, b, a); };
// Affine maps one after the other: associative, and the order counts.
constexpr auto then = [](auto f, auto g) {
  auto [a, b] = f;
  auto [c, d] = g;
  return std::array{c * a, c * b + d};
};
constexpr auto moments_of = [](auto x, auto y) {
  auto [n, mu, m2] = x;
  auto [p, nu, p2] = y;
  auto all = n + p, by = nu - mu, part = where(all > 0, p / where(all > 0, all, 1.f), 0.f);
  return std::array{all, mu + by * part, m2 + p2 + by * by * n * part};
};
template <class T>
TESSERA_KERNEL(largest_so_far)(Kernel k, In<T, "M", "N"> x, Out<T, "M", "N"> along, Out<T, "M", "N"> down,
                               Out<T, "M"> last, Out<T, "N"> lowest) {
  auto m = k.all<"M">();
  auto n = k.all<"N">();
  along(m, n) = associative_scan<"N">(x(m, n), -100, later_if_larger);
  down(m, n) = associative_scan<"M">(x(m, n), -100, later_if_larger);
  last(m) = reduce<"N">(x(m, n), -100, later_if_larger);
  lowest(n) = reduce<"M">(x(m, n), -100, later_if_larger);
};
TESSERA_KERNEL(maps)(Kernel k, In<f32, "M", "N"> p, In<f32, "M", "N"> q, Out<f32, "M", "N"> y, Out<f32, "M", "N"> z,
                     Out<f32, "M"> end, Out<f32, "N"> bottom) {
  auto m = k.all<"M">();
  auto n = k.all<"N">();
  auto [a, b] = associative_scan<"N">({p(m, n), q(m, n)}, {1.f, 0.f}, then);
  y(m, n) = b;
  auto [c, d] = reduce<"N">({p(m, n), q(m, n)}, {1.f, 0.f}, then);
  end(m) = d;
  auto [e, f] = associative_scan<"M">({p(m, n), q(m, n)}, {1.f, 0.f}, then);
  z(m, n) = f;
  auto [g, h] = reduce<"M">({p(m, n), q(m, n)}, {1.f, 0.f}, then);
  bottom(n) = h;
};
TESSERA_KERNEL(welford)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> mean_, Out<f32, "M"> var, Out<f32, "N"> down,
                        Out<i32, "M"> places) {
  auto m = k.all<"M">();
  auto n = k.all<"N">();
  auto [count, mu, m2] = reduce<"N">({1.f, x(m, n), 0.f}, {0.f, 0.f, 0.f}, moments_of);
  mean_(m) = mu;
  var(m) = m2 / max(count, 1.f);
  auto [count2, mu2, s2] = reduce<"M">({1.f, x(m, n), 0.f}, {0.f, 0.f, 0.f}, moments_of);
  down(n) = mu2 + s2;
  auto [best, where_] = reduce<"N">({x(m, n), cast<i32>(n)}, {-inf, -1}, [](auto a, auto b) {
    auto [p, i] = a;
    auto [q, j] = b;
    auto take = q > p;
    return std::array{where(take, q, p), where(take, j, i)};
  });
  places(m) = where_;
};

using Extents = std::map<std::string, std::int64_t>;
const Extents shapes[] = {{{"M", 1}, {"N", 1}},   {{"M", 3}, {"N", 0}},   {{"M", 0}, {"N", 5}},  {{"M", 2}, {"N", 7}},
                          {{"M", 9}, {"N", 8}},   {{"M", 33}, {"N", 9}},  {{"M", 5}, {"N", 31}}, {{"M", 8}, {"N", 33}},
                          {{"M", 40}, {"N", 65}}, {{"M", 2}, {"N", 1000}}};

void check(const ir::Program& p, const Extents& extents) {
  auto c = of(p, extents);
  c.row_padding = extents.at("M") % 2 ? 3 : 0;
  CPU_CHECK(c);
}
/// Small whole numbers, so that products stay finite.
double small(std::int64_t i) { return static_cast<double>(i % 5 - 2) / 2; }

}  // namespace

TEST_CASE("cumulative sums along each axis, alone and in what is computed of them") {
  for (const Extents& s : shapes) {
    check(running<f32>.program, s);
    check(running<i32>.program, s);
  }
  check(running<f64>.program, shapes[8]);
  check(running<i64>.program, shapes[8]);
  check(running<u8, i32>.program, shapes[9]);
  check(running<i16, i32>.program, shapes[8]);
  check(running<f16, f32>.program, shapes[8]);
}

TEST_CASE("cumulative products") {
  for (const Extents& s : {shapes[2], shapes[5], shapes[8]}) {
    auto c = of(products<f32>.program, s);
    c.data = {{"x", small}};
    CPU_CHECK(c);
    c.program = &products<f64>.program;
    CPU_CHECK(c);
  }
  auto c = of(products<i32>.program, shapes[7]);
  c.data = {{"x", [](std::int64_t i) { return i % 7 == 0 ? -1.0 : 1.0; }}};
  CPU_CHECK(c);
}

TEST_CASE("NaN and infinities spread only to what follows them") {
  auto c = of(running<f32>.program, {{"M", 11}, {"N", 43}});
  c.data = {{"x", [](std::int64_t i) {
               return i == 100 ? NAN : i % 97 == 31 ? INFINITY : i == 350 ? -INFINITY : 1.0;
             }}};
  CPU_CHECK(c);
  c.program = &largest_so_far<f32>.program;
  c.data = {{"x", [](std::int64_t i) { return i % 17 == 3 ? INFINITY : i % 5 == 0 ? -50.0 : double(i % 11); }}};
  CPU_CHECK(c);
}

TEST_CASE("scans carry on from block to block, and in place") {
  for (const Extents& s : shapes) {
    auto c = of(carried.program, s);
    c.tunables = {3, 24};
    CPU_CHECK(c);
  }
}

TEST_CASE("custom scans and reductions, in every element type") {
  for (const Extents& s : shapes) check(largest_so_far<f32>.program, s);
  check(largest_so_far<f64>.program, shapes[8]);
  check(largest_so_far<i8>.program, shapes[8]);
  check(largest_so_far<i16>.program, shapes[9]);
  check(largest_so_far<i64>.program, shapes[7]);
  check(largest_so_far<f16>.program, shapes[8]);
}

TEST_CASE("an operation that does not commute keeps its order") {
  for (const Extents& s : shapes) {
    auto c = of(maps.program, s);
    c.data = {{"p", small}, {"q", [](std::int64_t i) { return double(i % 7) - 3; }}};
    CPU_CHECK(c);
  }
}

TEST_CASE("Welford's moments and a custom argmax") {
  for (const Extents& s : shapes) check(welford.program, s);
  CHECK(cpu_test::compile_avx512(of(welford.program, shapes[9])).empty());
  CHECK(cpu_test::compile_avx512(of(running<f32>.program, shapes[9])).empty());
}
