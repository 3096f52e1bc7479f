// Owns the searches: which configurations are tried, in which order, when it is enough, and which one wins.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "autotune/tune/bench.hpp"
#include "autotune/tune/space.hpp"
#include "autotune/tune/statistics.hpp"
#include "tessera/tune.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// A configuration that was tried, now or before.
struct Tried {
  Point point;
  int number = -1;  ///< in the bench; −1: known from before, not timed again
  Outcome outcome = Outcome::ok;
  std::vector<double> samples;  ///< by round, NaN where it did not take part
  Interval seconds;
  std::int64_t runs = 0;
  std::string bits, note;
};

struct SearchOptions {
  Search kind = Search::guided;
  double seconds = 60;
  int configurations = 0;
  bool deterministic = false;
  std::uint64_t seed = 1;
  double tie = 0.015;                     ///< within this share of the best, configurations are equally good
  int fewest = 5, most = 24;              ///< rounds of a race
  std::vector<Timing> known;              ///< under this very key and these versions: not tried again
  std::vector<std::vector<Tuned>> hints;  ///< what was best nearby, or before an upgrade: tried first
  std::vector<Tuned> chosen;              ///< what won under this key; stays, where nothing is timed
  std::function<void(const TuneProgress&)> watch;
};

struct SearchResult {
  std::vector<Tried> tried;  ///< the target's own choice first
  int winner = -1;           ///< index of it in `tried`; −1: everything was lost
  std::size_t timed = 0;     ///< of `tried`, how many were timed now
  std::string stopped;
};

/// Searches. What ties, by pairs of samples of one round, goes to the target's own choice, then to the better
/// prediction, then to the first in canonical order: runs agree although their timings differ.
SearchResult search(Space& space, Bench& bench, const SearchOptions& options);

}  // namespace autotune
TESSERA_END
