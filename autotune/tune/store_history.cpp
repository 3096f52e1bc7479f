// Owns the store of tuned configurations as a tuning's history.
#include "autotune/tune/store_history.hpp"

#include <algorithm>

#include "autotune/store/tuned_key.hpp"

TESSERA_BEGIN
namespace autotune {

void StoreHistory::open(const Problem& problem, const std::string& mode) {
  key_ = tuned_key(problem.program, problem.frame.data(), problem.target, problem.features, problem.threads, mode);
}

void StoreHistory::record(const std::vector<Timing>& timings, int chosen) {
  std::vector<Timing> all = timings;
  for (Timing& t : all) t.versions = current_versions();
  // The store's best is the fastest, by intervals. The race knows better, from pairs of samples of one round: what it
  // found no faster than the winner is kept as no faster.
  if (chosen >= 0) {
    const double fastest = all[static_cast<std::size_t>(chosen)].seconds;
    for (Timing& t : all) {
      t.low = std::max(t.low, fastest), t.high = std::max(t.high, t.low), t.seconds = std::max(t.seconds, fastest);
      if (&t != &all[static_cast<std::size_t>(chosen)] && t.outcome == Outcome::ok)
        t.low = std::max(t.low, fastest * (1 + 1e-6)), t.high = std::max(t.high, t.low),
        t.seconds = std::max(t.seconds, t.low);
    }
    all[static_cast<std::size_t>(chosen)].low = all[static_cast<std::size_t>(chosen)].high = fastest;
  }
  store_.record(key_, all);
}

std::string StoreHistory::place() const {
  return store_.file().empty() ? "memory only: " + store_.problem() : store_.file();
}

}  // namespace autotune
TESSERA_END
