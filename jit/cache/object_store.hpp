// Owns ObjectStore: compiled code on disk, in layers, shared by processes, never wrong and never in the way.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/cache/key.hpp"
#include "jit/cache/place.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// Compiled code with what is noted beside it.
struct StoredObject {
  ObjectKey key;
  std::vector<Field> info;  ///< "kernel", "milliseconds", "entry" …: never part of the key
  std::string image;
  std::string_view note(std::string_view name) const;
};

/// An entry of a layer, for listings; without its image.
struct ObjectEntry {
  ObjectKey key;
  std::vector<Field> info;
  std::string layer;  ///< the folder, or the name of an embedded pack
  std::uint64_t image_bytes = 0, record_bytes = 0;
  std::int64_t used = 0;  ///< seconds since 1970, to an hour; when it was put, or last read
  std::string_view note(std::string_view name) const;
};

/// What `verify` found in one layer.
struct VerifyReport {
  std::string layer;
  std::uint64_t entries = 0, bytes = 0;
  std::uint64_t damaged = 0;       ///< records whose checksum or signature is not right: they are misses
  std::uint64_t waste = 0;         ///< bytes that belong to no entry: of damaged, replaced or unfinished records
  std::vector<std::string> notes;  ///< what is wrong, one sentence each
  bool clean() const { return damaged == 0 && notes.empty(); }
};

struct StoreTotals {
  std::uint64_t entries = 0, bytes = 0, files = 0;
};

/// The nearest entry to a key that was missed.
struct Nearest {
  ObjectEntry entry;
  std::vector<FieldDifference> differences;
};

/// Compiled code, by key. Reads go through the layers: packs that are compiled into the program, the writable folder,
/// the read-only folders. Writes go to the writable folder. Thread-safe; any number of processes may use one folder. No
/// member throws but for lack of memory: what goes wrong on disk is a miss, or an object that is not kept, said once.
class ObjectStore {
 public:
  explicit ObjectStore(StoreOptions options);
  ~ObjectStore();
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  /// The store of this process, by TESSERA_CACHE_DIR and its kin (place.hpp); made at the first call.
  static ObjectStore& process();

  /// The object under `key`, or nothing; `why` (may be null) then says what was wrong with it, or nothing.
  std::optional<StoredObject> get(const ObjectKey& key, std::string* why = nullptr);
  /// Keeps an object on disk; a sound one that is there already stays. False where it could not be kept.
  bool put(const ObjectKey& key, const std::vector<Field>& info, std::string_view image);

  /// Held by the one thread of all processes that makes the object of a key; others wait for it, at most `seconds`.
  /// Released when the last copy goes, or the process ends in any way. Never null; where files cannot be locked nobody
  /// waits. Ask `get` again after waiting.
  std::shared_ptr<void> lock(const ObjectKey& key, double seconds = 60);

  /// Every readable entry, layer by layer; stops when `visit` gives false.
  void each(const std::function<bool(const ObjectEntry&)>& visit);
  /// Entries that differ least from a key; those of the same program first. Reads every key.
  std::vector<Nearest> nearest(const ObjectKey& key, std::size_t count = 1);
  /// One sentence: in what the nearest entry differs from a key that is missed; or that nothing is there.
  std::string explain(const ObjectKey& key);

  std::vector<VerifyReport> verify();
  /// Of the writable folder.
  StoreTotals totals();
  /// Drops what was used least recently until the writable folder has at most this many bytes, damaged records and
  /// waste first. Gives what is gone.
  StoreTotals prune(std::uint64_t bytes);
  /// Drops every entry of the writable folder for which `which` holds; all where it is empty.
  StoreTotals clear(const std::function<bool(const ObjectEntry&)>& which = {});

  /// Writes entries for which `which` holds (all where it is empty) into one file, a pack; false where that failed.
  /// `error` then says why.
  bool write_pack(const std::string& file, const std::function<bool(const ObjectEntry&)>& which, std::string& error,
                  StoreTotals& written);
  /// Puts every entry of a pack into the writable folder, where it has none of that key yet; false: see `error`.
  bool read_pack(const std::string& file, std::string& error, StoreTotals& added, StoreTotals& kept);

  /// The folder that is written to, or empty: then `problem` says why.
  const std::string& folder() const;
  const std::string& problem() const;
  const StoreOptions& options() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace jit
TESSERA_END
