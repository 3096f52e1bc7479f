// Owns `tessera tune`: a kernel is tuned for a shape, on data that are made for it.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "autotune/cli/caches.hpp"
#include "autotune/cli/command.hpp"
#include "autotune/cli/library.hpp"
#include "autotune/cli/shape.hpp"
#include "autotune/cli/table.hpp"
#include "autotune/cli/target.hpp"
#include "autotune/cli/units.hpp"
#include "autotune/tune/store_history.hpp"
#include "autotune/tune/tune.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

struct Options {
  CacheOptions cache;
  std::string library, kernel, target = "cpu", budget = "60s", limit = "10s", search = "guided", report;
  std::vector<std::string> shape, scalars, tunables, space;
  std::int64_t threads = 0, configurations = 0, seed = 1;
  bool deterministic = false, again = false, no_store = false, quiet = false;
};

/// Reads "BM=32:64:128".
std::vector<Candidates> read_space(const std::vector<std::string>& texts) {
  std::vector<Candidates> space;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw UserError("--try: \"" + text + "\" is not NAME=NUMBER:NUMBER\n  hint: as in --try BM=32:64:128");
    Candidates one(text.substr(0, equals), {});
    for (std::size_t from = equals + 1; from <= text.size();) {
      const std::size_t to = std::min(text.find(':', from), text.size());
      const std::int64_t least = call::is_choice(one.name) ? 0 : 1;  // 0 leaves a choice to the target
      one.values.push_back(read_values("--try", {one.name + "=" + text.substr(from, to - from)}, least).front().second);
      from = to + 1;
    }
    space.push_back(std::move(one));
  }
  return space;
}

TuneOptions options_of(const Options& o, const ir::Program& program, const TargetChoice& choice) {
  TuneOptions options;
  options.search = o.search == "guided" ? Search::guided : o.search == "random" ? Search::random : Search::exhaustive;
  options.seconds = read_duration("--budget", o.budget);
  options.configurations = static_cast<int>(std::min<std::int64_t>(o.configurations, 1 << 30));
  options.space = read_space(o.space);
  options.config = with_tunables(program, read_values("--set", o.tunables, 1));
  options.config.target = choice.target.name();
  if (o.target.find(':') != std::string::npos) options.config.features = choice.features;
  options.config.threads = static_cast<int>(o.threads);
  options.deterministic = o.deterministic;
  options.again = o.again;
  options.keep = !o.no_store;
  options.seconds_each = read_duration("--limit", o.limit);
  options.seed = static_cast<std::uint64_t>(o.seed);
  options.report = o.report;
  options.progress = !o.quiet;
  return options;
}

Json configuration_document(const std::vector<Tuned>& tunables) {
  Json document = Json::object();
  for (const Tuned& tuned : tunables) document.set(tuned.name, tuned.value);
  return document;
}

/// How many were pruned, by reason, most frequent first.
std::vector<std::pair<std::size_t, std::string>> reasons_of(const std::vector<Pruned>& pruned) {
  std::map<std::string, std::size_t> counts;
  for (const Pruned& one : pruned) ++counts[one.why];
  std::vector<std::pair<std::size_t, std::string>> reasons;
  for (const auto& [why, count] : counts) reasons.emplace_back(count, why);
  std::stable_sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  return reasons;
}

void write_result(const RegisteredKernel& kernel, const TuneResult& r, Output& out) {
  out.line(kernel.name + ": " + autotune::text(r.config.tunables) + ", " + seconds_text(r.seconds) + " a call");
  char ratio[32];
  std::snprintf(ratio, sizeof ratio, "%.2f", r.seconds > 0 ? r.default_seconds / r.seconds : 1.0);
  out.line("  untuned      " + autotune::text(r.default_tunables) + ", " + seconds_text(r.default_seconds) + ": " +
           ratio + " times as long");
  char space[48];
  std::snprintf(space, sizeof space, "%.0f", r.space);
  out.line("  tried        " + std::to_string(r.trials.size()) + " of " + space + " configurations, " +
           std::to_string(r.timed) + " of them timed now, in " + seconds_text(r.elapsed));
  out.line("  ended        " + one_line(r.stopped));
  out.line("  checked      " + one_line(r.reference));
  out.line("  kept         " + one_line(r.stored));
  for (const Trial& trial : r.trials)
    if (trial.outcome != "ok")
      out.line("  lost         " + autotune::text(trial.tunables) + ": " + trial.outcome +
               (trial.note.empty() ? "" : ", " + one_line(trial.note)));
  std::size_t shown = 0;
  for (const auto& [count, why] : reasons_of(r.pruned))
    if (shown++ < 5) out.line("  not tried    " + std::to_string(count) + ": " + one_line(why));
}

void set_result(const TuneResult& r, Output& out) {
  Json trials = Json::list(), pruned = Json::list();
  for (const Trial& t : r.trials) {
    Json one = Json::object({{"configuration", configuration_document(t.tunables)},
                             {"outcome", t.outcome},
                             {"seconds", t.seconds},
                             {"low", t.low},
                             {"high", t.high},
                             {"predicted", t.predicted},
                             {"runs", t.runs},
                             {"stored", t.stored}});
    if (!t.note.empty()) one.set("note", one_line(t.note));
    trials.push(std::move(one));
  }
  for (const auto& [count, why] : reasons_of(r.pruned))
    pruned.push(Json::object({{"count", count}, {"why", one_line(why)}}));
  out.set("best", configuration_document(r.config.tunables));
  out.set("seconds", r.seconds);
  out.set("default", configuration_document(r.default_tunables));
  out.set("default_seconds", r.default_seconds);
  out.set("space", r.space);
  out.set("timed", r.timed);
  out.set("elapsed", r.elapsed);
  out.set("stopped", one_line(r.stopped));
  out.set("reference", one_line(r.reference));
  out.set("stored", one_line(r.stored));
  out.set("trials", std::move(trials));
  out.set("pruned", std::move(pruned));
}

int tune(const Options& o, Output& out) {
  const Library library(o.library);
  const RegisteredKernel& kernel = library.kernel(o.kernel);
  const ir::Program& program = *kernel.record->program;
  const TuneOptions options = options_of(o, program, TargetChoice(o.target));
  std::map<std::string, std::int64_t> extents;
  for (const auto& [name, value] : read_values("--shape", o.shape, 0)) extents[name] = value;
  known_shape(program, {extents.begin(), extents.end()});  // says which extents there are
  const autotune::Job job = autotune::Job::made_for(program, extents, read_numbers("--scalar", o.scalars));
  Caches caches(o.cache);
  autotune::StoreHistory history(caches.tuned());
  const TuneResult result = autotune::tune(job, options, options.keep ? &history : nullptr);

  out.set("kernel", kernel.name);
  out.set("hash", hash_text(kernel));
  Json shape = Json::object();
  for (const auto& [name, value] : extents) shape.set(name, value);
  out.set("shape", std::move(shape));
  write_result(kernel, result, out);
  set_result(result, out);
  if (!o.report.empty()) out.line("  report       " + o.report);
  out.set("report", o.report.empty() ? Json() : Json(o.report));
  return exit_done;
}

}  // namespace

void add_tune(Command& root) {
  auto o = std::make_shared<Options>();
  Command command = root.command(
      "tune", "finds the fastest values of a kernel's tunables for a shape, and keeps them for every later call");
  command.argument("LIB.so", o->library, "a shared library of kernels, or a file of Tile IR text");
  command.optional("KERNEL", o->kernel, "a kernel of it, NAME or NAME@HASH; may be left out where there is only one");
  command.option("--shape", "M=512,N=1000", o->shape, "every extent of the call, of row-major arrays");
  command.option("--scalar", "eps=1e-5", o->scalars, "scalar arguments; 1 where they are left out");
  command.option("--budget", "TIME", o->budget, "how long to search: 60s (as without it), 5m, 1h");
  command.option("--configurations", "N", o->configurations, 1, "time at most so many");
  command.choice(
      "--search", {"guided", "exhaustive", "random"}, o->search,
      "guided (as without it): the best predicted ones race, then steps from the winner; exhaustive; random");
  command.flag("--deterministic", o->deterministic, "only configurations whose results are bitwise equal compete");
  command.option("--set", "BM=64,BN=96", o->tunables, "tunables that are fixed");
  command.option("--try", "BM=32:64:128", o->space, "values to try of one tunable, instead of the declared ones");
  command.option("--target", "TARGET", o->target, "cpu, or cpu:FEATURES as a Config may name them");
  command.option("--threads", "N", o->threads, 0, "most threads of a call; 0: all");
  command.option("--limit", "TIME", o->limit,
                 "a configuration that takes longer to compile or to run is lost: 10s as without it");
  command.option("--seed", "N", o->seed, 0, "of the random search, and of the data");
  command.flag("--again", o->again, "time anew what was timed before");
  command.flag("--no-store", o->no_store, "neither use nor keep what was found");
  command.option("--report", "FILE", o->report,
                 "write a page: configurations against time, the roofline, what was pruned");
  command.flag("-q,--quiet", o->quiet, "no progress on standard error");
  add_folder(command, o->cache);
  command.example("tessera tune libkernels.so gemm --shape M=512,N=1000,K=300 --budget 60s --report gemm.html",
                  "later calls of that shape, in any process, use what was found");
  command.example("tessera tune libkernels.so gemm --shape M=512,N=1000,K=300 --try BM=32:64:96 --set BN=64",
                  "a space of one's own");
  command.runs([o](Output& out) { return tune(*o, out); });
}

}  // namespace cli
TESSERA_END
