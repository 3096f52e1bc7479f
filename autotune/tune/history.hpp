// Owns what a tuning asks of the store of earlier ones.
#pragma once

#include <string>
#include <vector>

#include "autotune/store/tuned_store.hpp"
#include "autotune/tune/space.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// What was timed before, and where what is timed now is kept.
class History {
 public:
  virtual ~History() = default;
  /// Of which problem; asked first. `mode`: what is demanded of results.
  virtual void open(const Problem& problem, const std::string& mode) = 0;
  virtual TunedKey key() const = 0;
  /// All that was timed under this key, stale ones marked, fastest first.
  virtual std::vector<Timing> all() = 0;
  /// What was best for other shapes, nearest first.
  virtual std::vector<Neighbour> nearest(std::size_t count) = 0;
  /// Keeps timings; `chosen` is the index of the winner, or −1.
  virtual void record(const std::vector<Timing>& timings, int chosen) = 0;
  /// The file, or why there is none.
  virtual std::string place() const = 0;
};

}  // namespace autotune
TESSERA_END
