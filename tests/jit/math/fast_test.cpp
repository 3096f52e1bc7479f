// Tests the functions of fast numerics: within 4 ulp on samples of all floats, in the long suite on every float.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "tests/jit/math/ulp.hpp"
#include "tests/support/skip.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

// Everything below is compiled for AVX2, and run only where the processor has it.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#include "jit/math/fast.hpp"
#include "tests/jit/math/vector_builder.hpp"

using namespace tessera_test;
namespace fast = tessera::jit::math::fast;

namespace {

/// The largest error of `run` in ulp over every `stride`-th float whose size is below `limit`, of both signs or of the
/// positive ones alone, against `reference` in double.
template <class Run, class Reference>
double worst(std::uint64_t stride, double limit, bool positive, Run run, Reference reference) {
  double most = 0;
  const std::uint64_t end = positive ? 0x80000000 : 0x100000000;
  for (std::uint64_t start = 0; start < end; start += 8 * stride) {
    alignas(32) float x[8], y[8];
    bool any = false;
    for (std::uint64_t k = 0; k < 8; ++k) {
      x[k] = std::bit_cast<float>(static_cast<std::uint32_t>(start + k * stride));
      if (!(std::fabs(x[k]) <= limit)) x[k] = 1;
      any = any || x[k] != 1;
    }
    if (!any) continue;
    run(x, y);
    for (int k = 0; k < 8; ++k) {
      const double want = reference(static_cast<double>(x[k]));
      if (static_cast<float>(want) != y[k]) most = std::max(most, ulp_error(y[k], want));
    }
  }
  return most;
}

template <bool Fma, class F>
auto of(F function) {
  return [function](const float* x, float* y) {
    VectorBuilder<Fma> b;
    _mm256_store_ps(y, function(b, _mm256_load_ps(x)));
  };
}
#define TESSERA_FAST(function) [](auto& b, auto x) { return fast::function(b, x); }

void check(std::uint64_t stride) {
  const double all = std::numeric_limits<double>::infinity();
  const double near = std::nextafter(static_cast<float>(fast::trigonometry_limit), 0.0F);
  const auto report = [](const std::string& name, double error) {
    MESSAGE("fast " << name << " f32: at most " << error << " ulp");
    CHECK_MESSAGE(error <= 4, name);
  };
  const auto root = [](double x) { return 1 / std::sqrt(x); };
  const auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
  report("rsqrt", worst(stride, all, true, of<true>(TESSERA_FAST(rsqrt)), root));
  report("sigmoid", worst(stride, all, false, of<true>(TESSERA_FAST(sigmoid)), logistic));
  report("sigmoid, no FMA,", worst(stride, all, false, of<false>(TESSERA_FAST(sigmoid)), logistic));
  report("sin", worst(stride, near, true, of<true>(TESSERA_FAST(sin)), [](double x) { return std::sin(x); }));
  report("cos", worst(stride, near, true, of<true>(TESSERA_FAST(cos)), [](double x) { return std::cos(x); }));
  report("tan", worst(stride, near, true, of<true>(TESSERA_FAST(tan)), [](double x) { return std::tan(x); }));
}

/// Lanes in which sin, cos and tan of −x are not what those of x demand, of both zeros too.
int lanes_off() {
  std::mt19937 random(5);
  int off = 0;
  for (int i = 0; i < 20000; ++i) {
    alignas(32) float x[8], y[8];
    for (int k = 0; k < 8; k += 2) {
      x[k] = i == 0 ? 0.0F : std::ldexp(static_cast<float>(random() % 10000), -static_cast<int>(random() % 40));
      x[k + 1] = -x[k];
    }
    const auto count = [&](auto run, std::uint32_t sign) {
      run(x, y);
      for (int k = 0; k < 8; k += 2)
        off += std::fabs(x[k]) < fast::trigonometry_limit &&
               (std::bit_cast<std::uint32_t>(y[k]) ^ sign) != std::bit_cast<std::uint32_t>(y[k + 1]);
    };
    count(of<true>(TESSERA_FAST(sin)), 0x80000000U);
    count(of<true>(TESSERA_FAST(cos)), 0);
    count(of<true>(TESSERA_FAST(tan)), 0x80000000U);
  }
  return off;
}

bool can_run() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

}  // namespace

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

TEST_CASE("fast f32 functions are within four ulp, sampled") {
  if (!can_run()) TESSERA_SKIP("the processor has no AVX2 with FMA");
  check(1021);
}

TEST_CASE("fast f32 functions are within four ulp, every float" * doctest::test_suite("long")) {
  if (!can_run()) TESSERA_SKIP("the processor has no AVX2 with FMA");
  check(1);
}

TEST_CASE("fast sin, cos and tan are odd, even and odd, and keep the sign of zero") {
  if (!can_run()) TESSERA_SKIP("the processor has no AVX2 with FMA");
  CHECK(lanes_off() == 0);
}
#else
TEST_CASE("fast f32 functions are within four ulp, sampled") { TESSERA_SKIP("written for AVX2"); }
#endif
