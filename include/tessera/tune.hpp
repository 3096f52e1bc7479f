// Owns tuning as programs ask for it: what may be tried, for how long, and what came out. docs/autotuning.md explains.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tessera/call/config.hpp"
#include "tessera/call/invoke.hpp"
#include "tessera/call/record.hpp"
#include "tessera/call/space.hpp"
#include "tessera/export.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN

/// How configurations are chosen.
enum class Search : std::uint8_t {
  guided,      ///< the best predicted ones race; then, from the winner, one step along each tunable
  exhaustive,  ///< every configuration that can run
  random,      ///< as many as the budget allows, by TuneOptions::seed
};

/// Where a tuning stands, for who watches it.
struct TuneProgress {
  std::size_t tried = 0, planned = 0;  ///< configurations so far, and how many there will be at most
  double elapsed = 0, left = 0;        ///< seconds; `left` is the rest of the budget at most
  double best = 0, initial = 0;        ///< seconds of a call: of the best so far, of the target's own choice
  std::string configuration;           ///< of the best so far: "BM=64 BN=96"
  std::string stage;                   ///< "planning", "compiling", "racing", "descending", "done"
};

struct TuneOptions {
  Search search = Search::guided;
  double seconds = 60;                 ///< the budget
  int configurations = 0;              ///< most that are timed; 0: as many as the search thinks right
  std::vector<Candidates> space = {};  ///< values to try, before what is declared beside the kernel and the target's
  Config config = {};                  ///< what is fixed: target, features, threads, tunables
  bool deterministic = false;          ///< sets Config::deterministic; in that mode, and in strict numerics, only
                                       ///< configurations whose results equal the default's bit by bit compete
  bool again = false;                  ///< time anew what was timed before
  bool keep = true;                    ///< look into and write the store of tuned configurations
  double seconds_each = 10;            ///< after which a compilation or a run counts as hanging
  std::uint64_t seed = 1;              ///< of the random search, and of data that are made
  std::string report = {};  ///< write a page here: configurations against time, the roofline, what was pruned
  bool progress = false;    ///< show it on standard error: a bar on a terminal, lines elsewhere
  std::function<void(const TuneProgress&)> watch = {};  ///< called on the tuning thread; must not throw
};

/// How calls that were never tuned are tuned while the program goes on.
struct BackgroundTuning {
  bool on = true;
  double seconds = 20;     ///< the budget of each shape
  int configurations = 0;  ///< most that are timed for each; 0: as many as the search thinks right
  bool idle = true;        ///< runs where nothing else does; false: beside all else
};

/// One configuration that was tried.
struct Trial {
  std::vector<Tuned> tunables;
  std::string outcome;       ///< "ok", "wrong", "failed", "crashed", "timeout"
  double seconds = 0;        ///< of a call: the median
  double low = 0, high = 0;  ///< its confidence interval
  double predicted = 0;      ///< by the target's model; 0: it has none
  std::int64_t runs = 0;     ///< samples
  std::string note;          ///< why it was lost
  bool stored = false;       ///< known from an earlier tuning, not timed again
};

/// One configuration that was not tried, and why.
struct Pruned {
  std::vector<Tuned> tunables;
  std::string why;
};

struct TuneResult {
  Config config;               ///< the winner, with what was fixed: for `kernel.with(…)`
  double seconds = 0;          ///< of a call with it
  double default_seconds = 0;  ///< with the target's own choice
  std::vector<Tuned> default_tunables;
  std::vector<Trial> trials;   ///< in the order of trying
  std::vector<Pruned> pruned;  ///< of those looked at; at most some thousands
  double space = 0;            ///< configurations there are
  std::size_t timed = 0;       ///< trials that were compiled and timed now; 0: all was known
  double elapsed = 0;          ///< seconds
  std::string stopped;         ///< why the search ended, in a sentence
  std::string reference;       ///< what results were checked against, in a sentence
  std::string stored;          ///< the file that keeps them, or why none does
};

namespace call {

/// In libtessera_autotune: tunes a kernel for the call that `frame` describes. The caller's arrays are copied first;
/// nothing of the caller's is written.
TESSERA_API Status tune_frame(KernelRecord& record, const std::uint64_t* frame, std::size_t words,
                              const TuneOptions& options, TuneResult& result) noexcept;

}  // namespace call

/// From now on, a call whose shape was not tuned, and whose Config leaves the tunables open, gets a choice at once, as
/// always, and is tuned meanwhile by a thread and a process that give way to all other work, on data that are made for
/// it. What is found is kept, and later calls use it. TESSERA_TUNE=background does the same for programs that say
/// nothing. The end of the process ends it.
TESSERA_API void tune_in_background(const BackgroundTuning& options = {});
/// Waits until nothing is left to tune in the background; false where that takes more than `seconds`.
TESSERA_API bool wait_for_tuning(double seconds);

/// A kernel about to be tuned: called like the kernel itself. Programs that use it link tessera::autotune.
///
///     TuneResult found = tune(gemm, {.seconds = 20})(view(A, {512, 300}), view(B, {300, 1000}), …);
///     gemm(…);                     // uses it: what was found is kept for calls like this one, in later processes too
///     gemm.with(found.config)(…);  // the same, said
template <class Captured>
class Tuning {
 public:
  explicit Tuning(TuneOptions options) : options_(std::move(options)) {}

  /// Throws UserError (arguments, options), DeviceError (no target, no worker program), InternalError.
  template <class... Args>
  TuneResult operator()(Args&&... args) const {
    TuneResult result;
    try_call(result, args...).raise();
    return result;
  }
  template <class... Args>
  Status try_call(TuneResult& result, Args&&... args) const noexcept {
    if constexpr (call::types_fit<Captured, std::remove_reference_t<Args>...>()) {
      call::Frame<Captured> frame;
      if (!call::fast_bind<Captured>(frame.data(), args...))
        if (Status status = call::check_again<Captured>(frame.data(), args...); !status) return status;
      return call::tune_frame(Captured::record(), frame.data(), frame.size(), options_, result);
    } else {
      return {};
    }
  }

 private:
  TuneOptions options_;
};

template <class Captured>
Tuning<Captured> tune(const Captured&, TuneOptions options = {}) {
  return Tuning<Captured>(std::move(options));
}

TESSERA_END
