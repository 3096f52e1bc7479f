// Owns who is asked for configurations: what was set, or libtessera_autotune, opened where a table of them exists.
#include "jit/runtime/configuration_source.hpp"

#include <dlfcn.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string>

#include "jit/cache/build_id.hpp"
#include "jit/cache/embedded.hpp"
#include "jit/cache/place.hpp"
#include "jit/runtime/log.hpp"

#ifndef TESSERA_AUTOTUNE_LIBRARY
#define TESSERA_AUTOTUNE_LIBRARY "libtessera_autotune.so"
#endif

TESSERA_BEGIN
namespace jit {
namespace {

std::atomic<ConfigurationSource*> set_source{nullptr};
std::atomic<bool> is_set{false};

bool has_table(const std::string& folder) {
  struct stat s{};
  return !folder.empty() && lstat((folder + "/tuned.sqlite").c_str(), &s) == 0;
}

/// Programs that neither tuned anything nor are to tune in the background never load SQLite.
ConfigurationSource* open_library() {
  const StoreOptions options = store_options_from_environment();
  const char* tune = std::getenv("TESSERA_TUNE");
  bool any = !embedded_tables().empty() || (!options.off && has_table(options.folder)) || (tune && *tune);
  for (const std::string& layer : options.layers) any = any || (!options.off && has_table(layer));
  if (!any) return nullptr;
  const std::string llvm = llvm_library_path();
  const std::string path = llvm.substr(0, llvm.rfind('/') + 1) + TESSERA_AUTOTUNE_LIBRARY;
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    log(LogLevel::info, std::string("tuned configurations are not used: ") + dlerror());
    return nullptr;
  }
  auto factory = reinterpret_cast<ConfigurationSourceFactory>(dlsym(handle, "tessera_autotune_source"));
  ConfigurationSource* source = factory ? factory(configuration_boundary) : nullptr;
  if (!source)
    log(LogLevel::warn, path + " is of another build than libtessera_jit: tuned configurations are not used");
  return source;
}

}  // namespace

ConfigurationSource* set_configuration_source(ConfigurationSource* source) {
  ConfigurationSource* before = set_source.exchange(source);
  is_set = true;
  return before;
}

std::optional<std::vector<Tuned>> ask_configuration(const ConfigurationQuestion& question) noexcept {
  if (is_set.load()) {
    ConfigurationSource* source = set_source.load();
    return source ? source->tunables(question) : std::nullopt;
  }
  static ConfigurationSource* const found = [] {
    try {
      return open_library();
    } catch (...) {
      return static_cast<ConfigurationSource*>(nullptr);
    }
  }();
  return found ? found->tunables(question) : std::nullopt;
}

}  // namespace jit
TESSERA_END
