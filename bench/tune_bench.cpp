// Measures the tuner: over pairs of kernels and shapes, how near its choices come to the best of all configurations.
// Flags: --quick (10 pairs, smaller spaces), and those of Google Benchmark. One thread. About 8 minutes; --quick: 2.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "autotune/tune/data.hpp"
#include "autotune/tune/search.hpp"
#include "autotune/tune/space.hpp"
#include "autotune/tune/tune.hpp"
#include "autotune/tune/worker_bench.hpp"
#include "autotune/tune/zero_shot.hpp"
#include "cpu_kernels.hpp"
#include "tessera/tessera.hpp"

namespace {

using namespace tessera;
using autotune::Point;

using bench::BK;
using bench::BM;
using bench::BN;

TESSERA_KERNEL(gemm_bias_relu)
(Kernel k, In<f32, "M", "K"> a, In<f32, "N", "K"> b, In<f32, "N"> bias, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(a(m, i), b(n, i));
  c(m, n) = relu(acc + bias(n));
};
TESSERA_KERNEL(turned_sum)(Kernel k, In<f32, "M", "N"> x, In<f32, "N", "M"> z, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  y(m, n) = x(m, n) + z(n, m);
};
TESSERA_KERNEL(five_point)(Kernel k, In<f32, "Y", "X"> u, Out<f32, "Y", "X"> v) {
  auto y = k.block<"Y">(BM), x = k.block<"X">(BN);
  auto p = u.pad(0);
  v(y, x) = p(y, x) + 0.1f * (p(y - 1, x) + p(y + 1, x) + p(y, x - 1) + p(y, x + 1) - 4 * p(y, x));
};

struct Pair {
  const ir::Program* program;
  std::map<std::string, std::int64_t> extents;
  std::vector<Candidates> space;
};

using Extents = std::map<std::string, std::int64_t>;
constexpr const ir::Program& gemm_program = decltype(bench::sgemm)::program;
constexpr const ir::Program& relu_program = decltype(gemm_bias_relu)::program;
constexpr const ir::Program& softmax_program = decltype(bench::online_softmax)::program;
constexpr const ir::Program& turned_program = decltype(turned_sum)::program;
constexpr const ir::Program& stencil_program = decltype(five_point)::program;

std::vector<Pair> pairs(bool quick) {
  std::vector<Pair> all;
  const std::vector<Candidates> blocks{{"BM", {16, 48, 96, 192, 384}},
                                       {"BN", {16, 48, 96, 192, 384}},
                                       {"BK", {64, 256}},
                                       {"cpu.kc", {0}},
                                       {"cpu.mc", {0}},
                                       {"cpu.rows", {0, 4}},
                                       {"cpu.vectors", {0}}};
  const std::vector<Extents> products{{{"M", 128}, {"N", 128}, {"K", 128}}, {{"M", 256}, {"N", 256}, {"K", 256}},
                                      {{"M", 197}, {"N", 211}, {"K", 223}}, {{"M", 32}, {"N", 512}, {"K", 256}},
                                      {{"M", 384}, {"N", 64}, {"K", 384}},  {{"M", 64}, {"N", 64}, {"K", 1024}},
                                      {{"M", 320}, {"N", 320}, {"K", 96}}};
  for (const auto* program : {&gemm_program, &relu_program})
    for (const Extents& e : products) all.push_back({program, e, blocks});
  const std::vector<std::int64_t> many{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048};
  const std::vector<Candidates> two{{"BM", many}, {"BN", many}};
  for (const auto& [m, n] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {256, 256}, {512, 1024}, {1024, 128}, {64, 4096}, {333, 777}, {2048, 64}})
    for (const auto* program : {&softmax_program, &turned_program, &stencil_program})
      all.push_back(
          {program, program == &stencil_program ? Extents{{"Y", m}, {"X", n}} : Extents{{"M", m}, {"N", n}}, two});
  if (!quick) return all;
  std::vector<Pair> few;
  for (std::size_t i = 0; i < all.size(); i += 3) few.push_back(all[i]);
  for (Pair& p : few)
    for (Candidates& c : p.space)
      for (std::size_t i = 1; i < c.values.size(); ++i)
        c.values.erase(c.values.begin() + static_cast<std::ptrdiff_t>(i));
  return few;
}

/// One pair's problem with its memory and worker; what is measured of it.
struct Measured {
  autotune::Job job;
  autotune::Problem problem;
  autotune::Arrangement arrangement;
  autotune::SharedMemory memory;
  autotune::TunedKey key;
  std::vector<Tuned> best, guided;
  std::vector<std::vector<Tuned>> runs;  ///< winners of repeated default searches
  std::size_t tried = 0, legal = 0;
  double space = 0;

  explicit Measured(const Pair& pair)
      : job(autotune::Job::made_for(*pair.program, pair.extents)),
        problem(*pair.program, job.frame, jit::find_target("cpu"), Config{.threads = 1}),
        arrangement(autotune::Arrangement::of(*pair.program, job.frame)),
        memory(2 * arrangement.bytes) {
    autotune::make_arrays(*pair.program, job.frame, arrangement, 1, memory.data());
    key.extents = pair.extents;
  }
  autotune::Space space_of(const Pair& pair) const { return {problem, pair.space, {}, Config{.threads = 1}}; }
  autotune::WorkerBench bench() const { return {problem, arrangement, memory, {.least_sample = 1e-3}}; }
};

std::vector<Tuned> run_search(const Measured& m, const Pair& pair, Search kind, std::size_t* tried,
                              std::size_t* legal) {
  autotune::Space space = m.space_of(pair);
  autotune::WorkerBench bench = m.bench();
  autotune::SearchOptions options;
  options.kind = kind;
  options.seconds = 300;
  options.configurations =
      kind == Search::guided ? static_cast<int>(std::max(4.0, std::floor(space.size() * 0.05))) : 0;
  if (kind == Search::exhaustive) options.most = 10;
  const autotune::SearchResult r = autotune::search(space, bench, options);
  if (tried != nullptr) *tried = r.tried.size();
  if (legal != nullptr) *legal = r.tried.size();
  return r.winner < 0 ? std::vector<Tuned>{} : space.tunables(r.tried[static_cast<std::size_t>(r.winner)].point);
}

/// Median seconds of each, interleaved.
std::vector<double> compare(const Measured& m, const std::vector<std::vector<Tuned>>& configurations) {
  autotune::WorkerBench bench = m.bench();
  bench.prepare(configurations);
  std::vector<int> numbers;
  for (std::size_t i = 0; i < configurations.size(); ++i) numbers.push_back(static_cast<int>(i));
  std::vector<std::vector<double>> samples(configurations.size());
  for (int round = 0; round < 21; ++round) {
    const std::vector<double> seconds = bench.time(numbers);
    for (std::size_t i = 0; i < seconds.size(); ++i) samples[i].push_back(seconds[i]);
  }
  std::vector<double> slower;
  for (auto& s : samples) slower.push_back(std::exp(autotune::slower_by(s, samples[0]).middle));
  return slower;  // times the first one's
}

bool quick = false;

void tuner_quality(benchmark::State& state) {
  const std::vector<Pair> all = pairs(quick);
  std::vector<std::unique_ptr<Measured>> measured;
  double zero = 0, guided = 0, initial = 0, share = 0, most_share = 0;
  int agree = 0, repeated = 0;
  for (auto _ : state) {
    for (const Pair& pair : all) {
      Measured& m = *measured.emplace_back(std::make_unique<Measured>(pair));
      m.space = m.space_of(pair).size();
      m.best = run_search(m, pair, Search::exhaustive, nullptr, &m.legal);
      m.guided = run_search(m, pair, Search::guided, &m.tried, nullptr);
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      Measured& m = *measured[i];
      std::vector<autotune::Neighbour> neighbours;
      for (std::size_t j = 0; j < all.size(); ++j) {
        if (j == i || all[j].program != all[i].program) continue;
        autotune::Neighbour n;
        n.key = measured[j]->key;
        n.best.configuration = measured[j]->guided;
        for (const auto& [name, extent] : m.key.extents)
          n.distance += std::abs(std::log2(static_cast<double>(extent) / static_cast<double>(n.key.extents.at(name))));
        neighbours.push_back(n);
      }
      std::sort(neighbours.begin(), neighbours.end(),
                [](const auto& a, const auto& b) { return a.distance < b.distance; });
      autotune::Space space = m.space_of(all[i]);
      const auto guess = autotune::zero_shot(space, m.key, neighbours);
      const auto own = space.tunables(space.initial());
      const std::vector<double> slower = compare(m, {m.best, guess.tunables, m.guided, own});
      zero += std::log(slower[1]), guided += std::log(slower[2]), initial += std::log(slower[3]);
      share += static_cast<double>(m.tried) / m.space;
      most_share = std::max(most_share, static_cast<double>(m.tried) / m.space);
      if (i % 3 == 0) {
        ++repeated;
        bool same = true;
        for (int run = 0; run < 4; ++run)
          same = same && autotune::text_of(run_search(m, all[i], Search::guided, nullptr, nullptr)) ==
                             autotune::text_of(m.guided);
        agree += same;
        if (!same) std::printf("  runs disagree: ");
      }
      std::printf("%-16s %-24s zero-shot %.3f  search %.3f (%zu of %.0f tried, %zu run)  default %.3f  best %s\n",
                  std::string(all[i].program->name).c_str(),
                  m.problem.known.describe(*all[i].program).substr(0, 24).c_str(), 1 / slower[1], 1 / slower[2],
                  m.tried, m.space, m.legal, 1 / slower[3], autotune::text_of(m.best).c_str());
      std::fflush(stdout);
    }
  }
  const double n = static_cast<double>(all.size());
  state.counters["pairs"] = n;
  state.counters["zero_shot"] = std::exp(-zero / n);
  state.counters["search"] = std::exp(-guided / n);
  state.counters["default"] = std::exp(-initial / n);
  state.counters["share_tried"] = share / n;
  state.counters["most_tried"] = most_share;
  state.counters["agree_of_5"] = repeated > 0 ? static_cast<double>(agree) / repeated : 0;
}
BENCHMARK(tuner_quality)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace

int main(int count, char** arguments) {
  std::vector<char*> rest;
  for (int i = 0; i < count; ++i)
    if (std::strcmp(arguments[i], "--quick") == 0)
      quick = true;
    else
      rest.push_back(arguments[i]);
  int left = static_cast<int>(rest.size());
  rest.push_back(nullptr);
  benchmark::Initialize(&left, rest.data());
  if (benchmark::ReportUnrecognizedArguments(left, rest.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
