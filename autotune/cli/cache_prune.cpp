// Owns `tessera cache prune`: less is kept.
#include <algorithm>

#include "autotune/cli/caches.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

struct Options {
  CacheOptions cache;
  std::string size;
  std::int64_t days = 0;
  bool stale = false;
};

int prune(const Options& o, Output& out) {
  Caches caches(o.cache);
  caches.need_writable();
  std::uint64_t most = caches.objects().options().most_bytes;
  if (!o.size.empty() && !jit::parse_size(o.size, most))
    throw UserError("--size: \"" + o.size + "\" is no size\n  hint: as in 512M or 2G");
  const auto reports = caches.objects().verify();
  const bool damaged = std::any_of(reports.begin(), reports.end(), [&](const jit::VerifyReport& report) {
    return report.layer == caches.folder() && (!report.clean() || report.waste > 0);
  });
  const jit::StoreTotals gone = caches.objects().prune(most);
  out.line("compiled code: dropped " + counted(gone.entries, "object") + ", " + bytes_text(gone.bytes) +
           ", to keep at most " + bytes_text(most) + (damaged ? "; removed what was damaged" : ""));
  out.set("objects",
          Json::object({{"damaged", damaged}, {"dropped", gone.entries}, {"bytes", gone.bytes}, {"most_bytes", most}}));
  std::uint64_t timings = 0;
  if (o.days > 0 || o.stale) {
    constexpr double ever = 1e6;  // days
    timings = caches.tuned().prune(o.days > 0 ? static_cast<double>(o.days) : ever, o.stale);
    out.line("tuned configurations: dropped " + counted(timings, "timing"));
  }
  out.set("tuned", Json::object({{"dropped", timings}}));
  return exit_done;
}

}  // namespace

void add_cache_prune(Command& cache) {
  auto o = std::make_shared<Options>();
  Command command = cache.command(
      "prune",
      "drops damaged entries and compiled code beyond the limit, least recently used first; timings only where asked");
  command.option("--size", "BYTES", o->size,
                 "keep at most so much compiled code, as in 512M; otherwise TESSERA_CACHE_SIZE");
  command.option("--days", "N", o->days, 1, "drop timings that are older");
  command.flag("--stale", o->stale, "drop timings of other versions of Tessera or of the code generator");
  add_folder(command, o->cache);
  command.example("tessera cache prune --size 100M", "the rest is compiled again when it is called");
  command.runs([o](Output& out) { return prune(*o, out); });
}

}  // namespace cli
TESSERA_END
