// Owns tests of arithmetic in every element type, of casts, atomics and random numbers.
#include <tessera/tessera.hpp>

#include <algorithm>

#include "support.hpp"

namespace {

using namespace tessera;

inline constexpr Dim<"BN"> BN;

template <class T>
TESSERA_KERNEL(arithmetic)(Kernel k, In<T, "N"> a, In<T, "N"> b, Out<T, "N", "SEVEN"> c) {
  auto i = k.block<"N">(BN);
  c(i, 0) = a(i) + b(i);
  c(i, 1) = a(i) - b(i);
  c(i, 2) = a(i) * b(i);
  c(i, 3) = a(i) / b(i);
  c(i, 4) = max(a(i), b(i));
  c(i, 5) = where(a(i) < b(i), a(i), b(i));
  c(i, 6) = abs(a(i));
};
template <class T>
TESSERA_KERNEL(functions)(Kernel k, In<T, "N"> a, Out<T, "N", "SIX"> c) {
  auto i = k.block<"N">(BN);
  c(i, 0) = exp(a(i));
  c(i, 1) = sqrt(a(i));
  c(i, 2) = tanh(a(i));
  c(i, 3) = round(a(i));
  c(i, 4) = floor(a(i));
  c(i, 5) = erf(a(i));
};
TESSERA_KERNEL(casts)(Kernel k, In<f32, "N"> a, Out<i8, "N"> i, Out<u8, "N"> u, Out<e4m3, "N"> e, Out<f16, "N"> h,
                      Out<i32, "N"> bits, Out<i8, "N"> nearest) {
  auto n = k.block<"N">(BN);
  i(n) = cast<i8>(a(n));
  u(n) = cast<u8>(a(n));
  e(n) = cast<e4m3>(a(n));
  h(n) = cast<f16>(a(n));
  bits(n) = bitcast<i32>(a(n));
  nearest(n) = cast<i8>(a(n), Rounding::nearest_even, Saturation::overflow);
};
TESSERA_KERNEL(narrow)(Kernel k, In<i4, "N"> a, In<u4, "N"> b, Out<i4, "N"> sum, Out<i8, "N"> product) {
  auto n = k.block<"N">(BN);
  sum(n) = a(n) + cast<i4>(b(n));
  product(n) = cast<i8>(a(n)) * cast<i8>(b(n));
};
TESSERA_KERNEL(numbers)(Kernel k, In<f32, "N"> a, In<f32, "N"> b, Out<f32, "N"> high, Out<f32, "N"> low,
                        Out<f32, "N"> number, Out<f32, "N"> rest) {
  auto n = k.block<"N">(BN);
  high(n) = max(a(n), b(n));
  low(n) = min(a(n), b(n));
  number(n) = max_number(a(n), b(n));
  rest(n) = a(n) % b(n);
};
TESSERA_KERNEL(atomics)(Kernel k, In<i32, "N"> to, In<i32, "N"> x, InOut<i32, "M"> low, InOut<i32, "M"> high,
                        InOut<i32, "M"> bits, InOut<i32, "M"> sum) {
  auto n = k.block<"N">(BN);
  atomic_min(low(to(n)), x(n));
  atomic_max(high(to(n)), x(n));
  atomic_or(bits(to(n)), x(n));
  atomic_add(sum(to(n)), x(n));
};
TESSERA_KERNEL(swaps)(Kernel k, InOut<i32, "N"> x, Out<i32, "N"> old, Out<i32, "N"> seen) {
  auto n = k.block<"N">(BN);
  old(n) = atomic_exchange(x(n), 7);
  seen(n) = atomic_compare_exchange(x(n), 7, cast<i32>(n));
};
TESSERA_KERNEL(chances)(Kernel k, Scalar<u64> seed, Out<f32, "N"> u, Out<f64, "N"> d, Out<f32, "N"> g,
                        Out<i32, "N"> die) {
  auto n = k.block<"N">(BN);
  u(n) = uniform<f32>(seed, n);
  d(n) = uniform<f64>(seed, n);
  g(n) = normal<f32>(seed, n);
  die(n) = randint<i32>(seed, n, 1, 7);
};
TESSERA_KERNEL(accumulators)(Kernel k, In<f16, "N"> x, In<i8, "N"> y, Out<f32> f, Out<f64> d, Out<i32> i,
                             Out<f32> square) {
  auto n = k.all<"N">();
  f() = sum<"N">(x(n));
  d() = sum<f64, "N">(x(n));
  i() = dot(y(n), y(n));
  square() = dot(x(n), x(n));
};

template <class T>
void check_arithmetic(const tessera::ir::Program& program, double scale) {
  using namespace interpret_test;
  Numbers r;
  const std::int64_t n = 500;
  const std::vector<T> a = r.reals<T>(n, -scale, scale), b = r.reals<T>(n, -scale, scale);
  const auto pack = [](const std::vector<T>& v) {  // types below a byte lie packed in arrays
    std::vector<unsigned char> bytes(packed_bytes(dtype_of<T>, v.size()));
    for (std::size_t i = 0; i < v.size(); ++i) store_packed(dtype_of<T>, bytes.data(), i, element_bits(v[i]));
    return bytes;
  };
  auto pa = pack(a), pb = pack(b), pc = pack(std::vector<T>(at(n * 7)));
  REQUIRE_OK(run(program, {array(pa, {n}), array(pb, {n}), array(pc, {n, 7})}, {64}));
  for (std::int64_t i = 0; i < n; ++i) {
    T p[7];
    for (std::size_t k = 0; k < 7; ++k) p[k] = element_from_bits<T>(load_packed(dtype_of<T>, pc.data(), at(7 * i) + k));
    // Every type here has at most half the bits of f64, so f64 and one rounding is the right result.
    const double x = as_double(a[at(i)]), y = as_double(b[at(i)]);
    const auto same = [](T got, double want) {
      return element_bits(got) == element_bits(T(want)) || (as_double(got) == 0 && as_double(T(want)) == 0) ||
             (std::isnan(as_double(got)) && std::isnan(want));
    };
    CHECK(same(p[0], x + y));
    CHECK(same(p[1], x - y));
    CHECK(same(p[2], x * y));
    CHECK(same(p[3], x / y));
    CHECK(same(p[4], std::max(x, y)));
    CHECK(same(p[5], std::min(x, y)));
    CHECK(same(p[6], std::fabs(x)));
  }
}

template <class T>
void check_functions(const tessera::ir::Program& program) {
  using namespace interpret_test;
  Numbers r;
  const std::int64_t n = 300;
  std::vector<T> a = r.reals<T>(n, 0, 6), c(at(n * 6));
  REQUIRE_OK(run(program, {array(a, {n}), array(c, {n, 6})}, {64}));
  for (std::int64_t i = 0; i < n; ++i) {
    const long double x = static_cast<long double>(as_double(a[at(i)]));
    const long double want[] = {std::exp(x), std::sqrt(x), std::tanh(x), std::nearbyint(x), std::floor(x), std::erf(x)};
    for (std::size_t k = 0; k < 6; ++k) {
      const T rounded = T(static_cast<double>(want[k]));
      CHECK(element_bits(c[at(6 * i) + k]) == element_bits(rounded));
    }
  }
}

}  // namespace

using namespace interpret_test;

TEST_CASE("arithmetic is exact in every float type") {
  check_arithmetic<float>(arithmetic<f32>.program, 1e3);
  check_arithmetic<f16>(arithmetic<f16>.program, 300);
  check_arithmetic<bf16>(arithmetic<bf16>.program, 1e9);
  check_arithmetic<e4m3>(arithmetic<e4m3>.program, 30);
  check_arithmetic<e5m2>(arithmetic<e5m2>.program, 300);
  check_arithmetic<e2m3>(arithmetic<e2m3>.program, 7);
  check_arithmetic<e3m2>(arithmetic<e3m2>.program, 20);
}

TEST_CASE("functions are rounded once") {
  check_functions<float>(functions<f32>.program);
  check_functions<double>(functions<f64>.program);
  check_functions<f16>(functions<f16>.program);
  check_functions<bf16>(functions<bf16>.program);
}

TEST_CASE("casts: truncation, saturation, NaN; bits") {
  std::vector<float> a{1.9f, -1.9f, 300, -300, NAN, 2.5f, 1e9f, -0.f, 0.07f};
  const auto n = static_cast<std::int64_t>(a.size());
  std::vector<std::int8_t> i(a.size()), nearest(a.size());
  std::vector<std::uint8_t> u(a.size());
  std::vector<e4m3> e(a.size());
  std::vector<f16> h(a.size());
  std::vector<std::int32_t> bits(a.size());
  REQUIRE_OK(run(casts.program,
                 {array(a, {n}), array(i, {n}), array(u, {n}), array(e, {n}), array(h, {n}), array(bits, {n}),
                  array(nearest, {n})},
                 {4}));
  check_equal(i, std::vector<int>{1, -1, 127, -128, 0, 2, 127, 0, 0});
  check_equal(u, std::vector<int>{1, 0, 255, 0, 0, 2, 255, 0, 0});
  check_equal(nearest, std::vector<int>{2, -2, 44, -44, 0, 2, 0, 0, 0});
  CHECK(as_double(e[2]) == 288);
  CHECK(as_double(e[6]) == 448);
  CHECK(std::isnan(as_double(e[4])));
  CHECK(as_double(h[6]) == INFINITY);
  CHECK(bits[5] == 0x40200000);
  CHECK(bits[7] == INT32_MIN);
}

TEST_CASE("packed integers of four bits") {
  Numbers r;
  const std::int64_t n = 11;
  auto a = r.wholes<std::uint8_t>(6, 0, 255), b = r.wholes<std::uint8_t>(6, 0, 255);
  std::vector<std::uint8_t> sum(6, 0xff);
  std::vector<std::int8_t> product(at(n));
  const Report report = run(narrow.program, {array(a, {n}), array(b, {n}), array(sum, {n}), array(product, {n})}, {4});
  std::size_t overflows = 0;
  const auto nibble = [](const std::vector<std::uint8_t>& v, std::int64_t i) {
    return v[at(i / 2)] >> (i % 2 * 4) & 15;
  };
  const auto extend = [](int x) { return (x & 15) >= 8 ? (x & 15) - 16 : x & 15; };
  for (std::int64_t i = 0; i < n; ++i) {
    const int x = extend(nibble(a, i)), y = nibble(b, i);
    CHECK(nibble(sum, i) == ((x + y) & 15));
    overflows += x + extend(y) > 7 || x + extend(y) < -8;
    CHECK(int(product[at(i)]) == x * y);
  }
  CHECK(report.finding_count == overflows);
  CHECK((sum[5] >> 4) == 15);  // the nibble beyond the end keeps its content
}

TEST_CASE("max and min propagate NaN, numbers are preferred by name, % rounds down") {
  std::vector<float> a{1, NAN, 2, -5.5f, 5.5f, -6}, b{2, 1, NAN, 2, -2, 2}, high(6), low(6), number(6), rest(6);
  REQUIRE_OK(run(
      numbers.program,
      {array(a, {6}), array(b, {6}), array(high, {6}), array(low, {6}), array(number, {6}), array(rest, {6})}, {4}));
  CHECK(high[0] == 2);
  CHECK(low[0] == 1);
  CHECK(std::isnan(high[1]));
  CHECK(std::isnan(high[2]));
  CHECK(std::isnan(low[1]));
  CHECK(number[1] == 1);
  CHECK(number[2] == 2);
  CHECK(rest[3] == 0.5f);
  CHECK(rest[4] == -0.5f);
  CHECK(rest[5] == 0);
}

TEST_CASE("atomics") {
  Numbers r;
  const std::int64_t n = 50, m = 4;
  auto to = r.wholes<std::int32_t>(n, 0, m - 1), x = r.wholes<std::int32_t>(n, -100, 100);
  std::vector<std::int32_t> low(4, 1000), high(4, -1000), bits(4, 0), sum(4, 5), l = low, h = high, o = bits, s = sum;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto t = at(to[at(i)]);
    l[t] = std::min(l[t], x[at(i)]);
    h[t] = std::max(h[t], x[at(i)]);
    o[t] |= x[at(i)];
    s[t] += x[at(i)];
  }
  REQUIRE_OK(run(atomics.program,
                 {array(to, {n}), array(x, {n}), array(low, {m}), array(high, {m}), array(bits, {m}), array(sum, {m})},
                 {8}));
  check_equal(low, l);
  check_equal(high, h);
  check_equal(bits, o);
  check_equal(sum, s);
  std::vector<std::int32_t> y{1, 2, 3}, old(3), seen(3);
  REQUIRE_OK(run(swaps.program, {array(y, {3}), array(old, {3}), array(seen, {3})}, {2}));
  check_equal(old, std::vector<int>{1, 2, 3});
  check_equal(seen, std::vector<int>{7, 7, 7});
  check_equal(y, std::vector<int>{0, 1, 2});
}

TEST_CASE("random numbers: ranges, moments, the same for every tiling") {
  const std::int64_t n = 4000;
  std::vector<float> u(at(n)), g(at(n)), u2(at(n)), g2(at(n));
  std::vector<double> d(at(n)), d2(at(n));
  std::vector<std::int32_t> die(at(n)), die2(at(n));
  const std::uint64_t seed = 42;
  REQUIRE_OK(run(chances.program, {scalar(seed), array(u, {n}), array(d, {n}), array(g, {n}), array(die, {n})}, {64}));
  REQUIRE_OK(
      run(chances.program, {scalar(seed), array(u2, {n}), array(d2, {n}), array(g2, {n}), array(die2, {n})}, {1000}));
  check_equal(u, u2);
  check_equal(d, d2);
  check_equal(g, g2);
  check_equal(die, die2);
  double mean = 0, mean_g = 0, var_g = 0;
  int counts[8] = {};
  for (std::int64_t i = 0; i < n; ++i) {
    CHECK((u[at(i)] >= 0 && u[at(i)] < 1 && d[at(i)] >= 0 && d[at(i)] < 1));
    REQUIRE((die[at(i)] >= 1 && die[at(i)] < 7));
    ++counts[die[at(i)]];
    mean += u[at(i)] / double(n);
    mean_g += g[at(i)] / double(n);
    var_g += double(g[at(i)]) * g[at(i)] / double(n);
  }
  CHECK(mean == doctest::Approx(0.5).epsilon(0.05));
  CHECK(std::fabs(mean_g) < 0.1);
  CHECK(var_g == doctest::Approx(1).epsilon(0.1));
  for (int i = 1; i < 7; ++i) CHECK(counts[i] > n / 8);
}

TEST_CASE("sums accumulate in the wider type") {
  const std::int64_t n = 5000;
  std::vector<f16> x(at(n), f16(1.f));
  std::vector<std::int8_t> y(at(n), 100);
  std::vector<float> f(1), square(1);
  std::vector<double> d(1);
  std::vector<std::int32_t> i(1);
  REQUIRE_OK(run(accumulators.program,
                 {array(x, {n}), array(y, {n}), array(f, {}), array(d, {}), array(i, {}), array(square, {})}));
  CHECK(f[0] == 5000);  // f16 alone would stay at 2048
  CHECK(d[0] == 5000);
  CHECK(i[0] == 50000000);
  CHECK(square[0] == 5000);
}
