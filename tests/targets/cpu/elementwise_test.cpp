// Tests elementwise programs on a CPU: broadcasting, arithmetic of every type, functions, casts, masks, random numbers.
#include <tessera/tessera.hpp>

#include <cmath>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(broadcasts)(Kernel k, In<f32, "A"> x, In<f32, "B"> y, In<f32, "C"> z, In<f32, "A", "B"> xy,
                           In<f32, "B", "C"> yz, In<f32, "A", "C"> xz, In<f32, "C", "A"> zx, Out<f32, "A", "B", "C"> u,
                           Out<f32, "C", "A", "B"> v) {
  auto a = k.block<"A">(BM), b = k.block<"B">(BN);
  auto c = k.all<"C">();
  auto w = x(a) * yz(b, c) + y(b) * xz(a, c) + z(c) * xy(a, b) - zx(c, a);
  u(a, b, c) = w;
  v(c, a, b) = w * 2 + x(a);
};
TESSERA_KERNEL(transposes)(Kernel k, In<f32, "M", "N"> x, Out<f32, "N", "M"> y, Out<f32, "M", "N"> z) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  y(n, m) = x(m, n);
  z(m, n) = x(m, n) + cast<f32>(m * 100 + n);
};
template <class T>
TESSERA_KERNEL(integers)(Kernel k, In<T, "N"> a, In<T, "N"> b, Out<T, "N", "TEN"> c) {
  auto i = k.block<"N">(BN);
  auto d = where(b(i) == 0, 3, b(i));
  c(i, 0) = a(i) + b(i);
  c(i, 1) = a(i) - b(i);
  c(i, 2) = a(i) * b(i);
  c(i, 3) = a(i) / d;
  c(i, 4) = a(i) % d;
  c(i, 5) = max(a(i), b(i));
  c(i, 6) = min(a(i), b(i));
  c(i, 7) = (a(i) & b(i)) | (a(i) ^ 5);
  c(i, 8) = where(a(i) < b(i), a(i), b(i));
  c(i, 9) = a(i) / 4 + a(i) % 4 + cdiv(a(i), d);
};
template <class T>
TESSERA_KERNEL(shifts)(Kernel k, In<T, "N"> a, In<T, "N"> b, Out<T, "N"> left, Out<T, "N"> right) {
  auto i = k.block<"N">(BN);
  left(i) = a(i) << b(i);
  right(i) = a(i) >> b(i);
};
TESSERA_KERNEL(functions)(Kernel k, In<f32, "N"> x, Out<f32, "F", "N"> y) {
  auto i = k.block<"N">(BN);
  auto v = x(i), p = abs(v) + 1e-3f;
  y(0, i) = exp(v);
  y(1, i) = exp2(v);
  y(2, i) = expm1(v);
  y(3, i) = log(p);
  y(4, i) = log2(p);
  y(5, i) = log1p(p);
  y(6, i) = sin(v);
  y(7, i) = cos(v);
  y(8, i) = tan(v);
  y(9, i) = tanh(v);
  y(10, i) = erf(v);
  y(11, i) = sigmoid(v);
  y(12, i) = sqrt(p);
  y(13, i) = rsqrt(p);
  y(14, i) = pow(p, v);
  y(15, i) = floor(v * 3) + ceil(v * 5) + trunc(v * 7) + round(v * 9);
  y(16, i) = gelu(v) + gelu_tanh(v) + silu(v) + relu(v);
  y(17, i) = clamp(v, -0.5f, 0.25f);
  y(18, i) = max_number(v, p) - min_number(v, p);
};
TESSERA_KERNEL(rounded_once)(Kernel k, In<f32, "N"> x, Out<f32, "N"> product, Out<f32, "N"> rest) {
  auto i = k.block<"N">(BN);
  product(i) = fma(x(i), x(i), abs(x(i)) + 1e-3f);
  rest(i) = x(i) % 0.3f;
};
template <class T>
TESSERA_KERNEL(remainders)(Kernel k, In<T, "N"> x, In<T, "N"> y, Out<T, "N"> rest) {
  auto i = k.block<"N">(BN);
  rest(i) = x(i) % y(i);
};
template <class T>
TESSERA_KERNEL(small_functions)(Kernel k, In<T, "N"> x, Out<T, "F", "N"> y) {
  auto i = k.block<"N">(BN);
  auto v = x(i);
  y(0, i) = exp(v);
  y(1, i) = tanh(v) * v + v;
  y(2, i) = sqrt(abs(v));
  y(3, i) = v / (abs(v) + 1);
  y(4, i) = gelu(v);
  y(5, i) = max(v, 0) - min(v, 0);
};
TESSERA_KERNEL(casts)(Kernel k, In<f32, "N"> x, In<i32, "N"> n, Out<i8, "N"> a, Out<u8, "N"> b, Out<i32, "N"> c,
                      Out<f16, "N"> d, Out<bf16, "N"> e, Out<e4m3, "N"> f, Out<e5m2, "N"> g, Out<i64, "N"> h,
                      Out<u8, "N"> wrap, Out<f16, "N"> small, Out<i16, "N"> near, Out<u32, "N"> bits) {
  auto i = k.block<"N">(BN);
  a(i) = cast<i8>(x(i));
  b(i) = cast<u8>(x(i));
  c(i) = cast<i32>(x(i));
  d(i) = cast<f16>(x(i));
  e(i) = cast<bf16>(x(i));
  f(i) = cast<e4m3>(x(i));
  g(i) = cast<e5m2>(x(i));
  h(i) = cast<i64>(x(i));
  wrap(i) = cast<u8>(n(i));
  small(i) = cast<f16>(n(i));
  near(i) = cast<i16>(x(i), Rounding::nearest_even);
  bits(i) = bitcast<u32>(x(i));
};
TESSERA_KERNEL(narrow)(Kernel k, In<i4, "N"> a, In<u4, "N"> b, In<fp4, "N"> c, In<fp8_e4m3, "N"> d, In<fp8_e5m2, "N"> e,
                       In<e8m0, "N"> s, Out<i4, "N"> sum, Out<i8, "N"> product, Out<f32, "N"> f, Out<f32, "N"> g,
                       Out<u4, "N"> w) {
  auto n = k.block<"N">(BN);
  sum(n) = a(n) + cast<i4>(b(n));
  product(n) = cast<i8>(a(n)) * cast<i8>(b(n));
  f(n) = scaled(c(n), s(n)) + cast<f32>(d(n));
  g(n) = cast<f32>(e(n)) * cast<f32>(a(n));
  w(n) = b(n) + b(n);
};
TESSERA_KERNEL(logic)(Kernel k, In<b8, "N"> a, In<b8, "N"> b, In<f32, "N"> x, Out<b8, "N"> c, Out<b8, "N"> d,
                      Out<i32, "N"> e, Out<f32, "N"> f) {
  auto i = k.block<"N">(BN);
  c(i) = (a(i) && !b(i)) || x(i) > 0.5f;
  d(i) = a(i) != b(i);
  e(i) = cast<i32>(a(i)) + cast<i32>(i % 3 == 1);
  f(i) = where(a(i) || i > 5, x(i), where(b(i), -x(i), 2));
};
TESSERA_KERNEL(chances)(Kernel k, Scalar<u64> seed, Out<f32, "N"> u, Out<f64, "N"> d, Out<f32, "N"> g,
                        Out<i32, "N"> die, Out<f16, "N"> h, Out<u8, "N"> byte) {
  auto n = k.block<"N">(BN);
  u(n) = uniform<f32>(seed, n);
  d(n) = uniform<f64>(seed, n);
  g(n) = normal<f32>(seed, n);
  die(n) = randint<i32>(seed, n, 1, 7);
  h(n) = uniform<f16>(seed, n * 3);
  byte(n) = randint<u8>(seed, n + 7);
};
TESSERA_KERNEL(gathers)(Kernel k, In<i32, "N"> to, In<f32, "M"> x, In<f16, "M"> y, Out<f32, "N"> a, Out<f16, "N"> b,
                        Out<f32, "N"> c, Out<f32, "N"> d, Out<f32, "N"> e) {
  auto n = k.block<"N">(BN);
  a(n) = x(to(n)).where(to(n) >= 0, -1);
  b(n) = y.pad(3)(to(n));
  c(n) = x.pad(9)(n * 2 - 3);
  d(n) = x.pad(0)(k.extent<"M">() - 1 - n);
  e(n) = x.pad(1)(n / 3) + x.pad(2)(n % 5);
};
TESSERA_KERNEL(masked_stores)(Kernel k, In<i32, "N"> to, In<f32, "N"> x, InOut<f32, "N"> y, InOut<f16, "N"> h,
                              InOut<f32, "M"> z) {
  auto n = k.block<"N">(BN);
  y(n).where(x(n) > 0) = x(n) * 2;
  h(n).where(to(n) > 2) = cast<f16>(x(n));
  z(to(n)).where(to(n) >= 0) = 1;
};

const std::int64_t lengths[] = {1, 7, 8, 37, 200};

void check(const ir::Program& p, const std::map<std::string, std::int64_t>& extents) {
  auto c = of(p, extents);
  CPU_CHECK(c);
  if (extents.size() > 1) {
    c.row_padding = 3;
    CPU_CHECK(c);
  }
}

/// Whole numbers of a type's full range, its ends among them.
double anywhere(std::int64_t i, double low, double high) {
  if (i % 11 == 0) return low;
  if (i % 11 == 1) return high;
  const double at = std::fmod(double(i) * 0.61803398875, 1.0);
  return std::floor(low + (high - low) * at);
}
template <class T>
void check_integers(double low, double high) {
  for (std::int64_t n : {9, 64}) {
    auto c = of(integers<T>.program, {{"N", n}, {"TEN", 10}});
    CPU_CHECK(c);
    if (high < 3e9 && low > -2e9) {  // no overflow of signed ones, which is an error in the interpreter
      c.data = {{"a", [=](std::int64_t i) { return anywhere(i, low / 16, high / 16); }}};
      if (high < 300) CPU_CHECK(c);
    }
  }
}

}  // namespace

TEST_CASE("broadcasting over every pair of axes, transposes") {
  check(broadcasts.program, {{"A", 1}, {"B", 1}, {"C", 1}});
  check(broadcasts.program, {{"A", 5}, {"B", 11}, {"C", 37}});
  check(broadcasts.program, {{"A", 33}, {"B", 2}, {"C", 3}});
  for (std::int64_t n : {1, 9, 40}) check(transposes.program, {{"M", n}, {"N", 19}});
}

TEST_CASE("integer arithmetic of each type") {
  check_integers<i8>(-128, 127);
  check_integers<u8>(0, 255);
  check_integers<i16>(-32768, 32767);
  check_integers<u16>(0, 65535);
  check_integers<i32>(-2147483648.0, 2147483647.0);
  check_integers<u32>(0, 4294967295.0);
  check_integers<i64>(-1e15, 1e15);
  check_integers<u64>(0, 1e15);
}

TEST_CASE("shifts by as much as the width and more") {
  for (std::int64_t n : {5, 40}) {
    auto c = of(shifts<u32>.program, {{"N", n}});
    c.data = {{"b", [](std::int64_t i) { return double(i % 40); }}};
    CPU_CHECK(c);
    c.program = &shifts<i32>.program;
    CPU_CHECK(c);
    c.program = &shifts<u8>.program;
    CPU_CHECK(c);
    c.program = &shifts<i64>.program;
    c.data = {{"b", [](std::int64_t i) { return double(i % 70); }}};
    CPU_CHECK(c);
  }
}

TEST_CASE("functions of f32, f16, bf16 and f64") {
  for (std::int64_t n : lengths) {
    auto c = of(functions.program, {{"N", n}, {"F", 19}});
    CPU_CHECK(c);
    c.data = {{"x", [](std::int64_t i) { return std::sin(double(i)) * 20; }}};
    CPU_CHECK(c);
    check(small_functions<f16>.program, {{"N", n}, {"F", 6}});
    check(small_functions<bf16>.program, {{"N", n}, {"F", 6}});
    check(small_functions<f64>.program, {{"N", n}, {"F", 6}});
  }
  auto c = of(functions.program, {{"N", 50}, {"F", 19}});
  const double odd[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e-40, -1e-45, 3e38, 100, -100};
  c.data = {{"x", [&](std::int64_t i) { return odd[i % 10]; }}};
  CPU_CHECK(c);
}

TEST_CASE("fma and float remainders are exact, without FMA instructions too") {
  auto c = of(rounded_once.program, {{"N", 200}});
  c.data = {{"x", [](std::int64_t i) { return std::sin(double(i)) * 20; }}};
  CPU_CHECK(c);
  for (const ir::Program* p : {&remainders<f32>.program, &remainders<f64>.program, &remainders<f16>.program}) {
    const double odd[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e-40, -1e-45, 3e38, 100, -100, 1e-20, -7e10, 0.7, -0.3};
    const std::size_t count = std::size(odd);
    auto m = of(*p, {{"N", static_cast<std::int64_t>(count * count)}});
    m.data = {{"x", [&](std::int64_t i) { return odd[static_cast<std::size_t>(i) % count]; }},
              {"y", [&](std::int64_t i) { return odd[static_cast<std::size_t>(i) / count]; }}};
    CPU_CHECK(m);
    m = of(*p, {{"N", 500}});  // quotients of every size, each vector with its own
    m.data = {{"x", [](std::int64_t i) { return std::sin(double(i)) * std::exp2(double(i / 16 * 2)); }},
              {"y", [](std::int64_t i) { return std::cos(double(i)); }}};
    CPU_CHECK(m);
  }
}

TEST_CASE("casts round, saturate and wrap") {
  for (std::int64_t n : {3, 40}) {
    auto c = of(casts.program, {{"N", n}});
    const double v[] = {0.5,      1.5,       -1.5,  2.5,   300, -300, 1e10, -1e10, NAN,
                        INFINITY, -INFINITY, 65519, 65520, 448, 465,  1e-9, -0.0};
    c.data = {{"x", [&](std::int64_t i) { return v[i % 17]; }},
              {"n", [](std::int64_t i) { return anywhere(i, -2147483648.0, 2147483647.0); }}};
    CPU_CHECK(c);
  }
}

TEST_CASE("elements of 8 bits and fewer") {
  for (std::int64_t n : lengths) {
    auto c = of(narrow.program, {{"N", n}});
    c.data = {{"s", [](std::int64_t i) { return std::ldexp(1.0, int(i % 5) - 2); }},
              {"a", [](std::int64_t i) { return double(i % 7) - 3; }},
              {"b", [](std::int64_t i) { return double(i % 4); }}};
    CPU_CHECK(c);
  }
}

TEST_CASE("logic, random numbers, gathers, masked loads and stores") {
  for (std::int64_t n : lengths) {
    check(logic.program, {{"N", n}});
    auto r = of(chances.program, {{"N", n}});
    r.scalars = {{"seed", 12345}};
    CPU_CHECK(r);
    auto c = of(gathers.program, {{"N", n}, {"M", 23}});
    c.data = {{"to", [](std::int64_t i) { return double(i * 5 % 29 - 3); }}};
    c.data["to"] = [](std::int64_t i) { return double(i * 5 % 26 - 3); };
    CPU_CHECK(c);
    c = of(masked_stores.program, {{"N", n}, {"M", 210}});
    c.data = {{"to", [](std::int64_t i) { return double(i % 3 == 0 ? -1 : i); }}};
    CPU_CHECK(c);
  }
}
