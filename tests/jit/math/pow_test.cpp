// Tests of pow: the special cases of IEEE 754, f32 against double, f64 against MPFR.
#include "jit/math/pow.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

#include "tests/jit/math/scalar_builder.hpp"
#include "tests/jit/math/ulp.hpp"
#include "tests/support/skip.hpp"

#if TESSERA_TEST_MPFR
#include "tests/jit/math/ulp_wide.hpp"
#endif

using namespace tessera_test;
namespace math = tessera::jit::math;

namespace {

template <class Float>
Float power(Float x, Float y, bool has_fma) {
  ScalarBuilder<Float> b(has_fma);
  return b.get(math::pow(b, b.real(x), b.real(y)));
}

/// Every pair of unusual numbers, against the C library, whose special cases are IEEE 754's.
template <class Float>
void special_pairs(bool has_fma) {
  using Limits = std::numeric_limits<Float>;
  const Float inf = Limits::infinity();
  const Float values[] = {0,
                          1,
                          2,
                          3,
                          Float(0.5),
                          Float(1.5),
                          4,
                          10,
                          11,
                          16777215,
                          16777216,
                          Float(2147483647),
                          Limits::max(),
                          Limits::min(),
                          Limits::denorm_min(),
                          inf,
                          Limits::quiet_NaN(),
                          1 - Limits::epsilon() / 2,
                          1 + Limits::epsilon()};
  for (Float a : values)
    for (Float c : values)
      for (int signs = 0; signs < 4; ++signs) {
        const Float x = (signs & 1) != 0 ? -a : a, y = (signs & 2) != 0 ? -c : c;
        const Float want = std::pow(x, y), have = power(x, y, has_fma);
        bool same =
            (std::isnan(want) && std::isnan(have)) || (want == have && std::signbit(want) == std::signbit(have));
        // Numbers that are no limits may be one unit off.
        if (!same && std::isfinite(want) && want != 0 && want != 1 && std::signbit(want) == std::signbit(have))
          same = have == std::nextafter(want, inf) || have == std::nextafter(want, -inf);
        CHECK_MESSAGE(same, "pow(" << x << ", " << y << ") gives " << have << ", not " << want);
      }
}

/// splitmix64.
std::uint64_t next(std::uint64_t& state) {
  std::uint64_t z = state += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}
double unit(std::uint64_t& state) { return static_cast<double>(next(state) >> 11) * 0x1p-53; }

/// Pairs whose power is mostly neither 0 nor infinite; also bases close to 1 with large exponents.
template <class Float>
std::pair<Float, Float> arguments(std::uint64_t& state, int kind) {
  const double top = std::numeric_limits<Float>::max_exponent;
  switch (kind % 4) {
    case 0: {  // a result of any size from a base of any size
      const double l = (unit(state) * 2 - 1) * top, z = (unit(state) * 2 - 1) * top * 1.1;
      return {static_cast<Float>(std::exp2(l)), static_cast<Float>(z / l)};
    }
    case 1: {  // a base close to 1
      const auto x = static_cast<Float>(1 + (unit(state) - 0.5) * std::exp2(-20 * unit(state)));
      return {x, static_cast<Float>((unit(state) * 2 - 1) * top * 1.1 / std::log2(static_cast<double>(x)))};
    }
    case 2:
      return {static_cast<Float>(unit(state) * 20), static_cast<Float>((unit(state) - 0.5) * 40)};
    default:
      return {static_cast<Float>(-std::floor(unit(state) * 100)),
              static_cast<Float>(std::floor((unit(state) - 0.5) * 60))};
  }
}

void compare_f32(int samples) {
  for (bool has_fma : {true, false}) {
    std::uint64_t state = 7;
    double worst = 0;
    std::pair<float, float> at{};
    for (int k = 0; k < samples; ++k) {
      const auto [x, y] = arguments<float>(state, k);
      const double error = ulp_error(power(x, y, has_fma), std::pow(static_cast<double>(x), static_cast<double>(y)));
      if (error > worst) worst = error, at = {x, y};
    }
    MESSAGE("pow f32" << std::string(has_fma ? "" : ", no FMA") << ": at most " << worst << " ulp, at " << at.first
                      << ", " << at.second);
    CHECK(worst <= 1);
  }
}

#if TESSERA_TEST_MPFR
void compare_f64(int samples) {
  for (bool has_fma : {true, false}) {
    std::uint64_t state = 11;
    double worst = 0;
    std::pair<double, double> at{};
    Wide base, exponent, exact;
    for (int k = 0; k < samples; ++k) {
      const auto [x, y] = arguments<double>(state, k);
      mpfr_set_d(base.value, x, MPFR_RNDN);
      mpfr_set_d(exponent.value, y, MPFR_RNDN);
      mpfr_pow(exact.value, base.value, exponent.value, MPFR_RNDN);
      const double error = ulp_error_wide(power(x, y, has_fma), exact.value);
      if (error > worst) worst = error, at = {x, y};
    }
    MESSAGE("pow f64" << std::string(has_fma ? "" : ", no FMA") << ": at most " << worst << " ulp, at " << at.first
                      << ", " << at.second);
    CHECK(worst <= 1);
  }
}
#endif

}  // namespace

TEST_CASE("pow: special cases") {
  for (bool has_fma : {true, false}) {
    special_pairs<float>(has_fma);
    special_pairs<double>(has_fma);
  }
}

TEST_CASE("pow: operation counts") {
  for (bool has_fma : {true, false}) {
    ScalarBuilder<float> b(has_fma);
    math::pow(b, b.real(3), b.real(0.25F));
    ScalarBuilder<double> wide(has_fma);
    math::pow(wide, wide.real(3), wide.real(0.25));
    MESSAGE("pow: f32 " << b.operations() << ", f64 " << wide.operations()
                        << std::string(has_fma ? "" : " without FMA"));
    if (has_fma) CHECK(b.operations() <= 130);
  }
}

TEST_CASE("pow: f32 is within one ulp") { compare_f32(200000); }
// A hundred million pairs, asked for as every float of the other functions is, take minutes.
TEST_CASE("pow: f32 is within one ulp, many arguments" * doctest::test_suite("long")) {
  compare_f32(std::getenv("TESSERA_TEST_EVERY_FLOAT") != nullptr ? 100000000 : 5000000);
}
#if TESSERA_TEST_MPFR
TEST_CASE("pow: f64 is within one ulp") { compare_f64(20000); }
TEST_CASE("pow: f64 is within one ulp, 200,000 arguments" * doctest::test_suite("long")) { compare_f64(200000); }
#else
TEST_CASE("pow: f64 is within one ulp") { TESSERA_SKIP("MPFR is not here (Debian: libmpfr-dev)"); }
#endif
