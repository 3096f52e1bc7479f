// Owns the store of tuned configurations as a tuning's history.
#include "autotune/tune/store_history.hpp"

#include "autotune/store/tuned_key.hpp"

TESSERA_BEGIN
namespace autotune {

void StoreHistory::open(const Problem& problem, const std::string& mode) {
  key_ = tuned_key(problem.program, problem.frame.data(), problem.target, problem.features, problem.threads, mode);
}

void StoreHistory::record(const std::vector<Timing>& timings, int chosen) {
  std::vector<Timing> all = timings;
  for (Timing& t : all) t.versions = current_versions();
  for (std::size_t i = 0; i < all.size(); ++i) all[i].chosen = static_cast<int>(i) == chosen;
  store_.record(key_, all);
}

std::string StoreHistory::place() const {
  return store_.file().empty() ? "memory only: " + store_.problem() : store_.file();
}

}  // namespace autotune
TESSERA_END
