// Owns `tessera cache export`: entries as files, for other machines, for fleets, for shipping inside a program.
#include <unistd.h>

#include <set>

#include "autotune/cli/caches.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

struct Options {
  CacheOptions cache;
  std::string objects, tuned;
  bool best = false;
};

int write(const Options& o, Output& out) {
  if (o.objects.empty() && o.tuned.empty())
    throw UserError("name a file\n  hint: --objects FILE for compiled code, --tuned FILE for tuned configurations");
  Caches caches(o.cache);
  if (const std::string problem = caches.problem(); !problem.empty()) throw DeviceError(problem);
  if (!o.objects.empty()) {
    jit::StoreTotals written;
    std::string error;
    const auto which = [&](const jit::ObjectEntry& entry) { return o.cache.fits(entry); };
    if (!caches.objects().write_pack(o.objects, which, error, written)) {
      ::unlink(o.objects.c_str());
      throw DeviceError("cannot write " + error);
    }
    out.line("wrote " + counted(written.entries, "object") + ", " + bytes_text(written.bytes) + ", into " + o.objects);
    out.set("objects", Json::object({{"file", o.objects}, {"entries", written.entries}, {"bytes", written.bytes}}));
  }
  if (!o.tuned.empty()) {
    std::set<std::string> shapes;
    const auto which = [&](const autotune::TunedKey& key) {
      if (o.cache.fits(key)) shapes.insert(identity(key));
      return o.cache.fits(key);
    };
    const std::string text = caches.tuned().export_json(o.best, which);
    write_file(o.tuned, text);
    out.line("wrote " + counted(shapes.size(), "tuned shape") + ", " + bytes_text(text.size()) + ", into " + o.tuned);
    out.set("tuned", Json::object({{"file", o.tuned}, {"shapes", shapes.size()}, {"bytes", text.size()}}));
  }
  return exit_done;
}

}  // namespace

void add_cache_export(Command& cache) {
  auto o = std::make_shared<Options>();
  Command command = cache.command("export", "writes entries into files that import takes, and tessera_embed_kernels");
  command.option("--objects", "FILE", o->objects, "compiled code, as one file");
  command.option("--tuned", "FILE", o->tuned, "tuned configurations, as JSON");
  command.flag("--best", o->best, "of each tuned shape only the best configuration");
  command.option("--kernel", "NAME", o->cache.kernel, "only entries of this kernel");
  add_folder(command, o->cache);
  command.example("tessera cache export --tuned fleet.json --objects fleet.pack", "everything, for other machines");
  command.example("tessera cache export --tuned gemm.json --best --kernel gemm", "a table to ship with a program");
  command.runs([o](Output& out) { return write(*o, out); });
}

}  // namespace cli
TESSERA_END
