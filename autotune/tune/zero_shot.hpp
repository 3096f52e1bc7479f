// Owns the choice for a shape that was never timed: what was best for its neighbours, where the model does not object.
#pragma once

#include <vector>

#include "autotune/store/tuned_store.hpp"
#include "autotune/tune/space.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// A configuration and what speaks for it.
struct Guess {
  std::vector<Tuned> tunables;
  double predicted = 0, initial = 0;  ///< seconds by the model: of it, and of the target's own choice
  double distance = 0;                ///< to the neighbour that it comes from; 0: it is the target's own choice
};

/// A configuration's values, moved from one shape to another: what was a whole axis there is the whole axis here.
std::vector<Tuned> moved(std::vector<Tuned> tunables, const TunedKey& from, const TunedKey& to);

/// A choice for `key`, whose space this is, from the neighbours in the order of their distance. Takes a few
/// milliseconds, far less than the compilation that follows.
Guess zero_shot(Space& space, const TunedKey& key, const std::vector<Neighbour>& neighbours);

}  // namespace autotune
TESSERA_END
