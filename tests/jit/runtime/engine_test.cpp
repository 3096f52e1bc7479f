// Tests the engine: variants are compiled once, stay few, are released, and failures come back as errors.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include <tessera/tessera.hpp>

#include "jit/runtime/pipeline.hpp"
#include "jit/target.hpp"

using namespace tessera;

namespace {

constexpr Dim<"BN"> BN;

TESSERA_KERNEL(engine_axpy)(Kernel k, In<f32, "N"> x, InOut<f32, "N"> y) {
  auto n = k.block<"N">(BN);
  y(n) = y(n) + x(n) * 2.0f;
};

TESSERA_KERNEL(engine_twice)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(64);
  y(n) = x(n) + x(n);
};

TESSERA_KERNEL(engine_rows)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> total) {
  auto m = k.block<"M">(4);
  auto n = k.all<"N">();
  total(m) = sum<"N">(x(m, n));
};

TESSERA_KERNEL(engine_remainder)(Kernel k, In<f64, "N"> x, Out<f64, "N"> rest, Out<f64, "N"> sum) {
  auto n = k.block<"N">(BN);
  rest(n) = x(n) % 0.7;
  sum(n) = fma(x(n), x(n), -x(n));
};
TESSERA_KERNEL(engine_gather)(Kernel k, In<f32, "V"> table, In<i32, "N"> ids, Out<f32, "N"> out) {
  auto n = k.block<"N">(4);
  out(n) = table(ids(n));
};

std::atomic<int> plans = 0, live = 0;
std::atomic<bool> refuse = false;

/// The CPU, slowly, with counters.
class SlowCpu final : public jit::Target {
 public:
  explicit SlowCpu(const jit::Target& cpu) : cpu_(cpu) {}
  std::string_view name() const override { return "slow_cpu"; }
  bool available(std::string& why) const override { return cpu_.available(why); }
  bool can_compile(std::string& why) const override { return cpu_.can_compile(why); }
  std::unique_ptr<jit::LoadedCode> load(const jit::CodeImage& image) const override { return cpu_.load(image); }
  void add_to_key(const jit::PlanRequest& request, jit::ObjectKey& key) const override {
    cpu_.add_to_key(request, key);
  }
  std::string fingerprint(const std::string& features) const override { return cpu_.fingerprint(features); }
  int threads() const override { return cpu_.threads(); }
  std::string describe() const override { return cpu_.describe(); }
  std::vector<std::string> features() const override { return cpu_.features(); }
  std::vector<std::int64_t> tunables(const ir::Program& p, const jit::Specialisation& known,
                                     const Config* config) const override {
    return cpu_.tunables(p, known, config);
  }
  std::string legal(const jit::PlanRequest& request) const override { return cpu_.legal(request); }
  loop::Program plan(const jit::PlanRequest& request, const jit::PassObserver& observe) const override {
    ++plans;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (refuse) throw InternalError(std::string(request.program.name) + ": refused by the test");
    return cpu_.plan(request, observe);
  }
  std::unique_ptr<jit::LoadedCode> compile(const loop::Program& program,
                                           const jit::PlanRequest& request) const override {
    class Counted final : public jit::LoadedCode {
     public:
      explicit Counted(std::unique_ptr<jit::LoadedCode> code) : code_(std::move(code)) { ++live; }
      ~Counted() override { --live; }
      jit::Entry entry() const override { return code_->entry(); }
      jit::HostFunction host() const override { return code_->host(); }
      jit::StageTimes times() const override { return code_->times(); }
      std::size_t bytes() const override { return code_->bytes(); }
      jit::CodeImage image() const override { return code_->image(); }
      std::vector<jit::Stage> stages() const override { return code_->stages(); }

     private:
      std::unique_ptr<jit::LoadedCode> code_;
    };
    return std::make_unique<Counted>(cpu_.compile(program, request));
  }

 private:
  const jit::Target& cpu_;
};

const Config& slow() {
  static const Config config = [] {
    jit::register_target(std::make_unique<SlowCpu>(jit::find_target("cpu")));
    return Config{.target = "slow_cpu"};
  }();
  return config;
}

}  // namespace

TEST_CASE("many threads that call one kernel compile it once") {
  const auto kernel = engine_axpy.with(slow());
  plans = 0;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      std::vector<float> x(777, 1.5f), y(777, 2.0f);
      for (int i = 0; i < 3; ++i) kernel(view(x, {777}), view(y, {777}));
      for (float v : y) wrong += v != 11.0f;
    });
  for (auto& t : threads) t.join();
  CHECK(wrong == 0);
  CHECK(plans == 1);
}

TEST_CASE("growing lengths need few variants, and every length is right") {
  const auto kernel = engine_twice.with(slow());
  plans = 0;
  for (int n = 1; n < 200; ++n) {
    std::vector<float> x(static_cast<std::size_t>(n)), y(x.size());
    for (int i = 0; i < n; ++i) x[static_cast<std::size_t>(i)] = static_cast<float>(i);
    kernel(view(x, {n}), view(y, {n}));
    for (int i = 0; i < n; ++i)
      if (y[static_cast<std::size_t>(i)] != 2.0f * static_cast<float>(i)) {
        INFO("length ", n, " element ", i);
        CHECK(y[static_cast<std::size_t>(i)] == 2.0f * static_cast<float>(i));
      }
  }
  CHECK(plans <= 3);
}

TEST_CASE("any sequence of shapes and strides stays within eight variants") {
  const auto kernel = engine_rows.with(slow());
  plans = 0;
  for (int round = 0; round < 40; ++round) {
    const int m = 1 + round % 7, n = 1 + round * 5 % 13, step = 1 + round % 3;
    std::vector<float> x(static_cast<std::size_t>(m * n * step), 1.0f), total(static_cast<std::size_t>(m), -1.0f);
    const bool turned = round % 4 == 3;
    kernel(View<const f32, 2>(x.data(), {m, n},
                              turned ? std::array<std::int64_t, 2>{1, m} : std::array<std::int64_t, 2>{n * step, step}),
           view(total, {m}));
    for (float v : total) CHECK(v == static_cast<float>(n));
  }
  CHECK(plans <= static_cast<int>(jit::SpecialisationPolicy::max_variants));
}

TEST_CASE("a failed compilation gives its error to every caller, and is not repeated") {
  const auto kernel = engine_rows.with(Config{.threads = 1, .target = "slow_cpu"});
  (void)slow();
  plans = 0;
  refuse = true;
  std::vector<float> x(6, 1.0f), total(2);
  for (int i = 0; i < 3; ++i)
    CHECK_THROWS_WITH_AS(kernel(view(x, {2, 3}), view(total, {2})), "engine_rows: refused by the test", InternalError);
  refuse = false;
  CHECK(plans == 1);
}

TEST_CASE("a retired record releases its code, and can be used again") {
  const auto kernel = engine_axpy.with(slow());
  std::vector<float> x(31, 1.0f), y(31, 0.0f);
  kernel(view(x, {31}), view(y, {31}));
  const int before = live;
  CHECK(before > 0);
  call::KernelRecord& record = const_cast<call::KernelRecord&>(engine_axpy.record());
  record.retire.load()(record);
  CHECK(live < before);
  plans = 0;
  kernel(view(x, {31}), view(y, {31}));
  CHECK(plans == 1);
  CHECK(y[30] == 4.0f);
}

TEST_CASE("targets and features that are not there are named") {
  std::vector<float> x(4), y(4);
  CHECK_THROWS_WITH_AS(engine_axpy.with(Config{.target = "toaster"})(view(x, {4}), view(y, {4})),
                       doctest::Contains("there is no target toaster\n  hint: this build has cpu"), UserError);
  CHECK_THROWS_WITH_AS(engine_axpy.with(Config{.features = "avx9"})(view(x, {4}), view(y, {4})),
                       "engine_axpy: configuration: there are no features \"avx9\"\n  hint: native, avx512bf16, "
                       "avx512vnni, avx512, avxvnni, avx2, sse2 "
                       "or a processor by "
                       "LLVM's name, such as znver4",
                       UserError);
}

TEST_CASE("every feature set of this machine and any number of threads give the same") {
  std::vector<float> x(100000), y(100000, 1.0f);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 100);
  for (const std::string& features : jit::find_target("cpu").features())
    for (int threads : {0, 1, 2}) {
      std::vector<float> z = y;
      engine_axpy.with(Config{.tunables = {{"BN", 1000}}, .threads = threads, .features = features})(view(x, {100000}),
                                                                                                     view(z, {100000}));
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < z.size(); ++i) wrong += z[i] != 1.0f + 2.0f * x[i];
      CHECK(wrong == 0);
    }
}

TEST_CASE("code that calls the C library gets its context, on the caller's thread too") {
  std::vector<double> x{1e300, -1e200, 5, 1 + 0x1p-40}, rest(4), sum(4);
  for (const std::string& features : jit::find_target("cpu").features()) {
    engine_remainder.with(Config{.features = features})(view(x, {4}), view(rest, {4}), view(sum, {4}));
    for (std::size_t i = 0; i < 4; ++i) {
      const double r = std::fmod(x[i], 0.7);
      CHECK(rest[i] == (r < 0 ? r + 0.7 : r));
      CHECK(sum[i] == std::fma(x[i], x[i], -x[i]));
    }
  }
}

TEST_CASE("the interpreter runs what is asked of it, and what no target can compile") {
  std::vector<float> x(40, 1.5f), y(40, 1.0f);
  engine_axpy.with(Config{.target = "interpreter"})(view(x, {40}), view(y, {40}));
  for (float v : y) CHECK(v == 4.0f);
  std::vector<float> table(10, 2.0f), out(4, -1.0f);
  std::vector<std::int32_t> ids{1, 9, 3, 0};
  engine_gather.with(Config{.checked = true})(view(table, {10}), view(ids, {4}), view(out, {4}));
  CHECK(out == std::vector<float>{2, 2, 2, 2});
  ids[2] = 10;
  CHECK_THROWS_WITH_AS(engine_gather.with(Config{.checked = true})(view(table, {10}), view(ids, {4}), view(out, {4})),
                       doctest::Contains("index 10"), UserError);
  // Unchecked, a read outside gives 0.
  engine_gather.with(Config{.target = "interpreter"})(view(table, {10}), view(ids, {4}), view(out, {4}));
  CHECK(out[2] == 0.0f);
}

TEST_CASE("the shape of a grid follows the work") {
  const auto& program = engine_axpy.program;
  const call::FrameLayout layout = call::frame_layout(program);
  std::vector<std::uint64_t> frame(layout.words(), 1);
  frame[layout.extent_word(0)] = 1000;
  const jit::GridShape small = jit::grid_shape(program, frame.data(), 10);
  CHECK(small.inline_limit >= 10);
  frame[layout.extent_word(0)] = 100'000'000;
  const jit::GridShape large = jit::grid_shape(program, frame.data(), 1000);
  CHECK(large.inline_limit < 10);
  CHECK(large.grain >= 1);
}
