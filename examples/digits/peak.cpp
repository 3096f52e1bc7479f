// Owns the measurement of a core's peak: plain vector arithmetic of the compiler, no intrinsics.
#include "peak.hpp"

#include <chrono>

namespace digits {
namespace {

constexpr int chains = 12;  // two units times a latency of four or five cycles, and they still fit 16 registers
volatile float kept;        // what is stored here has to be computed

// Inlined into functions for different instruction sets: x * a + b becomes one instruction where there is one.
template <class V>
[[gnu::always_inline]] inline double chain(float start) {
  constexpr long rounds = 400'000;
  const V a = V{} + 0.999f, b = V{} + 0.001f;
  V v0 = V{} + start, v1 = v0 + 1, v2 = v0 + 2, v3 = v0 + 3, v4 = v0 + 4, v5 = v0 + 5;
  V v6 = v0 + 6, v7 = v0 + 7, v8 = v0 + 8, v9 = v0 + 9, v10 = v0 + 10, v11 = v0 + 11;
  const auto begin = std::chrono::steady_clock::now();
  for (long i = 0; i < rounds; ++i) {
    v0 = v0 * a + b, v1 = v1 * a + b, v2 = v2 * a + b, v3 = v3 * a + b, v4 = v4 * a + b, v5 = v5 * a + b;
    v6 = v6 * a + b, v7 = v7 * a + b, v8 = v8 * a + b, v9 = v9 * a + b, v10 = v10 * a + b, v11 = v11 * a + b;
  }
  const V all = v0 + v1 + v2 + v3 + v4 + v5 + v6 + v7 + v8 + v9 + v10 + v11;
  kept = all[0];
  const double ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
  return 2.0 * chains * (sizeof(V) / sizeof(float)) * rounds / ns;
}

using Floats4 [[gnu::vector_size(16)]] = float;
using Floats8 [[gnu::vector_size(32)]] = float;
using Floats16 [[gnu::vector_size(64)]] = float;

[[gnu::target("avx512f")]] double chain_avx512(float start) { return chain<Floats16>(start); }
[[gnu::target("avx2,fma")]] double chain_avx2(float start) { return chain<Floats8>(start); }
double chain_sse2(float start) { return chain<Floats4>(start); }

bool has_avx512() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"); }
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

}  // namespace

double measure_peak() {
  const float start = kept;
  return has_avx512() ? chain_avx512(start) : has_avx2() ? chain_avx2(start) : chain_sse2(start);
}

const char* peak_vectors() {
  return has_avx512() ? "AVX-512, 16 floats"
         : has_avx2() ? "AVX2, 8 floats"
                      : "SSE2, 4 floats, without fused multiply-add";
}

}  // namespace digits
