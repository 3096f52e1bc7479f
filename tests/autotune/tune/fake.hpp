// Owns a target without a machine and a bench without a clock: searches are tested with times that are known.
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "autotune/tune/bench.hpp"
#include "autotune/tune/search.hpp"
#include "autotune/tune/space.hpp"
#include "tessera/tessera.hpp"

namespace fake {
using namespace tessera;
inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(scale)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  k.expects(BM * BN <= 4096, "a tile has at most 4096 elements");
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  y(m, n) = x(m, n) * 2;
};

inline std::int64_t value(const std::vector<Tuned>& tunables, const std::string& name, std::int64_t otherwise = 0) {
  for (const Tuned& t : tunables)
    if (t.name == name) return t.value;
  return otherwise;
}

/// Seconds of a call by its tunables.
using Model = std::function<double(const std::vector<Tuned>&)>;

/// Tunables BM and BN, one choice "fake.unroll"; predictions by `model`.
class Target final : public jit::Target {
 public:
  explicit Target(Model model) : model_(std::move(model)) {}
  std::vector<std::vector<std::int64_t>> values{{8, 16, 32, 64, 128}, {8, 16, 32, 64, 128}};
  std::vector<std::int64_t> unrolls{0, 2, 4};
  std::int64_t refused = -1;  ///< a BM that cannot be planned

  std::string_view name() const override { return "fake"; }
  bool available(std::string&) const override { return true; }
  bool can_compile(std::string&) const override { return true; }
  std::string fingerprint(const std::string& features) const override { return "fake " + features; }
  int threads() const override { return 1; }
  void add_to_key(const jit::PlanRequest&, jit::ObjectKey&) const override {}
  std::string describe() const override { return "fake"; }
  std::vector<std::string> features() const override { return {"plain"}; }
  std::vector<std::int64_t> tunables(const ir::Program&, const jit::Specialisation&,
                                     const Config* config) const override {
    const std::vector<Tuned> given = config != nullptr ? config->tunables : std::vector<Tuned>{};
    return {value(given, "BM", 32), value(given, "BN", 32)};
  }
  std::vector<std::vector<std::int64_t>> candidates(const ir::Program&, const jit::Specialisation&,
                                                    const Config*) const override {
    return values;
  }
  std::vector<jit::Choice> choices(const jit::PlanRequest&) const override { return {{"fake.unroll", unrolls}}; }
  std::string legal(const jit::PlanRequest& r) const override {
    return value(r.choices, "fake.unroll") == 4 && r.tunables[0] == 8 ? "configuration: 8 rows cannot be unrolled by 4"
                                                                      : "";
  }
  loop::Program plan(const jit::PlanRequest& r, const jit::PassObserver&) const override {
    if (r.tunables[0] == refused) throw InternalError("scale: too much for one register");
    loop::Program p;
    const std::int64_t unroll = value(r.choices, "fake.unroll");
    p.attributes = {{"BM", r.tunables[0]}, {"BN", r.tunables[1]}, {"unroll", unroll == 0 ? 2 : unroll}};
    return p;
  }
  jit::Estimate estimate(const jit::PlanRequest& r, const loop::Program&) const override {
    std::vector<Tuned> all{{"BM", r.tunables[0]}, {"BN", r.tunables[1]}};
    for (const Tuned& t : r.choices) all.push_back(t);
    jit::Estimate e;
    if (model_) e.seconds = model_(all);
    return e;
  }
  std::unique_ptr<jit::LoadedCode> compile(const loop::Program&, const jit::PlanRequest&) const override {
    throw InternalError("the fake target compiles nothing");
  }
  std::unique_ptr<jit::LoadedCode> load(const jit::CodeImage&) const override {
    throw InternalError("the fake target compiles nothing");
  }

 private:
  Model model_;
};

/// A frame of `scale` for M × N, whose arrays are nowhere.
inline std::vector<std::uint64_t> frame(std::int64_t m = 1024, std::int64_t n = 1024) {
  const auto u = [](std::int64_t v) { return static_cast<std::uint64_t>(v); };
  return {64, 64, u(m), u(n), u(n), 1, u(n), 1};
}

/// Times by a model, with noise: a share that differs from run to run, some outliers, and a drift of the whole machine.
class Bench final : public autotune::Bench {
 public:
  Bench(Model truth, double noise, std::uint64_t seed) : truth_(std::move(truth)), noise_(noise), random_(seed) {}
  std::function<autotune::Prepared(const std::vector<Tuned>&)> prepared = [](const std::vector<Tuned>&) {
    return autotune::Prepared{};
  };
  std::vector<std::vector<Tuned>> all;
  std::vector<autotune::Prepared> states;
  std::size_t samples = 0;
  double clock = 0;

  std::vector<autotune::Prepared> prepare(const std::vector<std::vector<Tuned>>& configurations) override {
    std::vector<autotune::Prepared> out;
    for (const auto& c : configurations) {
      clock += 0.03;
      all.push_back(c);
      states.push_back(prepared(c));
      out.push_back(states.back());
    }
    return out;
  }
  std::vector<double> time(const std::vector<int>& numbers) override {
    std::vector<double> out;
    for (const int number : numbers) {
      const auto& c = all.at(static_cast<std::size_t>(number));
      if (states[static_cast<std::size_t>(number)].outcome != autotune::Outcome::ok) {
        out.push_back(std::numeric_limits<double>::quiet_NaN());
        continue;
      }
      drift_ += std::normal_distribution<double>(0, 0.003)(random_);
      double t = truth_(c) * std::exp(drift_ + std::abs(std::normal_distribution<double>(0, noise_)(random_)));
      if (random_() % 12 == 0) t *= 3;  // something else ran
      clock += t;
      ++samples;
      out.push_back(t);
    }
    return out;
  }
  const autotune::Prepared& state(int number) const override { return states.at(static_cast<std::size_t>(number)); }
  double now() override { return clock; }

 private:
  Model truth_;
  double noise_, drift_ = 0;
  std::mt19937_64 random_;
};

/// A valley with its lowest place at BM = 64, BN = 16, unroll 4.
inline double valley(const std::vector<Tuned>& t) {
  const double m = std::log2(static_cast<double>(value(t, "BM")) / 64),
               n = std::log2(static_cast<double>(value(t, "BN")) / 16);
  return 1e-3 * (1 + 0.1 * m * m + 0.2 * n * n) * (value(t, "fake.unroll") == 4 ? 1 : 1.05);
}

inline autotune::Space space(const jit::Target& target, const std::vector<Candidates>& given = {},
                             const Config& fixed = {}) {
  constexpr const ir::Program& program = decltype(scale)::program;
  return {autotune::Problem(program, frame(), target, fixed), given, {}, fixed};
}

}  // namespace fake
