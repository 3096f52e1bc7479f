// Measures the CPU target against named peers: each pair interleaved in this process, the median of 9, one thread.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <vector>

#include "cpu_kernels.hpp"
#include "floats.hpp"
#include "race.hpp"
#include "tessera/call/statistics.hpp"

#ifdef TESSERA_HAS_OPENBLAS
#include <cblas.h>
extern "C" void openblas_set_num_threads(int);
#endif

namespace {

using namespace tessera;
using bench::Floats;
using bench::race;

const Config one_thread{.threads = 1};

#ifdef TESSERA_HAS_OPENBLAS
void sgemm_vs_openblas(benchmark::State& state) {
  const auto m = state.range(0), n = state.range(1), k = state.range(2);
  openblas_set_num_threads(1);
  const auto size = [](std::int64_t x, std::int64_t y) { return static_cast<std::size_t>(x * y); };
  Floats a(size(m, k)), b(size(k, n)), c(size(m, n)), d(size(m, n));
  const auto ours = [&] {
    bench::sgemm.with(one_thread)(view(a.get(), {m, k}), view(b.get(), {k, n}), view(c.get(), {m, n}));
  };
  const auto blas = [&] {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(m), static_cast<int>(n),
                static_cast<int>(k), 1, a.get(), static_cast<int>(k), b.get(), static_cast<int>(n), 0, d.get(),
                static_cast<int>(n));
  };
  const double flops = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  race(state, ours, flops, blas, flops, "GFLOPs");
}
BENCHMARK(sgemm_vs_openblas)
    ->Args({1024, 1024, 1024})
    ->Args({2048, 2048, 2048})
    ->Args({1037, 1051, 1019})
    ->Args({64, 64, 64})
    ->Args({256, 256, 256})
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
#endif

/// Our own 2048³ product: what attention and convolution are measured by.
struct Product {
  static constexpr std::int64_t n = 2048;
  Floats a{n * n}, b{n * n}, c{n * n};
  static constexpr double flops = 2.0 * n * n * n;
  void operator()() {
    bench::sgemm.with(one_thread)(view(a.get(), {n, n}), view(b.get(), {n, n}), view(c.get(), {n, n}));
  }
};

void sgemm_transposed_vs_sgemm(benchmark::State& state) {
  Product product;
  race(
      state,
      [&] {
        bench::sgemm_transposed.with(one_thread)(view(product.a.get(), {product.n, product.n}),
                                                 view(product.b.get(), {product.n, product.n}),
                                                 view(product.c.get(), {product.n, product.n}));
      },
      Product::flops, std::ref(product), Product::flops, "GFLOPs");
}
BENCHMARK(sgemm_transposed_vs_sgemm)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

void attention_4096_vs_sgemm(benchmark::State& state) {
  constexpr std::int64_t t = 4096, d = 128;
  Product product;
  Floats q(t * d), key(t * d), value(t * d), out(t * d);
  race(
      state,
      [&] {
        bench::flash_attention.with(one_thread)(view(q.get(), {t, d}), view(key.get(), {t, d}),
                                                view(value.get(), {t, d}), 0.0883883f, view(out.get(), {t, d}));
      },
      4.0 * t * t * d, std::ref(product), Product::flops, "GFLOPs");
}
BENCHMARK(attention_4096_vs_sgemm)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

void conv3x3_128_28_vs_sgemm(benchmark::State& state) {
  constexpr std::int64_t c = 128, h = 28;
  Product product;
  Floats x(c * h * h), w(c * c * 9), y(c * h * h);
  race(
      state,
      [&] {
        bench::conv3x3.with(one_thread)(view(x.get(), {c, h, h}), view(w.get(), {c, c, 3, 3}),
                                        view(y.get(), {c, h, h}));
      },
      2.0 * c * c * 9 * h * h, std::ref(product), Product::flops, "GFLOPs");
}
BENCHMARK(conv3x3_128_28_vs_sgemm)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

/// Kernels that move memory, against memcpy of as many bytes.
void rows_vs_memcpy(benchmark::State& state, int which) {
  constexpr std::int64_t n = 4096;
  Floats x(n * n), y(n * n), w(n), b(n);
  const double bytes = 8.0 * n * n;
  const auto ours = [&] {
    const auto in = view(x.get(), {n, n}), out = view(y.get(), {n, n});
    if (which == 0) bench::softmax.with(one_thread)(in, out);
    if (which == 1) bench::online_softmax.with(one_thread)(in, out);
    if (which == 2) bench::layer_norm.with(one_thread)(in, view(w.get(), {n}), view(b.get(), {n}), 1e-5f, out);
  };
  race(state, ours, bytes, [&] { std::memcpy(y.get(), x.get(), n * n * sizeof(float)); }, bytes, "GBs");
}
BENCHMARK_CAPTURE(rows_vs_memcpy, softmax, 0)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rows_vs_memcpy, online_softmax, 1)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rows_vs_memcpy, layer_norm, 2)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

void chain8_vs_memcpy(benchmark::State& state) {
  constexpr std::int64_t n = 1 << 25;
  Floats x(n), y(n);
  race(
      state, [&] { bench::chain8.with(one_thread)(view(x.get(), {n}), view(y.get(), {n})); }, 8.0 * n,
      [&] { std::memcpy(y.get(), x.get(), n * sizeof(float)); }, 8.0 * n, "GBs");
}
BENCHMARK(chain8_vs_memcpy)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

/// Milliseconds of compilations in this process after the first: of an elementwise chain and of products, for shapes
/// that are new (`exact_ms`), and for any shape (`open_ms`), which is compiled once more than a few are seen.
void compile_ms(benchmark::State& state, bool product) {
  const std::size_t before = compilations().size();
  for (auto _ : state) {
    for (int threads : {1, 2}) {
      const Config config{.threads = threads};
      for (std::int64_t i = 0; i < 5; ++i) {
        const std::int64_t n = (product ? 200 : 1000) + 16 * i;
        std::vector<float> a(static_cast<std::size_t>(n * (product ? n : 1))), b(a), c(a);
        if (product) {
          bench::sgemm.with(config)(view(a, {n, n}), view(b, {n, n}), view(c, {n, n}));
          bench::sgemm_transposed.with(config)(view(a, {n, n}), view(b, {n, n}), view(c, {n, n}));
        } else {
          bench::chain8.with(config)(view(a, {n}), view(c, {n}));
        }
      }
    }
  }
  std::vector<Compilation> all = compilations();
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(before));
  if (before == 0 && !all.empty()) {
    state.counters["first_ms"] = all.front().milliseconds;
    all.erase(all.begin());
  }
  const auto middle = [&](const char* name, bool open) {
    std::vector<double> ms;
    for (const Compilation& c : all)
      if ((c.known.find(product ? "M=" : "N=") == std::string::npos) == open) ms.push_back(c.milliseconds);
    std::sort(ms.begin(), ms.end());
    if (!ms.empty()) state.counters[name] = ms[ms.size() / 2];
  };
  middle("exact_ms", false);
  middle("open_ms", true);
  state.counters["compilations"] = static_cast<double>(all.size());
}
BENCHMARK_CAPTURE(compile_ms, elementwise, false)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile_ms, product, true)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
