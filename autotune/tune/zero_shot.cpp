// Owns the choice for a shape that was never timed.
#include "autotune/tune/zero_shot.hpp"

#include <algorithm>

TESSERA_BEGIN
namespace autotune {
namespace {

constexpr double far = 6;          // log2 of all extents' ratios together: beyond, a neighbour says nothing
constexpr double objection = 1.1;  // times the prediction of the target's own choice: the model knows better

}  // namespace

std::vector<Tuned> moved(std::vector<Tuned> tunables, const TunedKey& from, const TunedKey& to) {
  for (Tuned& t : tunables) {
    if (call::is_choice(t.name)) continue;
    for (const auto& [name, extent] : from.extents)
      if (t.value == extent && extent > 1 && to.extents.contains(name)) {
        t.value = std::max<std::int64_t>(1, to.extents.at(name));
        break;
      }
  }
  return tunables;
}

Guess zero_shot(Space& space, const TunedKey& key, const std::vector<Neighbour>& neighbours) {
  const Point initial = space.initial();
  const Examined own = space.examine(initial);
  Guess guess{space.tunables(initial), own.estimate.seconds, own.estimate.seconds, 0};
  for (const Neighbour& n : neighbours) {
    if (n.distance > far) break;
    const Point point = space.nearest(moved(n.best.configuration, n.key, key));
    if (point == initial) return guess;
    const Examined& there = space.examine(point);
    const bool runs = there.pruned.empty();
    const bool better = there.estimate.seconds <= objection * own.estimate.seconds || own.estimate.seconds <= 0;
    if (runs && better) return {space.tunables(point), there.estimate.seconds, own.estimate.seconds, n.distance};
  }
  return guess;
}

}  // namespace autotune
TESSERA_END
