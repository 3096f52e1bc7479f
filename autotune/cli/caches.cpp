// Owns the opening of the two stores for the tool.
#include "autotune/cli/caches.hpp"

#include <cinttypes>
#include <cstdio>

#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cli {

void add_folder(Command& command, CacheOptions& options) {
  command.option("--dir", "FOLDER", options.folder, "this cache, instead of the one that the environment names");
}

void add_which(Command& command, CacheOptions& options) {
  command.flag("--objects", options.objects, "only compiled code");
  command.flag("--tuned", options.tuned, "only tuned configurations");
  command.option("--kernel", "NAME", options.kernel, "only entries of this kernel");
}

Caches::Caches(const CacheOptions& options) {
  jit::StoreOptions objects = jit::store_options_from_environment();
  autotune::TunedOptions tuned = autotune::tuned_options_from_environment();
  if (!options.folder.empty()) {
    objects.off = tuned.off = objects.read_only = tuned.read_only = false;
    objects.folder = tuned.folder = options.folder;
    objects.problem = tuned.problem = "";
    objects.layers.clear();
    tuned.layers.clear();
  }
  objects_ = std::make_unique<jit::ObjectStore>(std::move(objects));
  tuned_ = std::make_unique<autotune::TunedStore>(std::move(tuned));
}

std::string Caches::problem() const {
  if (objects_->options().off) return "caches are off: TESSERA_CACHE says so";
  return objects_->problem();
}

void Caches::need_writable() const {
  if (const std::string why = problem(); !why.empty()) throw DeviceError(why);
  if (objects_->options().read_only) throw DeviceError(folder() + " is only read: TESSERA_CACHE_READONLY says so");
}

std::string identity(const jit::ObjectKey& key) {
  char text[20];
  std::snprintf(text, sizeof text, "%016" PRIx64, key.digest());
  return text;
}

std::string identity(const autotune::TunedKey& key) {
  // FNV-1a over the fields, each with its end.
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::string& field : {key.kernel, key.program, autotune::text(key.extents), key.types, key.device,
                                   std::to_string(key.threads), key.mode}) {
    for (const char c : field) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    hash = (hash ^ 0x100) * 0x100000001b3u;
  }
  char text[20];
  std::snprintf(text, sizeof text, "%016" PRIx64, hash);
  return text;
}

Json key_document(const autotune::TunedKey& key) {
  Json extents = Json::object();
  for (const auto& [name, value] : key.extents) extents.set(name, value);
  return Json::object({{"kernel", key.kernel},
                       {"program", key.program},
                       {"extents", std::move(extents)},
                       {"types", key.types},
                       {"device", key.device},
                       {"threads", key.threads},
                       {"mode", key.mode}});
}

Json timing_document(const autotune::Timing& timing) {
  Json configuration = Json::object();
  for (const Tuned& tuned : timing.configuration) configuration.set(tuned.name, tuned.value);
  Json one = Json::object({{"configuration", std::move(configuration)},
                           {"outcome", autotune::name(timing.outcome)},
                           {"seconds", timing.seconds},
                           {"low", timing.low},
                           {"high", timing.high},
                           {"runs", timing.runs},
                           {"when", timing.when},
                           {"stale", timing.stale},
                           {"chosen", timing.chosen}});
  if (!timing.note.empty()) one.set("note", timing.note);
  return one;
}

void add_cache(Command& root) {
  Command cache = root.command("cache", "looks into and cares for compiled code and tuned configurations on disk");
  add_cache_path(cache);
  add_cache_list(cache);
  add_cache_show(cache);
  add_cache_explain(cache);
  add_cache_stats(cache);
  add_cache_export(cache);
  add_cache_import(cache);
  add_cache_merge(cache);
  add_cache_prune(cache);
  add_cache_verify(cache);
  add_cache_clear(cache);
}

}  // namespace cli
TESSERA_END
