// Owns ObjectFolder: one folder of objects, in 256 packs by digest, appended to under a lock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/cache/file.hpp"
#include "jit/cache/object_store.hpp"
#include "jit/cache/pack.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// The last sound record of a key in a pack, since later ones replace earlier ones; `why` says what was wrong with
/// others.
std::optional<StoredObject> find_in(const PackBytes& bytes, const ObjectKey& key, std::string_view signing,
                                    std::string& why, Record* where = nullptr);
/// Adds what a pack has to a report.
void verify_pack(const PackBytes& bytes, const std::string& name, std::string_view signing, VerifyReport& report);

/// A folder that is read, and written where `writable`. It is opened and looked at anew in each call, so it may be
/// deleted or replaced meanwhile, and no descriptor crosses a fork. What goes wrong is told to `complain`.
class ObjectFolder {
 public:
  using Complain = std::function<void(const std::string&)>;
  using Keep = std::function<bool(const PackBytes&, const Record&)>;

  ObjectFolder(std::string path, bool writable, std::string signing, double touch_seconds, Complain complain)
      : path_(std::move(path)),
        writable_(writable),
        signing_(std::move(signing)),
        touch_seconds_(touch_seconds),
        complain_(std::move(complain)) {}

  const std::string& path() const { return path_; }
  std::optional<StoredObject> get(const ObjectKey& key, std::string& why) const;
  /// Appends an object, unless a sound one of this key and compiler is `there`; false where it could not be kept.
  /// `written` is the bytes that the folder grew by.
  bool put(const ObjectKey& key, const std::vector<Field>& info, std::string_view image, bool& there,
           std::uint64_t& written) const;
  /// See ObjectStore::lock.
  std::shared_ptr<void> lock(const ObjectKey& key, double seconds) const;
  /// Each pack, as it is now; stops when `visit` gives false.
  void each_pack(const std::function<bool(const PackBytes&, const std::string& name)>& visit) const;
  void verify(VerifyReport& report) const;
  /// Files and bytes, and, where asked for, entries.
  StoreTotals totals(bool entries) const;
  /// Drops what was used least recently until at most this many bytes are left.
  StoreTotals evict(std::uint64_t most) const;
  /// Drops what `keep` does not hold for, and what is damaged.
  StoreTotals filter(const Keep& keep) const;

 private:
  Trust trust() const;
  Fd open(bool create, std::string& problem) const;
  Fd open_locked(const Fd& folder, unsigned number, bool create, std::string& problem) const;
  StoreTotals rewrite(const Fd& folder, unsigned number, const Keep& keep) const;
  bool replace(const Fd& folder, unsigned number, const std::string& bytes) const;
  void drop_orphans(const Fd& folder) const;

  std::string path_;
  bool writable_ = false;
  std::string signing_;
  double touch_seconds_ = 3600;
  Complain complain_;
};

}  // namespace jit
TESSERA_END
