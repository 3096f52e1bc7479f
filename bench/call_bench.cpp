// Measures a repeated call: check, find the variant, jump to code that does nothing, or to a small compiled
// kernel; beside a plain function pointer.
#include <benchmark/benchmark.h>

#include <tessera/tessera.hpp>
#include <vector>

using namespace tessera;

namespace {

TESSERA_KERNEL(copy)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(64);
  y(n) = x(n);
};

TESSERA_KERNEL(gemm_bias)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, In<f32, "N"> bias, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(64), n = k.block<"N">(64);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(64)) acc += dot(a(m, i), b(i, n));
  c(m, n) = acc + bias(n);
};

TESSERA_KERNEL(window)
(Kernel k, In<f32, "C", "H", "W"> x, In<f32, "F", "C", "KH", "KW"> w, Scalar<i32> stride, Scalar<i32> pad,
 Out<f32, "F", "OH", "OW"> y) {
  k.expects(stride > 0, "stride is positive");
  k.expects(k.extent<"OH">() == (k.extent<"H">() + 2 * pad - k.extent<"KH">()) / stride + 1, "OH fits");
  k.expects(k.extent<"OW">() == (k.extent<"W">() + 2 * pad - k.extent<"KW">()) / stride + 1, "OW fits");
  auto f = k.block<"F">(16), oh = k.block<"OH">(4), ow = k.block<"OW">(16);
  auto c = k.all<"C">(), kh = k.all<"KH">(), kw = k.all<"KW">();
  y(f, oh, ow) = dot<"C", "KH", "KW">(w(f, c, kh, kw), x.pad(0)(c, oh * stride + kh - pad, ow * stride + kw - pad));
};

[[gnu::noinline]] void nothing(const std::uint64_t* frame, std::int64_t, std::int64_t, jit::Context*) {
  benchmark::DoNotOptimize(frame);
}

/// Stands in for the library: one variant whose guards are what a specialised one has, strides of last axes that are 1.
struct Published {
  template <class Captured>
  explicit Published(const Captured& kernel) {
    const call::FrameLayout layout = call::frame_layout(Captured::program);
    for (std::size_t i = 0; i < layout.args; ++i) {
      const ir::Arg& arg = Captured::program.args[i];
      if (!call::is_array(arg)) continue;
      guards.push_back(call::Guard::aligned(layout.arg_word(i), 4));
      guards.push_back(
          call::Guard::equal(layout.stride_word(static_cast<std::size_t>(arg.first_extent + arg.rank - 1)), 1));
    }
    variant.entry = nothing;
    variant.guards = guards.data();
    variant.guard_count = static_cast<std::uint32_t>(guards.size());
    variant.grid_count = 1;
    variant.grid[0] = {static_cast<std::uint32_t>(layout.extent_word(0)), 64};
    variant.needs_context = false;
    variant.inline_limit = 16;
    kernel.record().table.store(&table);
  }
  std::vector<call::Guard> guards;
  call::Variant variant;
  const call::Variant* list[1] = {&variant};
  call::VariantTable table{1, list};
};

void pointer(benchmark::State& state) {
  void (*volatile code)(const std::uint64_t*, std::int64_t, std::int64_t, jit::Context*) = nothing;
  std::uint64_t frame[16] = {};
  for (auto _ : state) code(frame, 0, 1, nullptr);
}
BENCHMARK(pointer);

void vectors(benchmark::State& state) {
  const Published published(copy);
  std::vector<float> x(256), y(256);
  for (auto _ : state) {
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
    copy(x, y);
  }
}
BENCHMARK(vectors);

void matrices(benchmark::State& state) {
  const Published published(gemm_bias);
  std::vector<float> a(64 * 32), b(32 * 48), bias(48), c(64 * 48);
  std::int64_t m = 64, k = 32, n = 48;
  for (auto _ : state) {
    benchmark::DoNotOptimize(m);
    benchmark::DoNotOptimize(k);
    benchmark::DoNotOptimize(n);
    benchmark::ClobberMemory();
    gemm_bias(view(a, {m, k}), view(b, {k, n}), bias, view(c, {m, n}));
  }
}
BENCHMARK(matrices);

/// Right columns of a matrix into left ones: nothing is plainly apart, so that the full check decides.
void interleaved(benchmark::State& state) {
  const Published published(gemm_bias);
  std::vector<float> a(64 * 96), b(32 * 48), bias(48);
  std::int64_t m = 64, k = 32, n = 48;
  for (auto _ : state) {
    benchmark::DoNotOptimize(m);
    const auto whole = view(a, {m, 96});
    gemm_bias(whole.slice(1, 48, 48 + k), view(b, {k, n}), bias, whole.slice(1, 0, n));
  }
}
BENCHMARK(interleaved);

void expectations(benchmark::State& state) {
  const Published published(window);
  std::vector<float> x(3 * 10 * 10), w(8 * 3 * 3 * 3), y(8 * 8 * 8);
  std::int64_t size = 10;
  for (auto _ : state) {
    benchmark::DoNotOptimize(size);
    window(view(x, {3, size, size}), view(w, {8, 3, 3, 3}), 1, 0, view(y, {8, size - 2, size - 2}));
  }
}
BENCHMARK(expectations);

TESSERA_KERNEL(axpy)(Kernel k, In<f32, "N"> x, Scalar<f32> s, InOut<f32, "N"> y) {
  auto n = k.block<"N">(64);
  y(n) = y(n) + s * x(n);
};

/// The real thing: compiled by the first call, on 16 elements.
void compiled(benchmark::State& state) {
  std::vector<float> x(16, 1.0f), y(16);
  if (const Status status = axpy.try_call(x, 0.5f, y); !status) {
    state.SkipWithError(std::string(status.message()).c_str());
    return;
  }
  for (auto _ : state) {
    axpy(x, 0.5f, y);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(compiled);

}  // namespace

BENCHMARK_MAIN();
