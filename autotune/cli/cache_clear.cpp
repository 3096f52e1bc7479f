// Owns `tessera cache clear`: everything goes, after a question.
#include <unistd.h>

#include <cstdio>

#include "autotune/cli/caches.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

struct Options {
  CacheOptions cache;
  bool yes = false;
};

/// Whether the user answers yes.
bool agrees() {
  std::string answer;
  for (int c = std::getchar(); c != EOF && c != '\n'; c = std::getchar()) answer += static_cast<char>(c);
  return answer == "y" || answer == "yes" || answer == "Y" || answer == "Yes";
}

int clear(const Options& o, Output& out) {
  Caches caches(o.cache);
  caches.need_writable();
  std::uint64_t objects = 0, shapes = 0;
  if (o.cache.wants_objects())
    caches.objects().each([&](const jit::ObjectEntry& entry) {
      objects += o.cache.fits(entry) && entry.layer == caches.folder();
      return true;
    });
  if (o.cache.wants_tuned())
    caches.tuned().each([&](const autotune::TunedStore::Entry& entry) {
      shapes += o.cache.fits(entry.key);
      return true;
    });
  const std::string what = (o.cache.wants_objects() ? counted(objects, "object") : "") +
                           (o.cache.both() ? " and " : "") +
                           (o.cache.wants_tuned() ? counted(shapes, "tuned shape") : "") + " in " + caches.folder();
  if (!o.yes) {
    if (!::isatty(STDIN_FILENO))
      throw UserError("nobody is there to ask whether to drop " + what + "\n  hint: --yes does it");
    std::fprintf(stderr, "Drop %s? Tuned configurations took time to find. [y/N] ", what.c_str());
    if (!agrees()) {
      out.line("nothing was dropped");
      out.set("cleared", false);
      return exit_finding;
    }
  }
  std::uint64_t dropped = 0, timings = 0;
  if (o.cache.wants_objects())
    dropped = caches.objects().clear([&](const jit::ObjectEntry& entry) { return o.cache.fits(entry); }).entries;
  if (o.cache.wants_tuned())
    timings = caches.tuned().clear([&](const autotune::TunedKey& key) { return o.cache.fits(key); });
  out.line("dropped " + (o.cache.wants_objects() ? counted(dropped, "object") : "") + (o.cache.both() ? " and " : "") +
           (o.cache.wants_tuned() ? counted(timings, "timing") : "") + " in " + caches.folder());
  out.set("cleared", true);
  out.set("objects", dropped);
  out.set("timings", timings);
  return exit_done;
}

}  // namespace

void add_cache_clear(Command& cache) {
  auto o = std::make_shared<Options>();
  Command command = cache.command("clear", "drops entries of the folder that is written to; asks first");
  command.flag("--yes", o->yes, "do not ask");
  add_which(command, o->cache);
  add_folder(command, o->cache);
  command.example("tessera cache clear --objects --yes", "compiled code only: it is compiled again when it is called");
  command.example("tessera cache clear --kernel gemm", "what is known of gemm, after a question");
  command.runs([o](Output& out) { return clear(*o, out); });
}

}  // namespace cli
TESSERA_END
