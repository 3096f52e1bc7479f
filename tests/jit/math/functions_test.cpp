// Tests of the mathematical functions one lane at a time: operand kinds, special values, f64 against MPFR.
#include "tests/jit/math/functions.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/jit/math/scalar_builder.hpp"
#include "tests/support/skip.hpp"

#if TESSERA_TEST_MPFR
#include "tests/jit/math/ulp_wide.hpp"
#endif

using namespace tessera_test;
namespace math = tessera::jit::math;

namespace {

template <class Float>
using Run = Float (*)(ScalarBuilder<Float>&, Float);

template <class Float>
struct Function {
  std::string name;
  Run<Float> run;
};

template <class Float>
std::vector<Function<Float>> functions() {
  using B = ScalarBuilder<Float>;
  return {
#define TESSERA_ROW(name, reference, vector_name, odd) \
  {#name, [](B& b, Float x) { return b.get(math::name(b, b.real(x))); }},
      TESSERA_TEST_MATH(TESSERA_ROW)
#undef TESSERA_ROW
  };
}

/// Equal, counting NaN as equal to NaN and −0 as different from 0.
template <class Float>
bool same(Float a, Float b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

template <class Float>
void special_values(bool has_fma) {
  using Limits = std::numeric_limits<Float>;
  const Float inf = Limits::infinity(), nan = Limits::quiet_NaN(), tiny = Limits::denorm_min(), zero = 0;
  const Float low = Limits::lowest(), top = Limits::max(), one = 1;
  const Float last = 1 - Limits::epsilon() / 2;
  struct Row {
    const char* name;
    Float x, y;
  };
  const Row rows[] = {
      {"exp", nan, nan},
      {"exp", inf, inf},
      {"exp", -inf, 0},
      {"exp", zero, 1},
      {"exp", -zero, 1},
      {"exp", top, inf},
      {"exp", low, 0},
      {"exp", tiny, 1},
      {"exp", -tiny, 1},
      {"exp2", nan, nan},
      {"exp2", inf, inf},
      {"exp2", -inf, 0},
      {"exp2", zero, 1},
      {"exp2", 10, 1024},
      {"exp2", -3, 0.125},
      {"exp2", top, inf},
      {"exp2", low, 0},
      {"exp2", Limits::min_exponent - Limits::digits, tiny},
      {"expm1", nan, nan},
      {"expm1", inf, inf},
      {"expm1", -inf, -1},
      {"expm1", zero, 0},
      {"expm1", -zero, -zero},
      {"expm1", tiny, tiny},
      {"expm1", -tiny, -tiny},
      {"expm1", top, inf},
      {"expm1", low, -1},
      {"log", nan, nan},
      {"log", inf, inf},
      {"log", -inf, nan},
      {"log", zero, -inf},
      {"log", -zero, -inf},
      {"log", one, 0},
      {"log", -tiny, nan},
      {"log", -1, nan},
      {"log", low, nan},
      {"log2", nan, nan},
      {"log2", inf, inf},
      {"log2", -1, nan},
      {"log2", zero, -inf},
      {"log2", one, 0},
      {"log2", 1024, 10},
      {"log2", tiny, Limits::min_exponent - Limits::digits},
      {"log1p", nan, nan},
      {"log1p", inf, inf},
      {"log1p", -1, -inf},
      {"log1p", -2, nan},
      {"log1p", zero, 0},
      {"log1p", -zero, -zero},
      {"log1p", tiny, tiny},
      {"log1p", -tiny, -tiny},
      {"log1p", -inf, nan},
      {"tanh", nan, nan},
      {"tanh", inf, 1},
      {"tanh", -inf, -1},
      {"tanh", zero, 0},
      {"tanh", -zero, -zero},
      {"tanh", tiny, tiny},
      {"tanh", -tiny, -tiny},
      {"tanh", top, 1},
      {"tanh", low, -1},
      {"sigmoid", nan, nan},
      {"sigmoid", inf, 1},
      {"sigmoid", -inf, 0},
      {"sigmoid", zero, 0.5},
      {"sigmoid", low, 0},
      {"sigmoid", top, 1},
      {"sigmoid", -tiny, 0.5},
      {"erf", nan, nan},
      {"erf", inf, 1},
      {"erf", -inf, -1},
      {"erf", zero, 0},
      {"erf", -zero, -zero},
      {"erf", tiny, tiny},
      {"erf", -tiny, -tiny},
      {"erf", top, 1},
      {"erf", low, -1},
      {"rsqrt", nan, nan},
      {"rsqrt", inf, 0},
      {"rsqrt", zero, inf},
      {"rsqrt", -zero, -inf},
      {"rsqrt", -1, nan},
      {"rsqrt", 4, 0.5},
      {"rsqrt", -inf, nan},
      {"sin", nan, nan},
      {"sin", inf, nan},
      {"sin", -inf, nan},
      {"sin", zero, 0},
      {"sin", -zero, -zero},
      {"sin", tiny, tiny},
      {"sin", -tiny, -tiny},
      {"cos", nan, nan},
      {"cos", inf, nan},
      {"cos", -inf, nan},
      {"cos", zero, 1},
      {"cos", -zero, 1},
      {"cos", -tiny, 1},
      {"tan", nan, nan},
      {"tan", inf, nan},
      {"tan", -inf, nan},
      {"tan", zero, 0},
      {"tan", -zero, -zero},
      {"tan", tiny, tiny},
      {"tan", -tiny, -tiny},
  };
  const auto all = functions<Float>();
  for (const Row& row : rows) {
    bool found = false;
    for (const auto& f : all) {
      if (f.name != row.name) continue;
      found = true;
      ScalarBuilder<Float> b(has_fma);
      const Float y = f.run(b, row.x);
      CHECK_MESSAGE(same(y, row.y), row.name << "(" << row.x << ") gives " << y << ", not " << row.y);
    }
    CHECK_MESSAGE(found, row.name);
  }
  // Never beyond the range of the function, and monotone to the limit.
  for (const auto& f : all) {
    if (f.name != "tanh" && f.name != "erf" && f.name != "sigmoid") continue;
    for (Float x = Float(0.25); x < 60; x *= Float(1.0009765625)) {
      ScalarBuilder<Float> b(has_fma);
      const Float y = f.run(b, x);
      CHECK_MESSAGE((y <= 1 && (x < 3 || y >= Float(0.9))), f.name << " at " << x);
      if (x > 45) CHECK(y >= last);
    }
  }
}

}  // namespace

TEST_CASE("special values of the mathematical functions") {
  for (bool has_fma : {true, false}) {
    CAPTURE(has_fma);
    SUBCASE("f32") { special_values<float>(has_fma); }
    SUBCASE("f64") { special_values<double>(has_fma); }
  }
}

TEST_CASE("exp of non-positive numbers equals exp") {
  for (bool has_fma : {true, false}) {
    for (float x = -110; x <= 0; x += 0.0078125F) {
      ScalarBuilder<float> b(has_fma);
      CHECK(b.get(math::exp_nonpositive(b, b.real(x))) == b.get(math::exp(b, b.real(x))));
    }
    for (double x = -750; x <= 0; x += 0.0625) {
      ScalarBuilder<double> b(has_fma);
      CHECK(b.get(math::exp_nonpositive(b, b.real(x))) == b.get(math::exp(b, b.real(x))));
    }
    ScalarBuilder<float> b(has_fma);
    CHECK(std::isnan(b.get(math::exp_nonpositive(b, b.real(std::numeric_limits<float>::quiet_NaN())))));
    CHECK(b.get(math::exp_nonpositive(b, b.real(-std::numeric_limits<float>::infinity()))) == 0);
  }
}

TEST_CASE("operation counts stay within what docs/math.md says") {
  const auto count = [](auto run, bool has_fma) {
    ScalarBuilder<float> b(has_fma);
    run(b, 0.75F);
    return b.operations();
  };
  const auto nonpositive = [](ScalarBuilder<float>& b, float x) { return b.get(math::exp_nonpositive(b, b.real(x))); };
  CHECK(count(nonpositive, true) <= 13);
  for (const auto& f : functions<float>()) {
    ScalarBuilder<double> wide(true), wide_without(false);
    int f64 = 0, f64_without = 0;
    for (const auto& g : functions<double>())
      if (g.name == f.name) {
        g.run(wide, 0.75);
        g.run(wide_without, 0.75);
        f64 = wide.operations();
        f64_without = wide_without.operations();
      }
    MESSAGE(f.name << ": f32 " << count(f.run, true) << ", without FMA " << count(f.run, false) << "; f64 " << f64
                   << ", without FMA " << f64_without);
    if (f.name == "exp") CHECK(count(f.run, true) <= 18);
  }
}

#if TESSERA_TEST_MPFR
namespace {

using Exact = std::function<void(mpfr_t, const mpfr_t)>;

Exact exact_function(const std::string& name) {
  using Plain = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);
  const std::pair<const char*, Plain> plain[] = {
      {"exp", mpfr_exp},   {"exp2", mpfr_exp2},   {"expm1", mpfr_expm1}, {"log", mpfr_log},
      {"log2", mpfr_log2}, {"log1p", mpfr_log1p}, {"tanh", mpfr_tanh},   {"erf", mpfr_erf},
      {"sin", mpfr_sin},   {"cos", mpfr_cos},     {"tan", mpfr_tan},
  };
  for (const auto& [text, f] : plain)
    if (name == text) return [f = f](mpfr_t y, const mpfr_t x) { f(y, x, MPFR_RNDN); };
  if (name == "rsqrt")
    return [](mpfr_t y, const mpfr_t x) {
      // MPFR's own function takes −0 to +∞.
      mpfr_sqrt(y, x, MPFR_RNDN);
      mpfr_ui_div(y, 1, y, MPFR_RNDN);
    };
  if (name == "sigmoid")
    return [](mpfr_t y, const mpfr_t x) {
      mpfr_neg(y, x, MPFR_RNDN);
      mpfr_exp(y, y, MPFR_RNDN);
      mpfr_add_ui(y, y, 1, MPFR_RNDN);
      mpfr_ui_div(y, 1, y, MPFR_RNDN);
    };
  return {};
}

/// splitmix64: the same numbers on every machine.
struct Random {
  std::uint64_t state = 0x243F6A8885A308D3;
  std::uint64_t next() {
    std::uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
};

/// Arguments of all sizes: any bits, near 1, within where the functions change fast, at the limits of exp.
double argument(Random& random, int kind) {
  const std::uint64_t bits = random.next();
  switch (kind % 6) {
    case 0:
      return std::bit_cast<double>(bits);
    case 1:
      return 1 + (random.unit() - 0.5) * std::ldexp(1.0, -static_cast<int>(bits % 40));
    case 2:
      return (random.unit() - 0.5) * 16;
    case 3:
      return (random.unit() - 0.5) * 4;
    case 4:
      return (random.unit() - 0.5) * std::ldexp(1.0, static_cast<int>(bits % 44) - 30);
    default:
      return (random.unit() - 0.5) * 1500;
  }
}

void compare_f64(int samples) {
  for (bool has_fma : {true, false}) {
    for (const auto& f : functions<double>()) {
      const Exact exact = exact_function(f.name);
      REQUIRE_MESSAGE(exact, f.name);
      Random random;
      Wide x, y;
      double worst = 0, at = 0;
      for (int k = 0; k < samples; ++k) {
        // The first double is the one closest to a multiple of π/2, measured by its own last place.
        const double a = k == 0 ? 6381956970095103 * 0x1p797 : k == 1 ? 0x1p1023 : argument(random, k);
        ScalarBuilder<double> b(has_fma);
        const double have = f.run(b, a);
        mpfr_set_d(x.value, a, MPFR_RNDN);
        exact(y.value, x.value);
        const double error = ulp_error_wide(have, y.value);
        if (error > worst) worst = error, at = a;
      }
      MESSAGE(f.name << " f64" << std::string(has_fma ? "" : ", no FMA") << ": at most " << worst << " ulp, at " << at);
      CHECK_MESSAGE(worst <= 1,
                    f.name << " is " << worst << " ulp off at " << at << std::string(has_fma ? "" : ", no FMA"));
    }
  }
}

}  // namespace

TEST_CASE("f64 functions are within one ulp") { compare_f64(6000); }

TEST_CASE("f64 functions are within one ulp, 200,000 arguments" * doctest::test_suite("long")) { compare_f64(200000); }
#else
TEST_CASE("f64 functions are within one ulp") { TESSERA_SKIP("MPFR is not here (Debian: libmpfr-dev)"); }
#endif
