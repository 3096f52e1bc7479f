// Owns TunedStore: every configuration that was ever timed, on disk, by everything that its time depends on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/call/config.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// What a time depends on, besides the configuration and the versions. Each field is kept apart.
struct TunedKey {
  std::string kernel;                           ///< its name
  std::string program;                          ///< 32 hexadecimal digits: ir::Hash::hex
  std::map<std::string, std::int64_t> extents;  ///< by name
  std::string types;                            ///< of the arguments, in order: "f32,f32,f32"
  std::string device;                           ///< Target::fingerprint: target, machine, features
  int threads = 0;                              ///< that a call may use, as a number: never 0
  std::string mode;                             ///< what the caller demands of results, as mode_of() says it
  bool operator==(const TunedKey&) const = default;
};

/// Who made and measured the code. A change makes entries stale: to be rechecked, still better than nothing.
struct Versions {
  std::string tessera;   ///< TESSERA_VERSION
  std::string build;     ///< build id of libtessera_jit
  std::string compiler;  ///< of the code generator
  bool operator==(const Versions&) const = default;
};

/// Those of this process.
Versions current_versions();

enum class Outcome : std::uint8_t { ok, wrong, failed, crashed, timeout };
std::string_view name(Outcome outcome);

/// One configuration that was tried.
struct Timing {
  std::vector<Tuned> configuration;  ///< every tunable; in any order
  Outcome outcome = Outcome::ok;
  double seconds = 0;        ///< of one call: the estimate that configurations are compared by
  double low = 0, high = 0;  ///< its confidence interval
  std::int64_t runs = 0;     ///< that it comes from
  std::string bits;          ///< of its results: equal texts, bitwise equal results; may be empty
  std::string note;          ///< why it was lost, in a sentence
  Versions versions;
  std::int64_t when = 0;  ///< seconds since 1970; set by the store where 0
  bool chosen = false;    ///< the tuning's winner: by paired samples, which know more than two times of their own
  bool stale = false;     ///< measured under other versions than the current ones; set by the store
};

/// "BK=64 BM=32": sorted by name.
std::string text(const std::vector<Tuned>& configuration);
std::optional<std::vector<Tuned>> parse_configuration(std::string_view text);
/// "K=300 M=512".
std::string text(const std::map<std::string, std::int64_t>& extents);
std::optional<std::map<std::string, std::int64_t>> parse_extents(std::string_view text);
/// The extents' powers of two, rounded to nearest: "K=2^8 M=2^9". Neighbours share it.
std::string bucket(const std::map<std::string, std::int64_t>& extents);

struct Neighbour {
  TunedKey key;
  Timing best;
  double distance = 0;  ///< sum over the extents of |log2 ratio|
};

/// What `merge` did.
struct MergeReport {
  std::uint64_t added = 0, better = 0, kept = 0, refused = 0;
  std::vector<std::string> notes;  ///< one sentence for each entry that was replaced or refused
};

struct TunedOptions {
  std::string folder;               ///< holds tuned.sqlite; empty: memory only
  std::vector<std::string> layers;  ///< folders that are read only
  bool read_only = false;
  bool off = false;          ///< by the user's wish, about which nothing is said
  std::string problem;       ///< why there is no folder
  std::string key;           ///< signs rows; empty: checksums only (jit/cache/place.hpp)
  std::string journal;       ///< "delete": as on network file systems; empty: found out
  double busy_seconds = 20;  ///< to wait for other processes
};
TunedOptions tuned_options_from_environment();

/// The tuned configurations. Thread-safe, and safe across fork and among processes. What goes wrong on disk is said
/// once; the store then goes on in memory, and `problem` says why. No member throws but for lack of memory.
class TunedStore {
 public:
  explicit TunedStore(TunedOptions options);
  ~TunedStore();
  TunedStore(const TunedStore&) = delete;
  TunedStore& operator=(const TunedStore&) = delete;

  /// The store of this process, where the environment says; tables that are
  /// compiled into the program (jit/cache/embedded.hpp) are its last layer.
  static TunedStore& process();

  /// Keeps timings, all or none, replacing those of the same configuration; where one of them is chosen, what was
  /// chosen before is so no more. When it gives true they survive power loss.
  bool record(const TunedKey& key, const std::vector<Timing>& timings);

  /// The best configuration under `key`: a fresh one before a stale one, what a tuning chose before others, then the
  /// fastest. `bits`, where not empty, admits only results of those bits. Ties, by overlapping intervals, go to the
  /// configuration whose text comes first, so processes agree.
  std::optional<Timing> best(const TunedKey& key, std::string_view bits = {});
  /// All that was tried under `key`, fastest first, lost ones last.
  std::vector<Timing> all(const TunedKey& key);
  /// The best of other shapes: same kernel, program, types, device, threads, mode, nearest extents first.
  std::vector<Neighbour> nearest(const TunedKey& key, std::size_t count = 4);

  /// One sentence: why `key` has no fresh entry; names the field that differs in the nearest.
  std::string explain(const TunedKey& key);

  /// Every key with the number of its timings and its best; stops when `visit` gives false.
  struct Entry {
    TunedKey key;
    std::uint64_t timings = 0;
    std::optional<Timing> best;
  };
  void each(const std::function<bool(const Entry&)>& visit);

  /// Drops timings of keys for which `which` holds (all where empty); gives their number.
  std::uint64_t clear(const std::function<bool(const TunedKey&)>& which = {});
  /// Drops timings older than this many days and, where `stale`, those of other versions; gives their number.
  std::uint64_t prune(double days, bool stale);

  /// As JSON text, for files, fleets and tessera_embed_kernels: all timings, or the best of each key only.
  std::string export_json(bool best_only, const std::function<bool(const TunedKey&)>& which = {});
  /// Adds what such a text, or another store's file, has; for a configuration that both have, the entry of current
  /// versions wins, then the one of more runs, then the faster. Where both have chosen, ours stays unless theirs is of
  /// current versions and ours is not, or theirs is surely faster. False: `error` says why, and nothing was changed.
  bool import_json(std::string_view json, MergeReport& report, std::string& error);
  bool merge(const std::string& database_file, MergeReport& report, std::string& error);

  /// The sentences of SQLite's integrity check and of ours; none where all is well.
  std::vector<std::string> verify();

  /// Held by the one process that tunes in the background, of all that share the folder: timings would disturb each
  /// other. Null: another one holds it. Where nothing can be locked nobody waits.
  std::shared_ptr<void> only_tuner();

  struct Totals {
    std::uint64_t keys = 0, timings = 0, stale = 0, bytes = 0;
  };
  Totals totals();

  /// The database's path, or empty; then `problem` says why.
  std::string file() const;
  std::string problem() const;
  /// "wal", "delete" (network file systems) or "memory".
  std::string journal();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace autotune
TESSERA_END
