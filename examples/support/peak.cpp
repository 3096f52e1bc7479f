// Owns the measurement of a machine's limits: plain vector arithmetic of the compiler, no intrinsics, and memcpy.
#include "peak.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

namespace example {
namespace {

constexpr int chains = 12;         // two units times a latency of four or five cycles, and they still fit 16 registers
thread_local volatile float kept;  // what is stored here has to be computed

// Runs work(i, n) for each i below n, one on each of n threads, n being what the machine has.
template <class F>
void on_all_threads(F work) {
  const unsigned n = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::thread> others;
  for (unsigned i = 1; i < n; ++i) others.emplace_back(work, i, n);
  work(0U, n);
  for (std::thread& thread : others) thread.join();
}

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

double measure_peak_of_all() {
  std::vector<double> peak(std::max(1U, std::thread::hardware_concurrency()));
  on_all_threads([&](unsigned i, unsigned) { peak[i] = measure_peak(); });
  double all = 0;
  for (const double one : peak) all += one;
  return all;
}

double measure_memcpy(double bytes) {
  const std::size_t size = std::max<std::size_t>(static_cast<std::size_t>(bytes / 2), 4096);
  static std::vector<char> from, to;
  if (from.size() < size) from.assign(size, 1), to.assign(size, 2);
  const auto begin = std::chrono::steady_clock::now();
  on_all_threads([&](unsigned i, unsigned n) {
    const std::size_t first = size / n * i, last = i + 1 == n ? size : size / n * (i + 1);
    std::memcpy(to.data() + first, from.data() + first, last - first);
  });
  const double ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
  return 2.0 * static_cast<double>(size) / ns;
}

const char* peak_vectors() {
  return has_avx512() ? "AVX-512, 16 floats"
         : has_avx2() ? "AVX2, 8 floats"
                      : "SSE2, 4 floats, without fused multiply-add";
}

}  // namespace example
