// Owns `tessera cache import` and `tessera cache merge`: entries from files and from other caches; the better one
// stays.
#include "autotune/cli/caches.hpp"
#include "autotune/cli/taken.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

struct Options {
  CacheOptions cache;
  std::vector<std::string> from;
};

int take(const Options& o, Taken (*one)(Caches&, const std::string&), Output& out) {
  Caches caches(o.cache);
  caches.need_writable();
  int exit = exit_done;
  Json list = Json::list();
  for (const std::string& from : o.from) exit = std::max(exit, tell(from, one(caches, from), out, list));
  out.set("taken", std::move(list));
  return exit;
}

}  // namespace

void add_cache_import(Command& cache) {
  auto o = std::make_shared<Options>();
  Command command =
      cache.command("import", "takes entries from files that export wrote; keeps the better one, and says what it did");
  command.arguments("FILE", o->from, "what export wrote, or a database of tuned configurations").required();
  add_folder(command, o->cache);
  command.example(
      "tessera cache import fleet.json fleet.pack",
      "of two timings of a configuration the one of this version stays, then the one of more runs, then the faster");
  command.runs([o](Output& out) { return take(*o, take_file, out); });
}

void add_cache_merge(Command& cache) {
  auto o = std::make_shared<Options>();
  Command command =
      cache.command("merge", "takes entries from other caches' folders; keeps the better one, and says what it did");
  command.arguments("FOLDER", o->from, "another cache").required();
  add_folder(command, o->cache);
  command.example("tessera cache merge /net/build7/cache", "what another machine has compiled and tuned");
  command.runs([o](Output& out) { return take(*o, take_folder, out); });
}

}  // namespace cli
TESSERA_END
