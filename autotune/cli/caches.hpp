// Owns what the commands of `tessera cache` share: the two stores of a folder, and how entries are named.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "autotune/cli/command.hpp"
#include "autotune/store/tuned_store.hpp"
#include "jit/cache/object_store.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

/// Which entries a command is about.
struct CacheOptions {
  std::string folder;  ///< instead of the environment's
  std::string kernel;  ///< only entries of this one
  bool objects = false, tuned = false;

  bool both() const { return objects == tuned; }
  bool wants_objects() const { return objects || both(); }
  bool wants_tuned() const { return tuned || both(); }
  bool fits(const jit::ObjectEntry& entry) const { return kernel.empty() || entry.note("kernel") == kernel; }
  bool fits(const autotune::TunedKey& key) const { return kernel.empty() || key.kernel == kernel; }
};

/// Adds --dir.
void add_folder(Command& command, CacheOptions& options);
/// Adds --objects, --tuned and --kernel.
void add_which(Command& command, CacheOptions& options);

/// The two stores, of the folder that is asked for or of the environment's.
class Caches {
 public:
  explicit Caches(const CacheOptions& options);
  jit::ObjectStore& objects() { return *objects_; }
  autotune::TunedStore& tuned() { return *tuned_; }
  /// Of the folder that is written to; empty where there is none.
  const std::string& folder() const { return objects_->folder(); }
  /// Why nothing is kept, in a sentence, or nothing.
  std::string problem() const;
  /// Throws DeviceError where nothing can be written.
  void need_writable() const;

 private:
  std::unique_ptr<jit::ObjectStore> objects_;
  std::unique_ptr<autotune::TunedStore> tuned_;
};

/// The identity of an entry, 16 hexadecimal digits, of which the first will do on a command line.
std::string identity(const jit::ObjectKey& key);
std::string identity(const autotune::TunedKey& key);

Json key_document(const autotune::TunedKey& key);
Json timing_document(const autotune::Timing& timing);

void add_cache_path(Command& cache);
void add_cache_list(Command& cache);
void add_cache_show(Command& cache);
void add_cache_explain(Command& cache);
void add_cache_stats(Command& cache);
void add_cache_export(Command& cache);
void add_cache_import(Command& cache);
void add_cache_merge(Command& cache);
void add_cache_prune(Command& cache);
void add_cache_verify(Command& cache);
void add_cache_clear(Command& cache);

}  // namespace cli
TESSERA_END
