// Owns packs: objects one after another in a file or in memory, each with a head that can be found and a checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/cache/digest.hpp"
#include "jit/cache/object_store.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// Where the bytes of a pack are: a file, read and never mapped, since a mapped file that gets shorter kills the
/// process; or memory.
class PackBytes {
 public:
  explicit PackBytes(int fd);
  explicit PackBytes(std::string_view memory) : memory_(memory), size_(memory.size()) {}
  std::uint64_t size() const { return size_; }
  bool read(std::uint64_t offset, char* to, std::size_t count) const;
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
  std::string_view memory_;
  std::uint64_t size_ = 0;
};

/// One object's place in a pack. A record is a head of 80 bytes, the key's fields, the info, the image; it starts at a
/// multiple of 64 bytes. The head has the sizes, the checksum or signature of all that follows, and a checksum of its
/// own; the time of last use alone lies outside both: it is changed in place, and guarded by some bits of its own.
struct Record {
  std::uint64_t offset = 0;
  std::uint64_t digest = 0;  ///< ObjectKey::digest
  std::uint32_t key_bytes = 0, info_bytes = 0;
  std::uint64_t image_bytes = 0;
  std::int64_t used = 0;
  Digest seal{};

  std::uint64_t body() const { return offset + head_bytes; }
  std::uint64_t end() const;  ///< where the next record may start
  static constexpr std::uint64_t head_bytes = 80, alignment = 64, used_at = 32;
};

/// Goes through the records of a pack in order. Bytes that are no record are passed over, up to the next one.
class PackScan {
 public:
  explicit PackScan(const PackBytes& bytes) : bytes_(bytes) {}
  bool next(Record& record);
  /// After the last one: bytes that belong to no record, the end of the last record, and whether a record is unfinished
  /// at the end of the pack.
  std::uint64_t waste() const { return waste_; }
  std::uint64_t good_end() const { return good_end_; }
  bool torn() const { return torn_; }

 private:
  bool head_at(std::uint64_t offset, Record& record);

  const PackBytes& bytes_;
  std::uint64_t at_ = 0, waste_ = 0, good_end_ = 0;
  bool torn_ = false;
  std::string window_;  // bytes from window_at_ on, where records are searched
  std::uint64_t window_at_ = 0;
  bool searching_ = false;
};

/// The eight bytes at Record::used_at.
std::string used_bytes(std::int64_t seconds, const Digest& seal);

/// The bytes of a record, of a multiple of 64; `key` signs, where not empty.
std::string make_record(const ObjectKey& object, const std::vector<Field>& info, std::string_view image,
                        std::int64_t used, std::string_view key);

/// The whole of a record; nothing where it is damaged: `why` says how.
std::optional<StoredObject> load_record(const PackBytes& bytes, const Record& record, std::string_view key,
                                        std::string& why);

/// Key and info only, unchecked, for listings.
std::optional<ObjectEntry> load_entry(const PackBytes& bytes, const Record& record);

}  // namespace jit
TESSERA_END
