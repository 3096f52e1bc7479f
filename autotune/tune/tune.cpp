// Owns tuning as a whole: the problem, its data, what is known of it, the search, what is kept and shown.
#include "autotune/tune/tune.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "autotune/store/tuned_key.hpp"
#include "autotune/tune/data.hpp"
#include "autotune/tune/progress.hpp"
#include "autotune/tune/report.hpp"
#include "autotune/tune/search.hpp"
#include "autotune/tune/space.hpp"
#include "autotune/tune/worker_bench.hpp"
#include "autotune/tune/zero_shot.hpp"
#include "jit/runtime/statistics.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace autotune {
namespace {

/// Calls of at most so much work are interpreted, in about a second, to have a reference with bounds.
constexpr double most_interpreted = 1.5e6;
constexpr std::size_t most_pruned = 4000;

void check_options(const ir::Program& program, const TuneOptions& o) {
  const std::string kernel(program.name);
  call::check_config(program, o.config).raise();
  if (o.config.checked)
    throw UserError(kernel + ": tuning: checked calls run in the interpreter: there is nothing to tune");
  if (!(o.seconds > 0))
    throw UserError(kernel + ": tuning: a budget of " + text(o.seconds) + " s\n  hint: more than 0");
  if (!(o.seconds_each > 0))
    throw UserError(kernel + ": tuning: a time limit of " + text(o.seconds_each) + " s\n  hint: more than 0");
  if (o.configurations < 0)
    throw UserError(kernel + ": tuning: a budget of " + std::to_string(o.configurations) +
                    " configurations\n  hint: 0 leaves it to the search");
}

/// A bench that is made when it is first needed: where all is known from before, no array is copied and no worker
/// starts.
class LateBench final : public Bench {
 public:
  using Make = std::function<std::unique_ptr<WorkerBench>()>;
  explicit LateBench(Make make) : make_(std::move(make)) {}

  std::vector<Prepared> prepare(const std::vector<std::vector<Tuned>>& configurations) override {
    if (!bench_) bench_ = make_();
    return bench_->prepare(configurations);
  }
  std::vector<double> time(const std::vector<int>& numbers) override { return bench_->time(numbers); }
  const Prepared& state(int number) const override { return bench_->state(number); }
  double now() override {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  std::string reference() const { return bench_ ? bench_->reference() : "nothing: all was known from before"; }

 private:
  Make make_;
  std::unique_ptr<WorkerBench> bench_;
};

std::string outcome_text(Outcome outcome) {
  static constexpr const char* names[] = {"ok", "wrong", "failed", "crashed", "timeout"};
  return names[static_cast<std::size_t>(outcome)];
}

Timing timing_of(const Tried& t, const Space& space) {
  Timing timing;
  timing.configuration = space.tunables(t.point);
  timing.outcome = t.outcome;
  timing.seconds = t.seconds.middle, timing.low = t.seconds.low, timing.high = t.seconds.high;
  timing.runs = t.runs;
  timing.bits = t.bits, timing.note = t.note;
  return timing;
}

/// What is known from before: fresh timings of this very key, and what was best elsewhere.
void look_back(History& history, bool again, SearchOptions& options) {
  std::size_t stale = 0;
  for (Timing& timing : history.all()) {
    if (!timing.stale && !again && timing.chosen) options.chosen = timing.configuration;
    if (!timing.stale && !again)
      options.known.push_back(std::move(timing));
    else if (timing.outcome == Outcome::ok && stale++ < 2)
      options.hints.push_back(std::move(timing.configuration));
  }
  for (const Neighbour& neighbour : history.nearest(3))
    options.hints.push_back(moved(neighbour.best.configuration, neighbour.key, history.key()));
}

}  // namespace

TuneResult tune(const Job& job, const TuneOptions& options, History* history, const Manner& manner) {
  const auto start = std::chrono::steady_clock::now();
  const ir::Program& program = job.program;
  const std::string kernel(program.name);
  check_options(program, options);
  if (!options.report.empty()) check_page(options.report);
  const jit::Target& target = jit::find_target(options.config.target);
  Config config = options.config;
  config.deterministic |= options.deterministic;
  Problem problem(program, job.frame, target, config);
  {
    jit::PlanRequest request{program, problem.known, {}, {}, problem.features, problem.threads};
    if (const std::string why = target.legal(request); !why.empty()) throw UserError(kernel + ": " + why);
  }
  Space space(problem, options.space, job.declared, config);
  space.stop_when(manner.stopped);
  const Examined& initial = space.examine(space.initial());
  if (!initial.pruned.empty())
    throw UserError(kernel + ": tuning: the target's own choice cannot run: " + initial.pruned);

  const Arrangement arrangement = Arrangement::of(program, job.frame);
  SharedMemory memory;
  WorkerOptions worker;
  worker.seconds_each = options.seconds_each;
  worker.compile_threads = manner.compile_threads;
  worker.idle = manner.idle;
  worker.stopped = manner.stopped;
  worker.interpret = initial.estimate.seconds > 0 && !initial.estimate.guessed &&
                     initial.estimate.operations + initial.estimate.bytes / 4 <= most_interpreted;
  for (const ir::Tunable& tunable : program.tunables)
    for (const Tuned& t : space.tunables(space.initial()))
      if (t.name == program.str(tunable.name)) worker.tunables.push_back(t.value);
  LateBench bench([&] {
    memory = SharedMemory(2 * arrangement.bytes);
    if (job.made)
      make_arrays(program, job.frame, arrangement, options.seed, memory.data());
    else
      copy_arrays(arrangement, job.frame, memory.data());
    return std::make_unique<WorkerBench>(space.problem(), arrangement, memory, worker);
  });

  SearchOptions search_options;
  search_options.kind = options.search;
  search_options.seconds = options.seconds;
  search_options.configurations = options.configurations;
  search_options.deterministic = has_one_result(&config);
  search_options.seed = options.seed;
  if (history != nullptr) {
    history->open(space.problem(), mode_of(&config));
    look_back(*history, options.again, search_options);
  }
  std::optional<ProgressWriter> writer;
  if (options.progress) writer.emplace(kernel, STDERR_FILENO, isatty(STDERR_FILENO) != 0);
  search_options.watch = [&](const TuneProgress& progress) {
    if (writer) writer->show(progress);
    if (options.watch) options.watch(progress);
  };
  const SearchResult found = search(space, bench, search_options);

  TuneResult result;
  ReportFacts facts;
  std::vector<Timing> timings;
  int chosen = -1;
  for (std::size_t i = 0; i < found.tried.size(); ++i) {
    const Tried& t = found.tried[i];
    const jit::Estimate estimate = space.examine(t.point).estimate;
    result.trials.push_back({space.tunables(t.point), outcome_text(t.outcome), t.seconds.middle, t.seconds.low,
                             t.seconds.high, std::max(0.0, estimate.seconds), t.runs, t.note, t.number < 0});
    facts.operations.push_back(estimate.operations);
    facts.bytes.push_back(estimate.bytes);
    if (static_cast<int>(i) == found.winner) chosen = static_cast<int>(timings.size());
    const bool kept = t.number >= 0 && !(manner.patient && t.outcome == Outcome::timeout);
    if (kept || static_cast<int>(i) == found.winner) timings.push_back(timing_of(t, space));
  }
  for (const auto& [point, examined] : space.examined())
    if (!examined.pruned.empty() && result.pruned.size() < most_pruned)
      result.pruned.push_back({space.tunables(point), examined.pruned});
  result.space = space.size();
  result.timed = found.timed;
  result.stopped = found.stopped;
  result.reference = bench.reference();
  result.default_tunables = space.tunables(space.initial());
  result.config = config;
  if (!result.trials.empty()) result.default_seconds = result.trials.front().seconds;
  if (found.winner >= 0) {
    const Trial& winner = result.trials[static_cast<std::size_t>(found.winner)];
    result.config.tunables = winner.tunables;
    result.seconds = winner.seconds;
    // Against the default by rounds in which both took part, as the race did: medians of different rounds may say
    // something else.
    const Interval slower =
        slower_by(found.tried.front().samples, found.tried[static_cast<std::size_t>(found.winner)].samples);
    if (slower.middle != 0 && found.winner != 0) result.default_seconds = result.seconds * std::exp(slower.middle);
  }
  if (history != nullptr && found.timed > 0) history->record(timings, chosen);
  jit::record_timed(found.timed);
  result.stored = history != nullptr ? history->place() : "nothing is kept: it was not asked for";
  result.elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!options.report.empty()) {
    facts.kernel = kernel;
    facts.shape = problem.known.describe(program);
    facts.device = target.describe() + ", " + problem.features;
    facts.roof = target.roof(problem.features, problem.threads);
    write_page(options.report, report_page(result, facts));
  }
  if (found.winner < 0) {
    const Trial& first = result.trials.front();
    throw DeviceError(kernel + ": tuning: every configuration was lost; the default one: " + first.outcome +
                      (first.note.empty() ? "" : ", " + first.note));
  }
  return result;
}

}  // namespace autotune
TESSERA_END
