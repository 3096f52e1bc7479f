// Measures dots of narrow types on a CPU, one thread, each pair interleaved in this process: against our own f32
// product, whose multiply-adds a vector are half as many as pmaddwd's, and integers against oneDNN where it is found.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "tessera/tessera.hpp"

#ifdef TESSERA_HAS_DNNL
#include <oneapi/dnnl/dnnl.h>
#endif

namespace {

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

template <class T, class U, class Acc>
TESSERA_KERNEL(product)(Kernel k, In<T, "M", "K"> a, In<U, "K", "N"> b, Out<Acc, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  c(m, n) = dot(a(m, i), b(i, n));
};
/// Both operands consecutive along K, as weights of networks lie.
template <class T, class U, class Acc>
TESSERA_KERNEL(product_turned)(Kernel k, In<T, "M", "K"> a, In<U, "N", "K"> b, Out<Acc, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  c(m, n) = dot(a(m, i), b(n, i));
};

const Config one_thread{.threads = 1};

double seconds(const std::function<void()>& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Both in turn, nine times: the median ratio of their rates, and ours in 10^9 multiply-adds a second.
void race(benchmark::State& state, double work, const std::function<void()>& ours, const std::function<void()>& peer) {
  ours(), peer();
  for (auto _ : state) {
    std::vector<double> ratios, rates;
    for (int i = 0; i < 9; ++i) {
      const double a = seconds(ours), b = seconds(peer);
      ratios.push_back(b / a), rates.push_back(work / a * 1e-9);
    }
    std::sort(ratios.begin(), ratios.end());
    std::sort(rates.begin(), rates.end());
    state.SetIterationTime(work * 1e-9 / rates[4]);
    state.counters["ratio"] = ratios[4];
    state.counters["ours_GMACs"] = rates[4];
  }
}

template <class T>
std::vector<std::byte> numbers(std::int64_t count) {
  std::vector<std::byte> bytes(packed_bytes(dtype_of<T>, static_cast<std::size_t>(count)));
  for (std::int64_t i = 0; i < count; ++i)
    store_packed(
        dtype_of<T>, bytes.data(), static_cast<std::size_t>(i),
        bits_from_double(dtype_of<T>, static_cast<double>(i * 7919 % 13) - (info(dtype_of<T>).has_sign ? 6 : 0)));
  return bytes;
}

template <class T, class U, class Acc>
struct Matrices {
  std::int64_t n;
  std::vector<std::byte> a = numbers<T>(n * n), b = numbers<U>(n * n);
  std::vector<Acc> c = std::vector<Acc>(static_cast<std::size_t>(n * n));
  void rows() { product<T, U, Acc>.with(one_thread)(of<T>(a), of<U>(b), view(c, {n, n})); }
  void turned() { product_turned<T, U, Acc>.with(one_thread)(of<T>(a), of<U>(b), view(c, {n, n})); }
  template <class E>
  auto of(std::vector<std::byte>& bytes) {
    if constexpr (info(dtype_of<E>).bits < 8)
      return view<E>(bytes.data(), {n, n});
    else
      return view(reinterpret_cast<E*>(bytes.data()), {n, n});
  }
};

template <class T, class U, class Acc, bool turned>
void against_f32(benchmark::State& state) {
  const auto n = state.range(0);
  Matrices<T, U, Acc> narrow{n};
  Matrices<f32, f32, float> wide{n};
  race(state, static_cast<double>(n * n * n), [&] { turned ? narrow.turned() : narrow.rows(); }, [&] { wide.rows(); });
}
#define TESSERA_DOT_BENCH(T, U, Acc)                                                                                  \
  BENCHMARK(against_f32<T, U, Acc, false>)->Arg(1024)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond); \
  BENCHMARK(against_f32<T, U, Acc, true>)->Arg(1024)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond)
TESSERA_DOT_BENCH(i8, i8, std::int32_t);
TESSERA_DOT_BENCH(u8, i8, std::int32_t);
TESSERA_DOT_BENCH(i4, i8, std::int32_t);
TESSERA_DOT_BENCH(i16, i16, std::int32_t);
TESSERA_DOT_BENCH(i32, i32, std::int32_t);
TESSERA_DOT_BENCH(bf16, bf16, float);
TESSERA_DOT_BENCH(f16, f16, float);
TESSERA_DOT_BENCH(e4m3, e4m3, float);
TESSERA_DOT_BENCH(e2m1, e2m1, float);

#ifdef TESSERA_HAS_DNNL
/// oneDNN's product of u8 and i8, row-major, B as it lies.
void u8_i8_against_onednn(benchmark::State& state) {
  const auto n = state.range(0);
  Matrices<u8, i8, std::int32_t> m{n};
  std::vector<std::int32_t> c(static_cast<std::size_t>(n * n));
  const std::int32_t zero = 0;
  const auto peer = [&] {
    if (dnnl_gemm_u8s8s32('N', 'N', 'F', n, n, n, 1, reinterpret_cast<const std::uint8_t*>(m.a.data()), n, 0,
                          reinterpret_cast<const std::int8_t*>(m.b.data()), n, 0, 0, c.data(), n,
                          &zero) != dnnl_success)
      state.SkipWithError("oneDNN refuses");
  };
  race(state, static_cast<double>(n * n * n), [&] { m.rows(); }, peer);
  // Without VNNI oneDNN adds neighbouring products in i16, which saturates: only small numbers must agree.
  if (c != m.c) state.SetLabel("results differ");
}
BENCHMARK(u8_i8_against_onednn)->Arg(1024)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
#endif

}  // namespace

BENCHMARK_MAIN();
