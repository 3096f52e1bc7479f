// Owns `tessera cache path`: where the caches lie.
#include "autotune/cli/caches.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

int show(const CacheOptions& o, bool all, Output& out) {
  Caches caches(o);
  const std::string problem = caches.problem();
  if (problem.empty()) out.line(caches.folder());
  if (!problem.empty()) out.line("none: " + problem);
  Json layers = Json::list();
  for (const std::string& layer : caches.objects().options().layers) {
    if (all) out.line(layer + "  (only read)");
    layers.push(layer);
  }
  out.set("folder", problem.empty() ? Json(caches.folder()) : Json());
  out.set("problem", problem);
  out.set("read_only", caches.objects().options().read_only);
  out.set("layers", std::move(layers));
  return problem.empty() ? exit_done : exit_finding;
}

}  // namespace

void add_cache_path(Command& cache) {
  auto o = std::make_shared<CacheOptions>();
  auto all = std::make_shared<bool>(false);
  Command command = cache.command("path", "prints the folder of the caches; exit code 1 where there is none, and why");
  command.flag("--all", *all, "the folders that are only read too");
  add_folder(command, *o);
  command.example("du -sh $(tessera cache path)", "how much is kept");
  command.runs([o, all](Output& out) { return show(*o, *all, out); });
}

}  // namespace cli
TESSERA_END
