// Measures what code for any extents loses against code for the extents at hand: interleaved, the median of 9, one
// thread.
#include <benchmark/benchmark.h>

#include <functional>
#include <string>

#include "cpu_kernels.hpp"
#include "floats.hpp"
#include "race.hpp"
#include "tessera/call/statistics.hpp"

namespace {

using namespace tessera;
using bench::Floats;

// Variants belong to a configuration: the others differ by saying what is the case anyway.
const Config exact{.threads = 1};
const Config all_open{.threads = 1, .features = "native"};
const Config one_open{.threads = 1, .target = "cpu"};

/// `run(config, scale)` calls a kernel on extents that grow with scale, the largest being 8: all of them, or the one
/// that grows in a decoding loop or with the batch.
void compare(benchmark::State& state, const Config& open, double flops,
             const std::function<void(const Config&, std::int64_t)>& run) {
  run(exact, 8);
  for (std::int64_t scale : {1, 2, 3, 4, 5}) run(open, scale);
  const std::size_t before = compilations().size();
  run(open, 8);
  if (compilations().size() != before) return state.SkipWithError("the largest shape was compiled for itself");
  state.SetLabel(compilations().back().known);
  bench::race(state, [&] { run(open, 8); }, flops, [&] { run(exact, 8); }, flops, "G");
}

void sgemm(benchmark::State& state, bool all) {
  Floats a(1 << 20), b(1 << 20), c(1 << 20);
  compare(state, all ? all_open : one_open, 2.0 * (1 << 30), [&](const Config& config, std::int64_t scale) {
    const std::int64_t m = 128 * scale, n = all ? m : 1024;
    bench::sgemm.with(config)(view(a.get(), {m, n}), view(b.get(), {n, n}), view(c.get(), {m, n}));
  });
}
BENCHMARK_CAPTURE(sgemm, all, true)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sgemm, one, false)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

void attention(benchmark::State& state, bool all) {
  Floats q(1 << 17), k(1 << 17), v(1 << 17), o(1 << 17);
  compare(state, all ? all_open : one_open, 4.0 * (1 << 27), [&](const Config& config, std::int64_t scale) {
    const std::int64_t s = 128 * scale, t = all ? s : 1024, d = all ? 16 * scale : 128;
    bench::flash_attention.with(config)(view(q.get(), {t, d}), view(k.get(), {s, d}), view(v.get(), {s, d}), 0.09f,
                                        view(o.get(), {t, d}));
  });
}
BENCHMARK_CAPTURE(attention, all, true)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(attention, one, false)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

void convolution(benchmark::State& state, bool all) {
  Floats x(128 * 28 * 28), w(128 * 128 * 9), y(128 * 28 * 28);
  compare(
      state, all ? all_open : one_open, 2.0 * 128 * 128 * 9 * 28 * 28, [&](const Config& config, std::int64_t scale) {
        const std::int64_t c = all ? 16 * scale : 128, f = 16 * scale, h = all ? 20 + scale : 28;
        bench::conv3x3.with(config)(view(x.get(), {c, h, h}), view(w.get(), {f, c, 3, 3}), view(y.get(), {f, h, h}));
      });
}
BENCHMARK_CAPTURE(convolution, all, true)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(convolution, one, false)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

void softmax(benchmark::State& state, bool all) {
  Floats x(1 << 22), y(1 << 22);
  compare(state, all ? all_open : one_open, 8.0 * (1 << 22), [&](const Config& config, std::int64_t scale) {
    const std::int64_t m = 256 * scale, n = all ? m : 2048;
    bench::softmax.with(config)(view(x.get(), {m, n}), view(y.get(), {m, n}));
  });
}
BENCHMARK_CAPTURE(softmax, all, true)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(softmax, one, false)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

void layer_norm(benchmark::State& state, bool all) {
  Floats x(1 << 22), y(1 << 22), w(1 << 11), b(1 << 11);
  compare(state, all ? all_open : one_open, 8.0 * (1 << 22), [&](const Config& config, std::int64_t scale) {
    const std::int64_t m = 256 * scale, n = all ? m : 2048;
    bench::layer_norm.with(config)(view(x.get(), {m, n}), view(w.get(), {n}), view(b.get(), {n}), 1e-5f,
                                   view(y.get(), {m, n}));
  });
}
BENCHMARK_CAPTURE(layer_norm, all, true)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(layer_norm, one, false)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

void chain8(benchmark::State& state) {
  Floats x(1 << 22), y(1 << 22);
  compare(state, all_open, 8.0 * (1 << 22), [&](const Config& config, std::int64_t scale) {
    const std::int64_t n = scale << 19;
    bench::chain8.with(config)(view(x.get(), {n}), view(y.get(), {n}));
  });
}
BENCHMARK(chain8)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
