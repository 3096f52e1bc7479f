// Owns `tessera cache list`: one line an entry.
#include "autotune/cli/caches.hpp"
#include "autotune/cli/table.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

void list_objects(Caches& caches, const CacheOptions& o, Output& out) {
  Json entries = Json::list();
  std::uint64_t bytes = 0, count = 0;
  Table table({"id", "kernel", "features", "tunables", "known", "size", "used"});
  caches.objects().each([&](const jit::ObjectEntry& entry) {
    if (!o.fits(entry)) return true;
    ++count;
    bytes += entry.record_bytes;
    table.add({identity(entry.key).substr(0, 8), std::string(entry.note("kernel")),
               std::string(entry.key.value("features")), std::string(entry.note("choices")),
               std::string(entry.note("known")), bytes_text(entry.record_bytes), moment_text(entry.used)});
    entries.push(Json::object({{"id", identity(entry.key)},
                               {"kernel", entry.note("kernel")},
                               {"target", entry.key.value("target")},
                               {"features", entry.key.value("features")},
                               {"tunables", entry.note("choices")},
                               {"known", entry.note("known")},
                               {"bytes", entry.record_bytes},
                               {"used", entry.used},
                               {"layer", entry.layer}}));
    return true;
  });
  out.line(counted(count, "object") + ", " + bytes_text(bytes));
  if (!table.empty())
    for (const std::string& line : table.lines()) out.line(line);
  out.set("objects", std::move(entries));
}

void list_tuned(Caches& caches, const CacheOptions& o, Output& out) {
  Json entries = Json::list();
  std::uint64_t count = 0;
  Table table({"id", "kernel", "extents", "threads", "best", "time", "tried", "measured"});
  caches.tuned().each([&](const autotune::TunedStore::Entry& entry) {
    if (!o.fits(entry.key)) return true;
    ++count;
    const auto& best = entry.best;
    table.add({identity(entry.key).substr(0, 8), entry.key.kernel, autotune::text(entry.key.extents),
               std::to_string(entry.key.threads), best ? autotune::text(best->configuration) : "none",
               best ? seconds_text(best->seconds) : "", std::to_string(entry.timings),
               best ? moment_text(best->when) + (best->stale ? ", stale" : "") : ""});
    Json one = Json::object({{"id", identity(entry.key)}});
    one.set("key", key_document(entry.key));
    one.set("timings", entry.timings);
    one.set("best", best ? timing_document(*best) : Json());
    entries.push(std::move(one));
    return true;
  });
  out.line(counted(count, "tuned shape"));
  if (!table.empty())
    for (const std::string& line : table.lines()) out.line(line);
  out.set("tuned", std::move(entries));
}

int list(const CacheOptions& o, Output& out) {
  Caches caches(o);
  if (const std::string problem = caches.problem(); !problem.empty()) out.line("no cache: " + problem);
  if (o.wants_objects()) list_objects(caches, o, out);
  if (o.wants_tuned()) list_tuned(caches, o, out);
  return exit_done;
}

}  // namespace

void add_cache_list(Command& cache) {
  auto o = std::make_shared<CacheOptions>();
  Command command = cache.command("list", "lists compiled code and tuned configurations");
  add_which(command, *o);
  add_folder(command, *o);
  command.example("tessera cache list --tuned --kernel gemm", "the shapes that gemm was tuned for");
  command.runs([o](Output& out) { return list(*o, out); });
}

}  // namespace cli
TESSERA_END
