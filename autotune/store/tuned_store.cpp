// Owns the layers of tuned configurations: this process's memory, the writable database, read-only ones, embedded
// tables.
#include "autotune/store/tuned_store.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <mutex>
#include <set>

#include "autotune/store/database.hpp"
#include "autotune/store/rows.hpp"
#include "jit/cache/build_id.hpp"
#include "jit/cache/embedded.hpp"
#include "jit/cache/file.hpp"
#include "jit/cache/place.hpp"
#include "jit/runtime/log.hpp"

TESSERA_BEGIN
namespace autotune {
namespace {

constexpr const char file_name[] = "tuned.sqlite";

}  // namespace

Versions current_versions() { return {TESSERA_VERSION, jit::jit_build_id(), jit::compiler_build_id()}; }

TunedOptions tuned_options_from_environment() {
  const jit::StoreOptions store = jit::store_options_from_environment();
  TunedOptions options;
  options.folder = store.off ? "" : store.folder;
  options.layers = store.off ? std::vector<std::string>() : store.layers;
  options.read_only = store.read_only;
  options.off = store.off;
  options.problem = store.problem;
  options.key = store.key;
  return options;
}

struct TunedStore::State {
  TunedOptions options;
  Versions now = current_versions();
  std::mutex mutex;
  Database memory, file;
  std::vector<std::unique_ptr<Database>> layers;
  bool memory_used = false, warned = false, layers_open = false;
  std::size_t embedded_read = 0;
  Database embedded_tables;
  std::string problem;

  explicit State(TunedOptions given) : options(std::move(given)), problem(options.problem) { live(this, true); }
  ~State() { live(this, false); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // A connection that crosses a fork corrupts: before one, every store waits for its call to end and closes; the next
  // call on either side opens again.
  static void live(State* state, bool begins);
  static void go_on_after_fork();
  void close_file() {
    file.close();
    layers.clear();
    layers_open = false;
  }

  void complain(const std::string& text) {
    problem = text;
    if (std::exchange(warned, true))
      jit::log(jit::LogLevel::info, "tuned configurations: " + text);
    else
      jit::say_once("tuned configurations: " + text + "; they are kept in memory only");
  }

  std::string path() const { return options.folder + "/" + file_name; }

  jit::Trust trust(bool writable) const {
    return !options.key.empty() ? jit::Trust::anyone : writable ? jit::Trust::owner : jit::Trust::owner_or_root;
  }

  /// Whether folder and file are ours to use; makes them where `create`. False without a `why`: there is nothing.
  bool usable(const std::string& folder, bool create, bool writable, std::string& why) const {
    const jit::Fd place = jit::open_folder(folder, create, trust(writable), why);
    if (!place) {
      struct stat s{};
      if (!create && lstat(folder.c_str(), &s) != 0 && errno == ENOENT) why.clear();
      return false;
    }
    const auto access = create ? jit::Access::create : writable ? jit::Access::write : jit::Access::read;
    const jit::Fd file = jit::open_file(place, file_name, access, trust(writable), why);
    if (!why.empty()) why = folder + "/" + why;
    return static_cast<bool>(file);
  }

  /// The writable database, open; null where there is none. `create` makes it.
  Database* writable(bool create) {
    if (file.is_open()) {  // somebody may have deleted or replaced it
      struct stat s{};
      if (stat(path().c_str(), &s) == 0 && s.st_ino == inode) return &file;
      file.close();
    }
    if (options.folder.empty()) {
      if (create && !options.problem.empty() && !options.off) complain(options.problem);
      return nullptr;
    }
    std::string why;
    if (!usable(options.folder, create && !options.read_only, !options.read_only, why)) {
      if (!why.empty()) complain(why);
      return nullptr;
    }
    const DatabaseKind kind = options.read_only                                           ? DatabaseKind::read_only
                              : options.journal == "delete" || on_network(options.folder) ? DatabaseKind::network_file
                                                                                          : DatabaseKind::file;
    if (!file.open(path(), kind, options.busy_seconds, why)) {
      const bool damaged = file.damaged();
      file.close();
      if (damaged && !options.read_only && set_aside(why) && file.open(path(), kind, options.busy_seconds, why)) {
        remember_inode();
        return &file;
      }
      file.close();
      complain(path() + ": " + why);
      return nullptr;
    }
    remember_inode();
    return &file;
  }

  void remember_inode() {
    struct stat s{};
    inode = stat(path().c_str(), &s) == 0 ? s.st_ino : 0;
  }

  /// Gives a database that SQLite cannot read another name, with its journals: they must not meet the next one.
  bool set_aside(const std::string& why) {
    std::string ignored;
    const jit::Fd place = jit::open_folder(options.folder, false, trust(true), ignored);
    const jit::Fd gate =
        place ? jit::open_file(place, "tuned.lock", jit::Access::create, trust(true), ignored) : jit::Fd();
    if (!gate || !jit::lock_file(gate.get(), true, 5)) return false;
    Database again;
    std::string error;
    bool moved = again.open(path(), DatabaseKind::file, 1, error);  // another process may have done it by now
    if (!moved && again.damaged()) {
      again.close();
      const std::string to = path() + ".damaged-" + std::to_string(std::time(nullptr));
      (void)std::rename((path() + "-wal").c_str(), (to + "-wal").c_str());
      (void)std::rename((path() + "-journal").c_str(), (to + "-journal").c_str());
      (void)::unlink((path() + "-shm").c_str());
      moved = std::rename(path().c_str(), to.c_str()) == 0;
      if (moved) jit::say_once("tuned configurations: " + path() + ": " + why + "; it is now " + to);
    }
    jit::unlock_file(gate.get());
    return moved;
  }

  Database* scratch() {
    std::string error;
    if (!memory.is_open() && !memory.open("", DatabaseKind::memory, 0, error)) return nullptr;
    return &memory;
  }

  /// Every database to read from, the first to be believed first.
  std::vector<Database*> readable() {
    std::vector<Database*> list;
    if (memory.is_open()) list.push_back(&memory);
    if (Database* db = writable(false)) list.push_back(db);
    if (!layers_open) {
      layers_open = true;
      for (const std::string& folder : options.layers) {
        std::string why;
        auto layer = std::make_unique<Database>();
        if (usable(folder, false, false, why) &&
            layer->open(folder + "/" + file_name, DatabaseKind::read_only, options.busy_seconds, why))
          layers.push_back(std::move(layer));
        else if (!why.empty())
          jit::say_once("tuned configurations: " + folder + ": " + why + "; this layer is not used");
      }
    }
    for (const auto& layer : layers) list.push_back(layer.get());
    if (Database* db = embedded_database()) list.push_back(db);
    return list;
  }

  Database* embedded_database() {
    std::string error;
    const std::vector<jit::Embedded> tables = jit::embedded_tables();
    for (; embedded_read < tables.size(); ++embedded_read) {
      if (!embedded_tables.is_open() && !embedded_tables.open("", DatabaseKind::memory, 0, error)) return nullptr;
      MergeReport report;
      const auto& [name, json] = tables[embedded_read];
      std::vector<Row> rows;
      if (!rows_from_json(json, rows, error) || !merge_rows(embedded_tables, rows, now, options.key, report, error))
        jit::say_once("tuned configurations: the embedded table " + name + ": " + error);
    }
    return embedded_tables.is_open() ? &embedded_tables : nullptr;
  }

  /// Rows from every layer, a configuration's from the first that has it.
  std::vector<Row> rows(const RowFilter& filter) {
    std::vector<Row> all;
    std::set<std::string> seen, chosen;  // configurations, and keys whose choice an earlier layer has
    for (Database* db : readable()) {
      std::string error;
      std::vector<Row> some;
      if (!read_rows(*db, filter, options.key, some, error)) complain(error);
      std::vector<std::string> decided;
      for (Row& row : some) {
        row.timing.stale = !fresh(row.timing.versions);
        if (row.timing.chosen) decided.push_back(key_text(row.key));
        if (row.timing.chosen && chosen.contains(decided.back())) row.timing.chosen = false;
        if (seen.insert(identity(row)).second) all.push_back(std::move(row));
      }
      chosen.insert(decided.begin(), decided.end());
    }
    return all;
  }

  /// Where no compiler is installed, nobody can tell whether it changed.
  bool fresh(const Versions& v) const {
    return v.tessera == now.tessera && v.build == now.build && (now.compiler.empty() || v.compiler == now.compiler);
  }

  /// Runs a change on the writable database, or, where that fails, on memory. Whether it is on disk.
  template <class F>
  bool change(F f) {
    std::string error;
    if (!options.read_only) {
      if (Database* db = writable(true)) {
        if (f(*db, error)) return true;
        complain(path() + ": " + error);
        if (db->damaged()) file.close();
      }
    }
    Database* db = scratch();
    if (db) (void)f(*db, error);
    return false;
  }

  /// Rows from elsewhere, each kept where it is better than what is there; `report` counts them.
  bool take_rows(const std::vector<Row>& rows, MergeReport& report, std::string& error) {
    const std::lock_guard lock(mutex);
    return change([&](Database& db, std::string& why) {
      report = {};
      const bool good = merge_rows(db, rows, now, options.key, report, why);
      if (!good) error = why;
      return good;
    });
  }

  ino_t inode = 0;
};

namespace {

// Never destroyed: a fork may happen at any time.
struct LiveStores {
  std::mutex mutex;
  std::vector<void*> list;
};
LiveStores& live_stores() {
  static auto* stores = new LiveStores;
  return *stores;
}

}  // namespace

void TunedStore::State::go_on_after_fork() {
  for (void* one : live_stores().list) static_cast<State*>(one)->mutex.unlock();
  live_stores().mutex.unlock();
}

void TunedStore::State::live(State* state, bool begins) {
  static const int prepared = pthread_atfork(
      [] {
        live_stores().mutex.lock();
        for (void* one : live_stores().list) {
          static_cast<State*>(one)->mutex.lock();
          static_cast<State*>(one)->close_file();
        }
      },
      go_on_after_fork, go_on_after_fork);
  (void)prepared;
  const std::lock_guard lock(live_stores().mutex);
  auto& list = live_stores().list;
  if (begins)
    list.push_back(state);
  else
    list.erase(std::remove(list.begin(), list.end(), state), list.end());
}

TunedStore::TunedStore(TunedOptions options) : state_(std::make_unique<State>(std::move(options))) {}
TunedStore::~TunedStore() = default;

TunedStore& TunedStore::process() {
  static auto* store = new TunedStore(tuned_options_from_environment());
  return *store;
}

bool TunedStore::record(const TunedKey& key, const std::vector<Timing>& timings) {
  const std::lock_guard lock(state_->mutex);
  std::vector<Row> rows;
  for (const Timing& timing : timings) {
    Row row{key, timing};
    if (row.timing.when == 0) row.timing.when = static_cast<std::int64_t>(std::time(nullptr));
    if (row.timing.versions == Versions{}) row.timing.versions = state_->now;
    rows.push_back(std::move(row));
  }
  return state_->change(
      [&](Database& db, std::string& error) { return write_rows(db, rows, state_->options.key, error); });
}

std::vector<Timing> TunedStore::all(const TunedKey& key) {
  const std::lock_guard lock(state_->mutex);
  std::vector<Timing> list;
  for (Row& row : state_->rows(RowFilter::exactly(key))) list.push_back(std::move(row.timing));
  std::sort(list.begin(), list.end(), [](const Timing& a, const Timing& b) {
    const bool lost_a = a.outcome != Outcome::ok, lost_b = b.outcome != Outcome::ok;
    if (lost_a != lost_b) return lost_b;
    if (a.seconds != b.seconds) return a.seconds < b.seconds;
    return text(a.configuration) < text(b.configuration);
  });
  return list;
}

std::optional<Timing> TunedStore::best(const TunedKey& key, std::string_view bits) { return best_of(all(key), bits); }

std::vector<Neighbour> TunedStore::nearest(const TunedKey& key, std::size_t count) {
  std::map<std::string, std::pair<TunedKey, std::vector<Timing>>> shapes;
  {
    const std::lock_guard lock(state_->mutex);
    for (Row& row : state_->rows(RowFilter::same_kernel(key))) {
      if (row.key.extents == key.extents) continue;
      auto& shape = shapes[text(row.key.extents)];
      shape.first = row.key;
      shape.second.push_back(std::move(row.timing));
    }
  }
  std::vector<Neighbour> list;
  for (auto& [name, shape] : shapes) {
    auto best = best_of(std::move(shape.second), {});
    if (!best) continue;
    double distance = 0;
    bool same_names = shape.first.extents.size() == key.extents.size();
    for (const auto& [extent, value] : key.extents) {
      const auto other = shape.first.extents.find(extent);
      if (other == shape.first.extents.end()) {
        same_names = false;
        break;
      }
      distance += std::abs(std::log2((static_cast<double>(value) + 1) / (static_cast<double>(other->second) + 1)));
    }
    if (same_names) list.push_back({std::move(shape.first), std::move(*best), distance});
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Neighbour& a, const Neighbour& b) { return a.distance < b.distance; });
  if (list.size() > count) list.resize(count);
  return list;
}

std::string TunedStore::explain(const TunedKey& key) {
  const std::vector<Timing> mine = all(key);
  if (const auto winner = best_of(mine, {})) {
    if (!winner->stale) return "it is tuned: " + text(winner->configuration);
    const Versions now = current_versions();
    const Versions& then = winner->versions;
    const auto part = then.tessera != now.tessera ? "tessera is " + now.tessera + ", not " + then.tessera
                      : then.build != now.build   ? "build is " + now.build + ", not " + then.build
                                                  : "compiler is " + now.compiler + ", not " + then.compiler;
    return "its entry is stale: " + part;
  }
  if (!mine.empty())
    return "every configuration that was tried was lost, such as " + text(mine.front().configuration) + ": " +
           std::string(name(mine.front().outcome)) + (mine.front().note.empty() ? "" : ", " + mine.front().note);
  std::vector<std::string> nearest;
  bool any = false;
  each([&](const Entry& entry) {
    const std::vector<std::string> wrong = differing_fields(key, entry.key);
    if (!any || wrong.size() < nearest.size()) nearest = wrong;
    any = true;
    return true;
  });
  if (!any) return "nothing is tuned yet";
  std::string out;
  for (const std::string& one : nearest) out += (out.empty() ? "" : "; ") + one;
  return "the nearest entry differs: " + out;
}

void TunedStore::each(const std::function<bool(const Entry&)>& visit) {
  std::map<std::string, std::pair<TunedKey, std::vector<Timing>>> keys;
  {
    const std::lock_guard lock(state_->mutex);
    for (Row& row : state_->rows({})) {
      auto& one = keys[key_text(row.key)];
      one.first = row.key;
      one.second.push_back(std::move(row.timing));
    }
  }
  for (auto& [name, one] : keys) {
    Entry entry{one.first, one.second.size(), {}};
    entry.best = best_of(std::move(one.second), {});
    if (!visit(entry)) return;
  }
}

std::uint64_t TunedStore::clear(const std::function<bool(const TunedKey&)>& which) {
  const std::lock_guard lock(state_->mutex);
  std::uint64_t gone = 0;
  for (Database* db : {state_->memory.is_open() ? &state_->memory : nullptr,
                       state_->options.read_only ? nullptr : state_->writable(false)}) {
    std::string error;
    if (db &&
        !delete_rows(*db, [&](const Row& row) { return !which || which(row.key); }, state_->options.key, gone, error))
      state_->complain(error);
  }
  return gone;
}

std::uint64_t TunedStore::prune(double days, bool stale) {
  const std::lock_guard lock(state_->mutex);
  std::uint64_t gone = 0;
  const double oldest = static_cast<double>(std::time(nullptr)) - days * 86400;
  std::string error;
  Database* db = state_->options.read_only ? nullptr : state_->writable(false);
  const auto which = [&](const Row& row) {
    return static_cast<double>(row.timing.when) < oldest || (stale && !state_->fresh(row.timing.versions));
  };
  if (db && !delete_rows(*db, which, state_->options.key, gone, error)) state_->complain(error);
  return gone;
}

std::string TunedStore::export_json(bool best_only, const std::function<bool(const TunedKey&)>& which) {
  std::vector<Row> rows;
  {
    const std::lock_guard lock(state_->mutex);
    rows = state_->rows({});
  }
  std::erase_if(rows, [&](const Row& row) { return which && !which(row.key); });
  if (best_only) {
    std::map<std::string, std::pair<TunedKey, std::vector<Timing>>> keys;
    for (Row& row : rows) {
      auto& one = keys[key_text(row.key)];
      one.first = row.key;
      one.second.push_back(std::move(row.timing));
    }
    rows.clear();
    for (auto& [name, one] : keys)
      if (auto best = best_of(std::move(one.second), {})) rows.push_back({one.first, std::move(*best)});
  }
  return rows_to_json(rows);
}

bool TunedStore::import_json(std::string_view json, MergeReport& report, std::string& error) {
  std::vector<Row> rows;
  if (!rows_from_json(json, rows, error)) return false;
  return state_->take_rows(rows, report, error);
}

bool TunedStore::merge(const std::string& database_file, MergeReport& report, std::string& error) {
  Database other;
  if (!other.open(database_file, DatabaseKind::read_only, state_->options.busy_seconds, error)) {
    error = database_file + ": " + error;
    return false;
  }
  std::vector<Row> rows;
  // Another store may sign with another key, or not at all: rows that a plain checksum guards are taken too.
  if (!read_rows(other, {}, {}, rows, error) ||
      (rows.empty() && !read_rows(other, {}, state_->options.key, rows, error))) {
    error = database_file + ": " + error;
    return false;
  }
  return state_->take_rows(rows, report, error);
}

std::vector<std::string> TunedStore::verify() {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> notes;
  Database* db = state_->writable(false);
  if (!db) {
    if (!state_->problem.empty() && !state_->options.folder.empty()) notes.push_back(state_->problem);
    return notes;
  }
  Statement check(db->handle(), "PRAGMA integrity_check");
  while (check.step())
    if (const std::string line = check.text(0); line != "ok") notes.push_back(line);
  std::string error;
  std::vector<Row> rows;
  std::uint64_t damaged = 0;
  if (!read_rows(*db, {}, state_->options.key, rows, error, &damaged)) notes.push_back(error);
  if (damaged > 0) notes.push_back(std::to_string(damaged) + " rows have a wrong checksum: they are not used");
  return notes;
}

std::shared_ptr<void> TunedStore::only_tuner() {
  // A lock of the process, not of the descriptor: a child must not hold what its parent locked.
  std::string ignored;
  const jit::Trust trust = state_->trust(true);
  const jit::Fd place =
      state_->options.folder.empty() ? jit::Fd() : jit::open_folder(state_->options.folder, true, trust, ignored);
  auto held = std::make_shared<jit::Fd>();
  if (place) *held = jit::open_file(place, "tuning.lock", jit::Access::create, trust, ignored);
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (*held && fcntl(held->get(), F_SETLK, &whole) != 0 && (errno == EAGAIN || errno == EACCES)) return nullptr;
  return held;
}

TunedStore::Totals TunedStore::totals() {
  const std::lock_guard lock(state_->mutex);
  Totals totals;
  std::set<std::string> keys;
  for (const Row& row : state_->rows({})) {
    keys.insert(key_text(row.key));
    ++totals.timings;
    totals.stale += row.timing.stale;
  }
  totals.keys = keys.size();
  struct stat s{};
  if (!state_->options.folder.empty() && stat(state_->path().c_str(), &s) == 0)
    totals.bytes = static_cast<std::uint64_t>(s.st_size);
  return totals;
}

std::string TunedStore::file() const { return state_->options.folder.empty() ? std::string() : state_->path(); }
std::string TunedStore::problem() const {
  const std::lock_guard lock(state_->mutex);
  return state_->problem;
}
std::string TunedStore::journal() {
  const std::lock_guard lock(state_->mutex);
  Database* db = state_->writable(!state_->options.read_only);
  return db ? db->journal() : "memory";
}

}  // namespace autotune
TESSERA_END
