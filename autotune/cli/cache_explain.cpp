// Owns `tessera cache explain`: whether a call would find what it needs in the caches, and if not, what differs.
#include <algorithm>

#include "autotune/cli/caches.hpp"
#include "autotune/cli/library.hpp"
#include "autotune/cli/shape.hpp"
#include "autotune/cli/target.hpp"
#include "autotune/store/tuned_key.hpp"
#include "jit/runtime/object_key.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

struct Options {
  CacheOptions cache;
  std::string library, kernel, target = "cpu", mode;
  std::vector<std::string> shape, tunables;
  std::int64_t threads = 0;
};

/// A Frame of dense arrays of known extents, without addresses; nothing where some extent is not known.
std::vector<std::uint64_t> frame_of(const ir::Program& program, const jit::Specialisation& known) {
  const call::FrameLayout layout = call::frame_layout(program);
  std::vector<std::uint64_t> frame(layout.words());
  for (std::size_t word = layout.first_extent(); word < layout.words(); ++word) {
    if (!known.words[word]) return {};
    frame[word] = static_cast<std::uint64_t>(*known.words[word]);
  }
  return frame;
}

Json difference_document(const jit::FieldDifference& difference) {
  const auto shown = [](const std::optional<std::string>& value) {
    return value && value->size() <= 200 ? Json(*value) : Json();
  };
  return Json::object({{"field", difference.name},
                       {"label", difference.label},
                       {"wanted", shown(difference.wanted)},
                       {"stored", shown(difference.stored)}});
}

/// Compiled code. True: a call would load it.
bool explain_object(Caches& caches, const jit::ObjectKey& key, Output& out) {
  std::string damage;
  const bool found = caches.objects().get(key, &damage).has_value();
  const std::string why = found ? "it is there" : caches.objects().explain(key);
  out.line("compiled code         " + std::string(found ? "found     " : "missing   ") + one_line(why));
  Json object = Json::object({{"found", found}, {"id", identity(key)}, {"text", one_line(why)}});
  Json differences = Json::list();
  if (!found)
    for (const jit::Nearest& nearest : caches.objects().nearest(key))
      for (const jit::FieldDifference& difference : nearest.differences)
        differences.push(difference_document(difference));
  object.set("differences", std::move(differences));
  out.set("object", std::move(object));
  return found;
}

/// The configuration that was found by tuning. True: a call would use it, or the kernel was never tuned.
bool explain_tuned(Caches& caches, const autotune::TunedKey& key, Output& out) {
  const auto best = caches.tuned().best(key);
  const bool found = best && !best->stale;
  bool ever = false;
  caches.tuned().each(
      [&](const autotune::TunedStore::Entry& entry) { return !(ever = entry.key.kernel == key.kernel); });
  const std::string why = found ? autotune::text(best->configuration) : caches.tuned().explain(key);
  out.line("tuned configuration   " +
           std::string(found  ? "found     "
                       : best ? "stale     "
                              : "missing   ") +
           one_line(why));
  Json tuned = Json::object({{"found", found}, {"ever", ever}, {"id", identity(key)}, {"text", one_line(why)}});
  tuned.set("best", best ? timing_document(*best) : Json());
  out.set("tuned", std::move(tuned));
  return found || !ever;
}

int explain(const Options& o, Output& out) {
  const Library library(o.library);
  const RegisteredKernel& kernel = library.kernel(o.kernel);
  const ir::Program& program = *kernel.record->program;
  const TargetChoice choice(o.target);
  Caches caches(o.cache);
  Config config = with_tunables(program, read_values("--set", o.tunables, 1));
  config.threads = static_cast<int>(o.threads);
  config.features = choice.features;

  jit::PlanRequest request;
  request.program = program;
  request.known = known_shape(program, read_values("--shape", o.shape, 0));
  request.features = choice.features;
  request.threads = config.threads;
  out.line(kernel.name + " on " + std::string(choice.target.name()) + ":" + choice.features + ", for " +
           request.known.describe(program));
  out.set("kernel", kernel.name);
  out.set("hash", hash_text(kernel));
  out.set("known", request.known.describe(program));

  bool all = true;
  if (const auto frame = frame_of(program, request.known); !frame.empty() && !program.tunables.empty()) {
    const autotune::TunedKey key =
        autotune::tuned_key(program, frame.data(), choice.target, choice.features, config.threads, o.mode);
    all = explain_tuned(caches, key, out);
    if (const auto best = caches.tuned().best(key); best && config.tunables.empty()) {
      config.tunables = best->configuration;  // what a call would take
      if (!call::check_config(program, config)) config.tunables.clear();
    }
  } else if (!program.tunables.empty()) {
    out.line("tuned configuration   needs every extent: give the whole --shape");
  }
  request.tunables = choice.target.tunables(program, request.known, &config);
  request.choices = jit::choices_of(&config);
  if (const std::string why = choice.target.legal(request); !why.empty()) throw UserError(kernel.name + ": " + why);
  all = explain_object(caches, jit::object_key(choice.target, request), out) && all;
  return all ? exit_done : exit_finding;
}

}  // namespace

void add_cache_explain(Command& cache) {
  auto o = std::make_shared<Options>();
  Command command = cache.command(
      "explain",
      "tells whether a call would compile or tune, and which field of the key differs from the nearest entry");
  command.argument("LIB.so", o->library, "a shared library of kernels, or a file of Tile IR text");
  command.optional("KERNEL", o->kernel, "a kernel of it, NAME or NAME@HASH; may be left out where there is only one");
  command.option("--shape", "M=512,N=1000", o->shape, "the extents of the call, of row-major arrays");
  command.option("--target", "TARGET", o->target, "cpu, or cpu:FEATURES as a Config may name them");
  command.option("--set", "BM=64,BN=96", o->tunables, "tunables that the call fixes");
  command.option("--threads", "N", o->threads, 0, "Config::threads of the call");
  command.option("--mode", "TEXT", o->mode,
                 "what the call demands of results: fast, strict, deterministic, \"strict deterministic\", or nothing");
  add_folder(command, o->cache);
  command.example("tessera cache explain libkernels.so gemm --shape M=512,N=1000,K=300",
                  "exit code 0: the call compiles nothing and takes what was tuned; 1: the text says why not");
  command.runs([o](Output& out) { return explain(*o, out); });
}

}  // namespace cli
TESSERA_END
