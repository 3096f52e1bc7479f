// Tests of the f32 mathematical functions over samples of all floats, and in the long suite over every float.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "tests/jit/math/ulp.hpp"
#include "tests/support/skip.hpp"

#if defined(__x86_64__)
#include <dlfcn.h>
#include <immintrin.h>

// Everything below is compiled for AVX2, and run only where the processor has it.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#include "tests/jit/math/functions.hpp"
#include "tests/jit/math/vector_builder.hpp"

using namespace tessera_test;
namespace math = tessera::jit::math;

namespace {

using VectorFunction = __m256d (*)(__m256d);
using Run = void (*)(const float* x, float* y);  // eight lanes
using Reference = void (*)(const float* x, double* y);

/// The vector form of glibc's libm (within 4 ulp of double, a ten-thousand-millionth of one of f32), or nothing.
VectorFunction vector_reference(const char* name) {
  static void* library = dlopen("libmvec.so.1", RTLD_NOW);
  if (library == nullptr || *name == 0) return nullptr;
  return reinterpret_cast<VectorFunction>(dlsym(library, (std::string("_ZGVdN4v_") + name).c_str()));
}

struct Worst {
  double error = 0;
  float at = 0;
};

/// The largest errors of both runs over every `stride`-th float, of both signs or of the positive ones alone.
std::array<Worst, 2> sweep(const std::array<Run, 2>& runs, Reference reference, std::uint64_t stride, bool positive) {
  std::array<Worst, 2> worst;
  const std::uint64_t end = positive ? 0x7FC00000 : 0x100000000;
  for (std::uint64_t start = 0; start < end; start += 8 * stride) {
    if ((start & 0x7FFFFFFF) > 0x7F800000 + 8 * stride) continue;  // NaN
    alignas(32) float x[8], y[8];
    alignas(32) double want[8];
    for (std::uint64_t k = 0; k < 8; ++k) x[k] = std::bit_cast<float>(static_cast<std::uint32_t>(start + k * stride));
    reference(x, want);
    const __m256 nearest =
        _mm256_set_m128(_mm256_cvtpd_ps(_mm256_load_pd(want + 4)), _mm256_cvtpd_ps(_mm256_load_pd(want)));
    for (std::size_t run = 0; run < 2; ++run) {
      runs[run](x, y);
      // Most lanes are correctly rounded, or as good as that.
      auto differ = static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(_mm256_load_ps(y), nearest, _CMP_NEQ_UQ)));
      for (; differ != 0; differ &= differ - 1) {
        const int k = std::countr_zero(differ);
        const double error = ulp_error(y[k], want[k]);
        if (error > worst[run].error) worst[run] = {error, x[k]};
      }
    }
  }
  return worst;
}

/// Whether the results of x and −x differ by their sign alone.
bool is_odd(Run run) {
  for (std::uint64_t bits = 0; bits <= 0x7F800000; bits += 8 * 1009) {
    alignas(32) float x[8], negative[8], plus[8], minus[8];
    for (std::uint64_t k = 0; k < 8; ++k) {
      x[k] = std::bit_cast<float>(static_cast<std::uint32_t>(bits + k * 1009));
      negative[k] = -x[k];
    }
    run(x, plus);
    run(negative, minus);
    for (int k = 0; k < 8; ++k)
      if (!std::isnan(plus[k]) &&
          std::bit_cast<std::uint32_t>(minus[k]) != (std::bit_cast<std::uint32_t>(plus[k]) ^ 0x80000000U))
        return false;
  }
  return true;
}

struct Row {
  std::string name;
  std::array<Run, 2> run;  ///< with FMA, without
  Reference reference;
  bool odd;
};

#define TESSERA_ROW(function, plain, vector_name, odd)                                              \
  struct Row_##function {                                                                           \
    template <bool Fma>                                                                             \
    static void run(const float* x, float* y) {                                                     \
      VectorBuilder<Fma> b;                                                                         \
      _mm256_store_ps(y, math::function(b, _mm256_load_ps(x)));                                     \
    }                                                                                               \
    static void reference(const float* lanes, double* y) {                                          \
      static const VectorFunction fast = vector_reference(vector_name);                             \
      for (int k = 0; k < 8; k += 4)                                                                \
        if (fast != nullptr) _mm256_store_pd(y + k, fast(_mm256_cvtps_pd(_mm_load_ps(lanes + k)))); \
      if (fast != nullptr) return;                                                                  \
      for (int k = 0; k < 8; ++k) {                                                                 \
        const double x = lanes[k];                                                                  \
        y[k] = plain;                                                                               \
      }                                                                                             \
    }                                                                                               \
  };
TESSERA_TEST_MATH(TESSERA_ROW)
#undef TESSERA_ROW

const Row rows[] = {
#define TESSERA_ROW(function, plain, vector_name, odd) \
  {#function, {{Row_##function::run<true>, Row_##function::run<false>}}, Row_##function::reference, odd},
    TESSERA_TEST_MATH(TESSERA_ROW)
#undef TESSERA_ROW
};

/// `only`, where not empty, names the functions: "sin,cos".
void check_rows(std::uint64_t stride, const std::string& only = {}) {
  for (const Row& row : rows) {
    if (!only.empty() && ("," + only + ",").find("," + row.name + ",") == std::string::npos) continue;
    if (row.odd) CHECK_MESSAGE((is_odd(row.run[0]) && is_odd(row.run[1])), row.name << " is not odd");
    const auto start = std::chrono::steady_clock::now();
    const auto worst = sweep(row.run, row.reference, stride, row.odd);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (std::size_t run = 0; run < 2; ++run) {
      const std::string name = row.name + (run == 0 ? " f32" : " f32, no FMA");
      MESSAGE(name << ": at most " << worst[run].error << " ulp, at " << worst[run].at << " (" << seconds << " s)");
      CHECK_MESSAGE(worst[run].error <= 1, name << " is " << worst[run].error << " ulp off at " << worst[run].at);
    }
  }
}

bool can_run() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

}  // namespace

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

TEST_CASE("f32 functions are within one ulp, sampled") {
  if (!can_run()) TESSERA_SKIP("the processor has no AVX2 with FMA");
  check_rows(509);
}

// One float in 13 takes two minutes; every one, asked for by TESSERA_TEST_EVERY_FLOAT=1, half an hour. It may name some
// functions instead: TESSERA_TEST_EVERY_FLOAT=sin,cos.
TEST_CASE("f32 functions are within one ulp, one float in 13 or every float" * doctest::test_suite("long")) {
  if (!can_run()) TESSERA_SKIP("the processor has no AVX2 with FMA");
  const char* every = std::getenv("TESSERA_TEST_EVERY_FLOAT");
  if (every == nullptr)
    check_rows(13);
  else
    check_rows(1, std::string(every) == "1" ? "" : every);
}
#else
TEST_CASE("f32 functions are within one ulp, sampled") { TESSERA_SKIP("written for AVX2"); }
#endif
