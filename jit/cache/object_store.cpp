// Owns the layers of a store and what is asked of them together.
#include "jit/cache/object_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>

#include "jit/cache/embedded.hpp"
#include "jit/cache/object_folder.hpp"
#include "jit/runtime/log.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

std::string_view note_of(const std::vector<Field>& info, std::string_view name) {
  for (const Field& field : info)
    if (field.name == name) return field.value;
  return {};
}

}  // namespace

std::string_view StoredObject::note(std::string_view name) const { return note_of(info, name); }
std::string_view ObjectEntry::note(std::string_view name) const { return note_of(info, name); }

struct ObjectStore::State {
  StoreOptions options;
  std::atomic<bool> warned{false};
  std::atomic<std::uint64_t> put_since{UINT64_MAX};  // bytes since the folder's size was last looked at; at first, all
  std::vector<ObjectFolder> folders;                 // in the order in which they are searched
  ObjectFolder* writable = nullptr;

  explicit State(StoreOptions given) : options(std::move(given)) {
    if (options.off) return;
    const auto complaint = [this](const std::string& text) { complain(text); };
    if (!options.folder.empty())
      folders.emplace_back(options.folder, !options.read_only, options.key, options.touch_seconds, complaint);
    else
      complain(options.problem);
    for (const std::string& layer : options.layers)
      folders.emplace_back(layer, false, options.key, options.touch_seconds, complaint);
    if (!options.folder.empty() && !options.read_only) writable = &folders.front();
  }

  // What goes wrong on disk never stops a call; it is said once, and then in the log.
  void complain(const std::string& text) {
    if (!warned.exchange(true))
      say_once("cache: " + text + "; what is compiled is not kept on disk");
    else
      log(LogLevel::info, "cache: " + text);
  }

  void keep_to_limit(std::uint64_t written) {
    if (put_since.load() != UINT64_MAX) put_since += written;
    if (put_since.load() <= options.most_bytes / 16) return;
    put_since = 0;
    // Well below the limit, so that this is rare.
    if (writable->totals(false).bytes > options.most_bytes) (void)writable->evict(options.most_bytes / 4 * 3);
  }
};

ObjectStore::ObjectStore(StoreOptions options) : state_(std::make_unique<State>(std::move(options))) {}
ObjectStore::~ObjectStore() = default;

ObjectStore& ObjectStore::process() {
  static auto* store = new ObjectStore(store_options_from_environment());  // calls may come until the process ends
  return *store;
}

const std::string& ObjectStore::folder() const { return state_->options.folder; }
const std::string& ObjectStore::problem() const { return state_->options.problem; }
const StoreOptions& ObjectStore::options() const { return state_->options; }

std::optional<StoredObject> ObjectStore::get(const ObjectKey& key, std::string* why) {
  std::string damage;
  std::optional<StoredObject> object;
  for (const Embedded& pack : embedded_packs())
    if (!object) object = find_in(PackBytes(pack.data), key, {}, damage);
  for (const ObjectFolder& folder : state_->folders)
    if (!object) object = folder.get(key, damage);
  if (why) *why = object ? std::string() : damage;
  return object;
}

bool ObjectStore::put(const ObjectKey& key, const std::vector<Field>& info, std::string_view image) {
  bool there = false;
  std::uint64_t written = 0;
  if (!state_->writable || !state_->writable->put(key, info, image, there, written)) return false;
  state_->keep_to_limit(written);
  return true;
}

std::shared_ptr<void> ObjectStore::lock(const ObjectKey& key, double seconds) {
  return state_->writable ? state_->writable->lock(key, seconds) : std::make_shared<int>(0);
}

void ObjectStore::each(const std::function<bool(const ObjectEntry&)>& visit) {
  bool more = true;
  const auto pack = [&](const PackBytes& bytes, const std::string& layer) {
    PackScan scan(bytes);
    for (Record record; more && scan.next(record);)
      if (auto entry = load_entry(bytes, record)) {
        entry->layer = layer;
        more = visit(*entry);
      }
    return more;
  };
  for (const Embedded& one : embedded_packs()) pack(PackBytes(one.data), one.name);
  for (const ObjectFolder& folder : state_->folders)
    if (more) folder.each_pack([&](const PackBytes& bytes, const std::string&) { return pack(bytes, folder.path()); });
}

std::vector<Nearest> ObjectStore::nearest(const ObjectKey& key, std::size_t count) {
  std::vector<Nearest> list;
  const auto rank = [&](const Nearest& n) {
    return std::pair(n.entry.key.value("program") != key.value("program"), n.differences.size());
  };
  each([&](const ObjectEntry& entry) {
    list.push_back({entry, differences(key, entry.key)});
    std::stable_sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    if (list.size() > count) list.pop_back();
    return true;
  });
  return list;
}

std::string ObjectStore::explain(const ObjectKey& key) {
  std::string why;
  if (get(key, &why)) return "it is in the cache";
  if (!why.empty()) return "the cache has it, but " + why;
  const auto list = nearest(key);
  if (list.empty()) return "the cache is empty";
  const Nearest& n = list.front();
  std::string text;
  for (const FieldDifference& d : n.differences) text += (text.empty() ? "" : "; ") + d.text();
  if (n.entry.key.value("program") != key.value("program"))
    return "the cache has nothing of this program; nearest, " + text;
  return "the nearest entry differs: " + text;
}

std::vector<VerifyReport> ObjectStore::verify() {
  std::vector<VerifyReport> reports;
  for (const Embedded& one : embedded_packs()) {
    reports.emplace_back().layer = one.name;
    verify_pack(PackBytes(one.data), one.name, {}, reports.back());
  }
  for (const ObjectFolder& folder : state_->folders) {
    reports.emplace_back().layer = folder.path();
    folder.verify(reports.back());
  }
  return reports;
}

StoreTotals ObjectStore::totals() {
  return state_->options.folder.empty() || state_->options.off ? StoreTotals{} : state_->folders.front().totals(true);
}

StoreTotals ObjectStore::prune(std::uint64_t bytes) {
  if (!state_->writable) return {};
  StoreTotals gone = state_->writable->filter([](const PackBytes&, const Record&) { return true; });  // drops damage
  const StoreTotals old = state_->writable->evict(bytes);
  gone.entries += old.entries, gone.bytes += old.bytes, gone.files += old.files;
  return gone;
}

StoreTotals ObjectStore::clear(const std::function<bool(const ObjectEntry&)>& which) {
  if (!state_->writable) return {};
  return state_->writable->filter([&](const PackBytes& bytes, const Record& record) {
    if (!which) return false;
    const auto entry = load_entry(bytes, record);
    return entry && !which(*entry);
  });
}

bool ObjectStore::write_pack(const std::string& file, const std::function<bool(const ObjectEntry&)>& which,
                             std::string& error, StoreTotals& written) {
  // Read again record by record: only what is sound goes out, unsigned, since a signature says who wrote a folder.
  const Fd out(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!out) {
    error = file + ": " + error_text(errno);
    return false;
  }
  std::vector<ObjectKey> keys;
  each([&](const ObjectEntry& entry) {
    if (!which || which(entry)) keys.push_back(entry.key);
    return true;
  });
  std::sort(keys.begin(), keys.end(), [](const ObjectKey& a, const ObjectKey& b) {
    return a.bytes() != b.bytes() ? a.bytes() < b.bytes() : a.compiler() < b.compiler();
  });
  const ObjectKey* last = nullptr;
  for (const ObjectKey& key : keys) {
    if (last && last->bytes() == key.bytes() && last->compiler() == key.compiler()) continue;
    last = &key;
    const auto object = get(key);
    if (!object) continue;
    const std::string record =
        make_record(object->key, object->info, object->image, static_cast<std::int64_t>(std::time(nullptr)), {});
    if (!write_at(out.get(), written.bytes, record)) {
      error = file + ": " + error_text(errno);
      return false;
    }
    written.bytes += record.size();
    ++written.entries;
  }
  written.files = 1;
  if (fdatasync(out.get()) == 0 || errno == EINVAL) return true;
  error = file + ": " + error_text(errno);
  return false;
}

bool ObjectStore::read_pack(const std::string& file, std::string& error, StoreTotals& added, StoreTotals& kept) {
  if (!state_->writable) {
    error = "the cache is not written to: " +
            (state_->options.problem.empty() ? "TESSERA_CACHE_READONLY is set" : state_->options.problem);
    return false;
  }
  const Fd in(open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat s{};
  if (!in || fstat(in.get(), &s) != 0 || !S_ISREG(s.st_mode)) {
    error = file + ": " + (in ? "is no regular file" : error_text(errno));
    return false;
  }
  const PackBytes bytes(in.get());
  PackScan scan(bytes);
  std::string why;
  std::uint64_t records = 0;
  for (Record record; scan.next(record);) {
    ++records;
    const auto object = load_record(bytes, record, {}, why);
    if (!object) continue;
    bool there = false;
    std::uint64_t written = 0;
    if (!state_->writable->put(object->key, object->info, object->image, there, written)) {
      error = state_->options.folder + " cannot be written";
      return false;
    }
    StoreTotals& one = there ? kept : added;
    ++one.entries;
    one.bytes += record.end() - record.offset;
    state_->keep_to_limit(written);
  }
  if (records > 0 || bytes.size() == 0) return true;
  error = file + " is no pack of objects";
  return false;
}

}  // namespace jit
TESSERA_END
