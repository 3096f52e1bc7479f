// Owns `tessera cache stats`: how much is kept, and where.
#include "autotune/cli/caches.hpp"
#include "autotune/cli/table.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

int show(const CacheOptions& o, Output& out) {
  Caches caches(o);
  const std::string problem = caches.problem();
  const jit::StoreTotals objects = caches.objects().totals();
  const autotune::TunedStore::Totals tuned = caches.tuned().totals();
  const jit::StoreOptions& options = caches.objects().options();
  out.line(problem.empty() ? caches.folder() + (options.read_only ? " (only read)" : "") : "no cache: " + problem);
  out.line("  compiled code         " + counted(objects.entries, "object") + ", " + bytes_text(objects.bytes) + " of " +
           bytes_text(options.most_bytes) + ", in " + counted(objects.files, "file"));
  out.line("  tuned configurations  " + counted(tuned.keys, "shape") + ", " + counted(tuned.timings, "timing") + ", " +
           std::to_string(tuned.stale) + " of them stale, " + bytes_text(tuned.bytes));
  if (problem.empty())
    out.line("  database              " + caches.tuned().file() + ", journal " + caches.tuned().journal());
  for (const std::string& layer : options.layers) out.line("  only read             " + layer);
  if (!options.key.empty()) out.line("  signatures            entries are signed, and others are refused");
  Json layers = Json::list();
  for (const std::string& layer : options.layers) layers.push(layer);
  out.set("folder", problem.empty() ? Json(caches.folder()) : Json());
  out.set("problem", problem);
  out.set("objects", Json::object({{"entries", objects.entries},
                                   {"bytes", objects.bytes},
                                   {"files", objects.files},
                                   {"most_bytes", options.most_bytes}}));
  out.set("tuned", Json::object({{"shapes", tuned.keys},
                                 {"timings", tuned.timings},
                                 {"stale", tuned.stale},
                                 {"bytes", tuned.bytes},
                                 {"file", caches.tuned().file()},
                                 {"journal", caches.tuned().journal()}}));
  out.set("layers", std::move(layers));
  out.set("signed", !options.key.empty());
  return exit_done;
}

}  // namespace

void add_cache_stats(Command& cache) {
  auto o = std::make_shared<CacheOptions>();
  Command command = cache.command("stats", "counts what is kept");
  add_folder(command, *o);
  command.example("tessera cache stats --json", "for dashboards");
  command.runs([o](Output& out) { return show(*o, out); });
}

}  // namespace cli
TESSERA_END
