// Owns the form of records and the search for them.
#include "jit/cache/pack.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "jit/cache/file.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

constexpr char magic[] = {'t', 'e', 's', 's', 'o', 'b', 'j', '1'};
constexpr std::uint64_t most_key = 16 << 20, most_info = 1 << 20, most_image = std::uint64_t{1} << 30;
constexpr std::size_t seal_at = 40, check_at = 72, window_bytes = 64 << 10;
static_assert(check_at + 8 == Record::head_bytes && seal_at + sizeof(Digest) == check_at);

template <class T>
void put(std::string& out, T number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);  // x86-64 and what follows it are little-endian
  out.append(bytes, sizeof number);
}

template <class T>
T get(const char* from) {
  T number;
  std::memcpy(&number, from, sizeof number);
  return number;
}

/// The head's own checksum: all of it but the time of use and the checksum itself.
std::uint64_t head_check(std::string_view head) {
  char covered[check_at - 8];
  std::memcpy(covered, head.data(), Record::used_at);
  std::memcpy(covered + Record::used_at, head.data() + seal_at, check_at - seal_at);
  return short_hash({covered, sizeof covered});
}

/// The time of use lies outside the seal, since it changes; 24 bits of its word guard it.
std::uint64_t used_word(std::int64_t seconds, const char* seal) {
  const std::uint64_t time =
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(seconds, 0, (std::int64_t{1} << 40) - 1));
  char bytes[sizeof time + sizeof(Digest)];
  std::memcpy(bytes, &time, sizeof time);
  std::memcpy(bytes + sizeof time, seal, sizeof(Digest));
  return time << 24 | (short_hash({bytes, sizeof bytes}) & 0xffffff);
}

std::uint64_t aligned(std::uint64_t offset) {
  return (offset + Record::alignment - 1) / Record::alignment * Record::alignment;
}

}  // namespace

PackBytes::PackBytes(int fd) : fd_(fd) {
  struct stat s{};
  if (fstat(fd, &s) == 0 && s.st_size > 0) size_ = static_cast<std::uint64_t>(s.st_size);
}

bool PackBytes::read(std::uint64_t offset, char* to, std::size_t count) const {
  if (offset > size_ || count > size_ - offset) return false;
  if (fd_ >= 0) return read_at(fd_, offset, to, count);
  std::memcpy(to, memory_.data() + offset, count);
  return true;
}

std::uint64_t Record::end() const { return aligned(body() + key_bytes + info_bytes + image_bytes); }

bool PackScan::head_at(std::uint64_t offset, Record& record) {
  char head[Record::head_bytes];
  if (bytes_.size() < offset + sizeof head) return false;
  if (offset >= window_at_ && offset + sizeof head <= window_at_ + window_.size()) {
    std::memcpy(head, window_.data() + (offset - window_at_), sizeof head);
  } else if (searching_) {
    window_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(window_bytes, bytes_.size() - offset)));
    window_at_ = offset;
    if (!bytes_.read(offset, window_.data(), window_.size())) {
      window_.clear();
      return false;
    }
    std::memcpy(head, window_.data(), sizeof head);
  } else if (!bytes_.read(offset, head, sizeof head)) {
    return false;
  }
  if (std::memcmp(head, magic, sizeof magic) != 0 ||
      get<std::uint64_t>(head + check_at) != head_check({head, sizeof head}))
    return false;
  record.offset = offset;
  record.digest = get<std::uint64_t>(head + 8);
  record.key_bytes = get<std::uint32_t>(head + 16);
  record.info_bytes = get<std::uint32_t>(head + 20);
  record.image_bytes = get<std::uint64_t>(head + 24);
  const auto used = get<std::uint64_t>(head + Record::used_at);
  record.used = static_cast<std::int64_t>(used >> 24);
  std::memcpy(record.seal.data(), head + seal_at, record.seal.size());
  return used == used_word(record.used, head + seal_at) && record.key_bytes <= most_key &&
         record.info_bytes <= most_info && record.image_bytes <= most_image;
}

bool PackScan::next(Record& record) {
  while (at_ + Record::head_bytes <= bytes_.size()) {
    const bool found = head_at(at_, record);
    if (found && record.end() <= bytes_.size()) {
      at_ = good_end_ = record.end();
      searching_ = torn_ = false;
      return true;
    }
    torn_ |= found;
    searching_ = true;
    waste_ += Record::alignment;
    at_ += Record::alignment;
  }
  if (at_ < bytes_.size()) {
    waste_ += bytes_.size() - at_;
    at_ = bytes_.size();
  }
  torn_ |= good_end_ < bytes_.size();
  return false;
}

std::string used_bytes(std::int64_t seconds, const Digest& seal) {
  std::string out;
  put(out, used_word(seconds, seal.data()));
  return out;
}

std::string make_record(const ObjectKey& object, const std::vector<Field>& info, std::string_view image,
                        std::int64_t used, std::string_view key) {
  const std::string fields = encode(object.fields()), notes = encode(info);
  if (fields.size() > most_key || notes.size() > most_info || image.size() > most_image) return {};
  std::string out(magic, sizeof magic);
  put(out, object.digest());
  put(out, static_cast<std::uint32_t>(fields.size()));
  put(out, static_cast<std::uint32_t>(notes.size()));
  put(out, static_cast<std::uint64_t>(image.size()));
  out.resize(Record::head_bytes);
  out.append(fields).append(notes).append(image);
  out.resize(static_cast<std::size_t>(aligned(out.size())));
  const std::string_view all = out;
  const Digest seal = digest({all.substr(0, Record::used_at), all.substr(Record::head_bytes)}, key);
  std::memcpy(out.data() + seal_at, seal.data(), seal.size());
  const std::string use = used_bytes(used, seal);
  std::memcpy(out.data() + Record::used_at, use.data(), use.size());
  const std::uint64_t check = head_check(all.substr(0, Record::head_bytes));
  std::memcpy(out.data() + check_at, &check, sizeof check);
  return out;
}

std::optional<StoredObject> load_record(const PackBytes& bytes, const Record& record, std::string_view key,
                                        std::string& why) {
  std::string sizes(Record::used_at, '\0'), body;
  body.resize(static_cast<std::size_t>(record.end() - record.body()));  // the filling at its end too
  if (!bytes.read(record.offset, sizes.data(), sizes.size()) || !bytes.read(record.body(), body.data(), body.size())) {
    why = "the entry cannot be read";
    return std::nullopt;
  }
  if (digest({sizes, body}, key) != record.seal) {
    why = key.empty() ? "the entry's checksum is wrong" : "the entry's signature is wrong";
    return std::nullopt;
  }
  const std::string_view all = body;
  auto fields = decode(all.substr(0, record.key_bytes));
  auto info = decode(all.substr(record.key_bytes, record.info_bytes));
  if (!fields || !info) {
    why = "the entry is of another form";
    return std::nullopt;
  }
  StoredObject object;
  for (const Field& field : *fields) object.key.add(field.name, field.value);
  object.info = std::move(*info);
  body.resize(static_cast<std::size_t>(record.key_bytes + record.info_bytes + record.image_bytes));
  body.erase(0, std::size_t{record.key_bytes} + record.info_bytes);
  object.image = std::move(body);
  return object;
}

std::optional<ObjectEntry> load_entry(const PackBytes& bytes, const Record& record) {
  std::string body(std::size_t{record.key_bytes} + record.info_bytes, '\0');
  if (!bytes.read(record.body(), body.data(), body.size())) return std::nullopt;
  const auto fields = decode(std::string_view(body).substr(0, record.key_bytes));
  auto info = decode(std::string_view(body).substr(record.key_bytes));
  if (!fields || !info) return std::nullopt;
  ObjectEntry entry;
  for (const Field& field : *fields) entry.key.add(field.name, field.value);
  entry.info = std::move(*info);
  entry.image_bytes = record.image_bytes;
  entry.record_bytes = record.end() - record.offset;
  entry.used = record.used;
  return entry;
}

}  // namespace jit
TESSERA_END
