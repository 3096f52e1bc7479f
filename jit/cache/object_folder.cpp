// Owns the packs of a folder: finding, appending, writing anew.
#include "jit/cache/object_folder.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <ctime>
#include <thread>

#include "jit/runtime/log.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

constexpr const char folder_name[] = "objects-1";  // the number changes with the form of records
constexpr const char locks_name[] = "locks";
constexpr unsigned pack_count = 256;
constexpr double lock_seconds = 10;  // a writer holds a pack for far less
constexpr off_t evict_range = off_t{1} << 62;

std::string pack_name(unsigned number) {
  constexpr char digits[] = "0123456789abcdef";
  return {digits[number >> 4 & 15], digits[number & 15], '.', 'p', 'a', 'c', 'k'};
}
unsigned pack_of(std::uint64_t digest) { return static_cast<unsigned>(digest >> 56); }

std::int64_t seconds_now() { return static_cast<std::int64_t>(std::time(nullptr)); }

/// Locks or unlocks one byte far behind a file's end, for a descriptor: the lock goes with the process, whatever ends
/// it.
bool change_range(int fd, off_t place, short type) {
  struct flock range{};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = place;
  range.l_len = 1;
  return fcntl(fd, F_OFD_SETLK, &range) == 0;
}

bool lock_range(int fd, off_t place, bool wait_none, double seconds) {
  using namespace std::chrono;
  const auto until = steady_clock::now() + duration<double>(seconds);
  for (auto pause = microseconds(200);; pause = std::min(pause * 2, microseconds(5000))) {
    if (change_range(fd, place, F_WRLCK)) return true;
    if ((errno != EAGAIN && errno != EACCES && errno != EINTR) || wait_none || steady_clock::now() >= until)
      return false;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

std::optional<StoredObject> find_in(const PackBytes& bytes, const ObjectKey& key, std::string_view signing,
                                    std::string& why, Record* where) {
  std::vector<Record> candidates;
  PackScan scan(bytes);
  for (Record record; scan.next(record);)
    if (record.digest == key.digest()) candidates.push_back(record);
  for (auto record = candidates.rbegin(); record != candidates.rend(); ++record) {
    auto object = load_record(bytes, *record, signing, why);
    if (!object || !key.accepts(object->key)) continue;
    if (where) *where = *record;
    return object;
  }
  return std::nullopt;
}

void verify_pack(const PackBytes& bytes, const std::string& name, std::string_view signing, VerifyReport& report) {
  PackScan scan(bytes);
  std::string why;
  for (Record record; scan.next(record);) {
    const std::uint64_t size = record.end() - record.offset;
    if (load_record(bytes, record, signing, why)) {
      ++report.entries;
      report.bytes += size;
    } else {
      ++report.damaged;
      report.waste += size;
      report.notes.push_back(name + ", byte " + std::to_string(record.offset) + ": " + why);
    }
  }
  report.waste += scan.waste();
}

Trust ObjectFolder::trust() const {
  return !signing_.empty() ? Trust::anyone : writable_ ? Trust::owner : Trust::owner_or_root;
}

/// The folder of packs; none where it does not exist (no `problem`) or is refused.
Fd ObjectFolder::open(bool create, std::string& problem) const {
  const Fd folder = open_folder(path_, create, trust(), problem);
  if (!folder) {
    struct stat s{};
    if (!create && lstat(path_.c_str(), &s) != 0 && errno == ENOENT) problem.clear();
    return {};
  }
  Fd packs = open_folder_at(folder, folder_name, create, trust(), problem);
  if (!problem.empty()) problem = path_ + "/" + problem;
  return packs;
}

/// One pack for writing, locked: the file that has the name now, not one that was replaced while we waited.
Fd ObjectFolder::open_locked(const Fd& folder, unsigned number, bool create, std::string& problem) const {
  const std::string name = pack_name(number);
  for (int attempt = 0; attempt < 100; ++attempt) {
    Fd file = open_file(folder, name, create ? Access::create : Access::write, trust(), problem);
    if (!file) return {};
    if (!lock_file(file.get(), true, lock_seconds)) {
      problem =
          name + ": " + (errno == EWOULDBLOCK ? "another process holds it" : "cannot be locked: " + error_text(errno));
      return {};
    }
    struct stat mine{}, there{};
    if (fstat(file.get(), &mine) == 0 && fstatat(folder.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
        mine.st_ino == there.st_ino && mine.st_dev == there.st_dev)
      return file;
    unlock_file(file.get());
  }
  problem = name + " is replaced all the time";
  return {};
}

std::optional<StoredObject> ObjectFolder::get(const ObjectKey& key, std::string& why) const {
  std::string problem;
  const Fd folder = open(false, problem);
  const Fd file = folder ? open_file(folder, pack_name(pack_of(key.digest())), Access::read, trust(), problem) : Fd();
  if (!problem.empty()) complain_(folder ? path_ + "/" + folder_name + "/" + problem : problem);
  if (!file) return std::nullopt;
  Record record;
  std::string damage;
  auto object = find_in(PackBytes(file.get()), key, signing_, damage, &record);
  if (!object && !damage.empty()) {  // perhaps it was being written: look again when no writer is at it
    damage.clear();
    const bool locked = lock_file(file.get(), false, 1);
    object = find_in(PackBytes(file.get()), key, signing_, damage, &record);
    if (locked) unlock_file(file.get());
  }
  if (!object) {
    if (!damage.empty()) {
      why = damage;
      log(LogLevel::warn, "cache: " + path_ + ": " + damage + "; it is made anew");
    }
    return std::nullopt;
  }
  const std::int64_t now = seconds_now();
  if (writable_ && std::abs(static_cast<double>(now - record.used)) > touch_seconds_) {
    std::string ignored;
    const Fd touch = open_file(folder, pack_name(pack_of(key.digest())), Access::write, trust(), ignored);
    struct stat a{}, b{};
    if (touch && fstat(touch.get(), &a) == 0 && fstat(file.get(), &b) == 0 && a.st_ino == b.st_ino)
      (void)write_at(touch.get(), record.offset + Record::used_at, used_bytes(now, record.seal));
  }
  return object;
}

bool ObjectFolder::put(const ObjectKey& key, const std::vector<Field>& info, std::string_view image, bool& there,
                       std::uint64_t& written) const {
  std::string problem, ignored;
  there = false;
  const Fd folder = open(true, problem);
  if (!folder) {
    complain_(problem);
    return false;
  }
  const Fd file = open_locked(folder, pack_of(key.digest()), true, problem);
  if (!file) {
    complain_(path_ + "/" + folder_name + "/" + problem);
    return false;
  }
  const PackBytes bytes(file.get());
  PackScan scan(bytes);
  std::vector<Record> candidates;
  for (Record record; scan.next(record);)
    if (record.digest == key.digest()) candidates.push_back(record);
  for (const Record& record : candidates) {
    const auto object = load_record(bytes, record, signing_, ignored);
    there |= object && object->key.bytes() == key.bytes() && object->key.compiler() == key.compiler();
  }
  bool kept = there;
  if (!there) {
    const std::string record = make_record(key, info, image, seconds_now(), signing_);
    // What a killed writer left unfinished at the end goes; a record must never lie within the claim of another.
    const std::uint64_t end = scan.good_end();
    kept = !record.empty() && (!scan.torn() || ftruncate(file.get(), static_cast<off_t>(end)) == 0) &&
           write_at(file.get(), end, record);
    if (!kept) {
      const int number = record.empty() ? EFBIG : errno;
      (void)!ftruncate(file.get(), static_cast<off_t>(end));
      complain_(path_ + "/" + folder_name + ": " + error_text(number));
    } else {
      written = record.size();
    }
  }
  unlock_file(file.get());
  return kept;
}

std::shared_ptr<void> ObjectFolder::lock(const ObjectKey& key, double seconds) const {
  struct Held {
    Fd file;
    off_t place = 0;
    // Said, not only closed: a child that was forked meanwhile has a copy of the descriptor, and would hold on.
    ~Held() {
      if (file) change_range(file.get(), place, F_UNLCK);
    }
  };
  auto held = std::make_shared<Held>();
  std::string problem;
  const Fd folder = open(true, problem);
  if (!folder) return held;
  held->place = static_cast<off_t>(key.digest() >> 2);
  held->file = open_file(folder, locks_name, Access::create, trust(), problem);
  if (held->file) (void)lock_range(held->file.get(), held->place, false, seconds);
  return held;
}

void ObjectFolder::each_pack(const std::function<bool(const PackBytes&, const std::string& name)>& visit) const {
  std::string ignored;
  const Fd folder = open(false, ignored);
  for (unsigned n = 0; folder && n < pack_count; ++n)
    if (const Fd file = open_file(folder, pack_name(n), Access::read, trust(), ignored))
      if (!visit(PackBytes(file.get()), pack_name(n))) return;
}

void ObjectFolder::verify(VerifyReport& report) const {
  std::string problem;
  const Fd folder = open(false, problem);
  if (!problem.empty()) report.notes.push_back(problem);
  for (unsigned n = 0; folder && n < pack_count; ++n) {
    std::string wrong;
    const Fd file = open_file(folder, pack_name(n), Access::read, trust(), wrong);
    if (!wrong.empty()) report.notes.push_back(wrong);
    if (!file) continue;
    const bool locked = lock_file(file.get(), false, lock_seconds);
    verify_pack(PackBytes(file.get()), pack_name(n), signing_, report);
    if (locked) unlock_file(file.get());
  }
}

StoreTotals ObjectFolder::totals(bool entries) const {
  StoreTotals totals;
  each_pack([&](const PackBytes& bytes, const std::string&) {
    ++totals.files;
    totals.bytes += bytes.size();
    PackScan scan(bytes);
    for (Record record; entries && scan.next(record);) ++totals.entries;
    return true;
  });
  return totals;
}

/// Writes a pack anew with the records for which `keep` holds; damaged ones go too. Readers of the old file keep it.
StoreTotals ObjectFolder::rewrite(const Fd& folder, unsigned number, const Keep& keep) const {
  StoreTotals gone;
  std::string problem;
  const Fd file = open_locked(folder, number, false, problem);
  if (!file) {
    if (!problem.empty()) complain_(folder ? path_ + "/" + folder_name + "/" + problem : problem);
    return gone;
  }
  const PackBytes bytes(file.get());
  std::string kept, why;
  PackScan scan(bytes);
  for (Record record; scan.next(record);) {
    std::string whole(static_cast<std::size_t>(record.end() - record.offset), '\0');
    const bool sound =
        load_record(bytes, record, signing_, why) && bytes.read(record.offset, whole.data(), whole.size());
    if (sound && keep(bytes, record))
      kept += whole;
    else
      ++gone.entries;
  }
  if (kept.size() != bytes.size()) {
    if (kept.empty() ? unlinkat(folder.get(), pack_name(number).c_str(), 0) == 0 : replace(folder, number, kept)) {
      gone.bytes = bytes.size() - kept.size();
      ++gone.files;
    } else {
      complain_(path_ + ": " + error_text(errno));
      gone = {};
    }
  }
  unlock_file(file.get());
  return gone;
}

bool ObjectFolder::replace(const Fd& folder, unsigned number, const std::string& bytes) const {
  std::uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) return false;
  const std::string name = "new-" + std::to_string(random);
  const Fd file(openat(folder.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       trust() == Trust::anyone ? 0660 : 0600));
  if (!file) return false;
  if (write_at(file.get(), 0, bytes) && fdatasync(file.get()) == 0 &&
      renameat(folder.get(), name.c_str(), folder.get(), pack_name(number).c_str()) == 0)
    return true;
  const int number_of_error = errno;
  (void)unlinkat(folder.get(), name.c_str(), 0);
  errno = number_of_error;
  return false;
}

/// Files that a process left behind when it was killed while it wrote a pack anew.
void ObjectFolder::drop_orphans(const Fd& folder) const {
  std::vector<std::string> names;
  for (const std::string& name : file_names(folder))
    if (name.rfind("new-", 0) == 0) names.push_back(name);
  for (const std::string& name : names) {
    struct stat s{};
    if (fstatat(folder.get(), name.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode) &&
        std::abs(static_cast<double>(seconds_now() - s.st_mtime)) > 600)
      (void)unlinkat(folder.get(), name.c_str(), 0);
  }
}

StoreTotals ObjectFolder::evict(std::uint64_t most) const {
  struct Candidate {
    std::int64_t used;
    unsigned pack;
    std::uint64_t offset, bytes;
  };
  StoreTotals gone;
  std::string ignored;
  const Fd folder = open(false, ignored);
  if (!folder) return gone;
  const Fd locks = open_file(folder, locks_name, Access::create, trust(), ignored);
  if (locks && !lock_range(locks.get(), evict_range, true, 0)) return gone;  // another process is at it
  drop_orphans(folder);
  std::vector<Candidate> all;
  std::uint64_t bytes = 0;
  const std::int64_t now = seconds_now();
  for (unsigned n = 0; n < pack_count; ++n) {
    const Fd file = open_file(folder, pack_name(n), Access::read, trust(), ignored);
    if (!file) continue;
    const PackBytes pack(file.get());
    PackScan scan(pack);
    for (Record r; scan.next(r);) {
      all.push_back(
          {std::min(r.used, now), n, r.offset, r.end() - r.offset});  // a clock that was ahead is no privilege
      bytes += all.back().bytes;
    }
    if (scan.waste() > 0) all.push_back({INT64_MIN, n, UINT64_MAX, scan.waste()}), bytes += scan.waste();
  }
  std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) { return a.used < b.used; });
  std::vector<std::pair<unsigned, std::uint64_t>> victims;
  for (const Candidate& c : all) {
    if (bytes <= most && c.used != INT64_MIN) break;
    victims.emplace_back(c.pack, c.offset);
    bytes -= c.bytes;
  }
  std::sort(victims.begin(), victims.end());
  for (auto v = victims.begin(); v != victims.end();) {
    const unsigned pack = v->first;
    const auto end = std::find_if(v, victims.end(), [&](const auto& x) { return x.first != pack; });
    const StoreTotals part = rewrite(folder, pack, [&](const PackBytes&, const Record& r) {
      return !std::binary_search(v, end, std::pair(pack, r.offset));
    });
    gone.entries += part.entries, gone.bytes += part.bytes, gone.files += part.files;
    v = end;
  }
  if (locks) (void)change_range(locks.get(), evict_range, F_UNLCK);
  return gone;
}

StoreTotals ObjectFolder::filter(const Keep& keep) const {
  StoreTotals gone;
  std::string problem;
  const Fd folder = open(false, problem);
  for (unsigned n = 0; folder && n < pack_count; ++n) {
    const StoreTotals part = rewrite(folder, n, keep);
    gone.entries += part.entries, gone.bytes += part.bytes, gone.files += part.files;
  }
  return gone;
}

}  // namespace jit
TESSERA_END
