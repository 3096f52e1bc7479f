// Measures the tuner: over pairs of kernels and shapes, how near its choices come to the best of all configurations.
// Flags: --quick (11 pairs, smaller spaces); --pieces=FILE --seconds=60 (measures for a minute what FILE lacks, so that
// a machine is held for a minute at a time); and those of Google Benchmark. One thread. A quarter of an hour.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
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
using Json = nlohmann::json;

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

/// Of `values` those below `extent`, and it: larger ones are the same tiles again.
std::vector<std::int64_t> up_to(std::int64_t extent, const std::vector<std::int64_t>& values) {
  std::vector<std::int64_t> some;
  for (const std::int64_t v : values)
    if (v < extent) some.push_back(v);
  some.push_back(extent);
  return some;
}

std::vector<Pair> pairs(bool quick) {
  std::vector<Pair> all;
  const std::vector<std::int64_t> tiles{16, 32, 48, 64, 96, 128, 192, 256, 320};
  const std::vector<Extents> products{{{"M", 128}, {"N", 128}, {"K", 128}}, {{"M", 256}, {"N", 256}, {"K", 256}},
                                      {{"M", 197}, {"N", 211}, {"K", 223}}, {{"M", 32}, {"N", 512}, {"K", 256}},
                                      {{"M", 384}, {"N", 64}, {"K", 384}},  {{"M", 64}, {"N", 64}, {"K", 1024}},
                                      {{"M", 320}, {"N", 320}, {"K", 96}}};
  for (const auto* program : {&gemm_program, &relu_program})
    for (const Extents& e : products)
      all.push_back({program,
                     e,
                     {{"BM", up_to(e.at("M"), tiles)},
                      {"BN", up_to(e.at("N"), tiles)},
                      {"BK", up_to(e.at("K"), {32, 64, 128, 256})},
                      {"cpu.kc", {0}},
                      {"cpu.mc", {0}},
                      {"cpu.rows", {0}},
                      {"cpu.vectors", {0}}}});
  const std::vector<std::int64_t> lengths{1,   2,   4,   8,   16,  24,  32,   48,   64,  96,
                                          128, 192, 256, 384, 512, 768, 1024, 2048, 4096};
  for (const auto& [m, n] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {256, 256}, {512, 1024}, {1024, 128}, {64, 4096}, {333, 777}, {2048, 64}})
    for (const auto* program : {&softmax_program, &turned_program, &stencil_program})
      all.push_back({program,
                     program == &stencil_program ? Extents{{"Y", m}, {"X", n}} : Extents{{"M", m}, {"N", n}},
                     {{"BM", up_to(m, lengths)}, {"BN", up_to(n, lengths)}}});
  if (!quick) return all;
  std::vector<Pair> few;
  for (std::size_t i = 0; i < all.size(); i += 3) few.push_back(all[i]);
  for (Pair& p : few)
    for (Candidates& c : p.space)
      for (std::size_t i = 1; i < c.values.size(); ++i)
        c.values.erase(c.values.begin() + static_cast<std::ptrdiff_t>(i));
  return few;
}

/// One pair's problem with its memory.
struct Setup {
  autotune::Job job;
  autotune::Problem problem;
  autotune::Arrangement arrangement;
  autotune::SharedMemory memory;

  explicit Setup(const Pair& pair)
      : job(autotune::Job::made_for(*pair.program, pair.extents)),
        problem(*pair.program, job.frame, jit::find_target("cpu"), Config{.threads = 1}),
        arrangement(autotune::Arrangement::of(*pair.program, job.frame)),
        memory(2 * arrangement.bytes) {
    autotune::make_arrays(*pair.program, job.frame, arrangement, 1, memory.data());
  }
  autotune::Space space_of(const Pair& pair) const { return {problem, pair.space, {}, Config{.threads = 1}}; }
  autotune::WorkerBench bench() const { return {problem, arrangement, memory, {}}; }
};

constexpr double share = 0.05;  // of the configurations, that the default search may try
constexpr int repeats = 5;      // of the default search

struct Found {
  std::vector<Tuned> winner;
  std::size_t tried = 0;
  double space = 0;
};

Found run_search(const Pair& pair, Search kind) {
  const Setup setup(pair);
  autotune::Space space = setup.space_of(pair);
  autotune::WorkerBench bench = setup.bench();
  autotune::SearchOptions options;
  options.kind = kind;
  options.seconds = 300;
  options.configurations =
      kind == Search::guided ? static_cast<int>(std::max(4.0, std::floor(space.size() * share))) : 0;
  if (kind == Search::exhaustive) options.most = 12;
  const autotune::SearchResult r = autotune::search(space, bench, options);
  Found found{{}, r.tried.size(), space.size()};
  if (r.winner >= 0) found.winner = space.tunables(r.tried[static_cast<std::size_t>(r.winner)].point);
  return found;
}

/// How many times the time of the fastest of them each takes, from samples side by side: noise may have misled the
/// exhaustive search too, so the best is the fastest of all of these.
std::vector<double> compare(const Pair& pair, const std::vector<std::vector<Tuned>>& configurations) {
  const Setup setup(pair);
  autotune::WorkerBench bench = setup.bench();
  bench.prepare(configurations);
  std::vector<int> numbers;
  for (std::size_t i = 0; i < configurations.size(); ++i) numbers.push_back(static_cast<int>(i));
  std::vector<std::vector<double>> samples(configurations.size());
  for (int round = 0; round < 31; ++round) {
    const std::vector<double> seconds = bench.time(numbers);
    for (std::size_t i = 0; i < seconds.size(); ++i) samples[i].push_back(seconds[i]);
  }
  std::vector<double> slower;
  for (auto& s : samples) slower.push_back(std::exp(autotune::slower_by(s, samples[0]).middle));
  const double least = *std::min_element(slower.begin(), slower.end());
  for (double& s : slower) s /= least;
  return slower;
}

std::vector<Tuned> configuration(const Json& text) {
  return autotune::parse_configuration(text.get<std::string>()).value_or(std::vector<Tuned>{});
}

/// What is measured of all pairs, in a file, so that it can be measured in pieces.
class Pieces {
 public:
  Pieces(std::vector<Pair> pairs, std::string file) : pairs_(std::move(pairs)), file_(std::move(file)) {
    std::ifstream in(file_);
    if (in) all_ = Json::parse(in);
    for (const Pair& pair : pairs_)
      if (!all_.contains(name(pair))) all_[name(pair)] = Json::object();
  }

  /// Does what is missing for at most so many seconds, but one step at least; whether nothing is missing now.
  bool go_on(double seconds) {
    const auto from = std::chrono::steady_clock::now();
    for (;;) {
      if (!step()) return true;
      if (!file_.empty()) std::ofstream(file_) << all_.dump(1) << "\n";
      if (std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count() > seconds) return false;
    }
  }

  void report(benchmark::State& state) const {
    double zero = 0, guided = 0, own = 0, exhaustive = 0, tried = 0, most = 0;
    int agree = 0;
    for (const Pair& pair : pairs_) {
      const Json& p = all_.at(name(pair));
      const auto slower = p.at("slower").get<std::vector<double>>();
      exhaustive += std::log(slower[0]), zero += std::log(slower[1]), guided += std::log(slower[2]);
      own += std::log(slower[3]);
      const double part = p.at("tried").get<double>() / p.at("space").get<double>();
      tried += part, most = std::max(most, part);
      const auto runs = p.at("searches").get<std::vector<std::string>>();
      const bool same = std::adjacent_find(runs.begin(), runs.end(), std::not_equal_to<>()) == runs.end();
      agree += same;
      std::printf("%-34s zero-shot %.3f  search %.3f  untuned %.3f  exhaustive %.3f%s\n", name(pair).c_str(),
                  1 / slower[1], 1 / slower[2], 1 / slower[3], 1 / slower[0], same ? "" : "  runs disagree");
    }
    const auto n = static_cast<double>(pairs_.size());
    state.counters["pairs"] = n;
    state.counters["zero_shot"] = std::exp(-zero / n);
    state.counters["search"] = std::exp(-guided / n);
    state.counters["untuned"] = std::exp(-own / n);
    state.counters["exhaustive"] = std::exp(-exhaustive / n);
    state.counters["share_tried"] = tried / n;
    state.counters["most_tried"] = most;
    state.counters["agree_of_5"] = agree / n;
  }

 private:
  static std::string name(const Pair& pair) {
    return std::string(pair.program->name) + " " + autotune::text(pair.extents);
  }

  /// One search or one comparison; false where nothing is missing.
  bool step() {
    for (const Pair& pair : pairs_) {
      Json& p = all_[name(pair)];
      if (!p.contains("best")) {
        const Found found = run_search(pair, Search::exhaustive);
        p["best"] = autotune::text(found.winner), p["run"] = found.tried, p["space"] = found.space;
        return true;
      }
      if (p["searches"].size() < repeats) {
        const Found found = run_search(pair, Search::guided);
        p["searches"].push_back(autotune::text(found.winner)), p["tried"] = found.tried;
        return true;
      }
    }
    for (const Pair& pair : pairs_) {
      Json& p = all_[name(pair)];
      if (p.contains("slower")) continue;
      p["zero"] = autotune::text(guess(pair)), p["own"] = autotune::text(untuned(pair));
      p["slower"] = compare(pair, {configuration(p["best"]), configuration(p["zero"]), configuration(p["searches"][0]),
                                   configuration(p["own"])});
      return true;
    }
    return false;
  }

  static std::vector<Tuned> untuned(const Pair& pair) {
    const autotune::Space space = Setup(pair).space_of(pair);
    return space.tunables(space.initial());
  }

  /// The choice for a shape of which only the other ones were tuned.
  std::vector<Tuned> guess(const Pair& pair) const {
    autotune::TunedKey key;
    key.extents = pair.extents;
    std::vector<autotune::Neighbour> neighbours;
    for (const Pair& other : pairs_) {
      if (&other == &pair || other.program != pair.program) continue;
      autotune::Neighbour n;
      n.key.extents = other.extents;
      n.best.configuration = configuration(all_.at(name(other)).at("searches").at(0));
      for (const auto& [extent, value] : pair.extents)
        n.distance +=
            std::abs(std::log2((static_cast<double>(value) + 1) / (static_cast<double>(other.extents.at(extent)) + 1)));
      neighbours.push_back(n);
    }
    std::stable_sort(neighbours.begin(), neighbours.end(),
                     [](const auto& a, const auto& b) { return a.distance < b.distance; });
    if (neighbours.size() > 3) neighbours.resize(3);  // as calls ask for
    autotune::Space space = Setup(pair).space_of(pair);
    return autotune::zero_shot(space, key, neighbours).tunables;
  }

  std::vector<Pair> pairs_;
  std::string file_;
  Json all_ = Json::object();
};

bool quick = false;
std::string file;
double seconds = 1e9;

void tuner_quality(benchmark::State& state) {
  Pieces pieces(pairs(quick), file);
  for (auto _ : state)
    if (!pieces.go_on(seconds)) return state.SkipWithError("not all is measured yet: run it again");
  pieces.report(state);
}
BENCHMARK(tuner_quality)->Iterations(1)->Unit(benchmark::kSecond);

/// The value of --name=value, or null.
const char* value_of(const char* argument, const char* name) {
  const std::size_t length = std::strlen(name);
  return std::strncmp(argument, name, length) == 0 ? argument + length : nullptr;
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<char*> rest;
  for (int i = 0; i < count; ++i)
    if (std::strcmp(arguments[i], "--quick") == 0)
      quick = true;
    else if (const char* path = value_of(arguments[i], "--pieces="))
      file = path;
    else if (const char* limit = value_of(arguments[i], "--seconds="))
      seconds = std::atof(limit);
    else
      rest.push_back(arguments[i]);
  int left = static_cast<int>(rest.size());
  rest.push_back(nullptr);
  benchmark::Initialize(&left, rest.data());
  if (benchmark::ReportUnrecognizedArguments(left, rest.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
