// Owns the passes from Tile IR to simpler Tile IR that run before planning, and their order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "tessera/ir/tile.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// What a pass may know: the value of an extent (by its index in Program::extents) where it is specialised.
using KnownExtent = std::function<std::optional<std::int64_t>(int)>;

/// Called after each pass with its name and the program, for dumps. May be empty.
using PassObserver = std::function<void(const char*, const ir::Program&)>;

/// Puts values in the place of tunables: `cuts` by tunable, `literal_cuts` for single grid blocks (node, cut).
ir::Storage set_cuts(const ir::Program& p, const std::vector<std::int64_t>& cuts,
                     const std::vector<std::pair<int, std::int64_t>>& literal_cuts);

/// Loops over blocks that are known to run exactly once become their body over the whole axis.
ir::Storage open_single_trips(const ir::Program& p, const KnownExtent& extent);

/// Counted loops that only add to Vars become axes over which sums and products run.
ir::Storage loops_to_axes(const ir::Program& p, const KnownExtent& extent);

/// Reads of a Var become the value last set, where that is the same on every path; Vars nobody reads vanish.
ir::Storage vars_to_values(const ir::Program& p);

/// Equal pure operations of one region become one.
ir::Storage share_equal(const ir::Program& p);

/// A sum of products of two tiles, each with an axis that the other lacks, becomes a dot.
ir::Storage sums_to_dots(const ir::Program& p);

/// All of them, in order, after `sums_to_dots` and `set_cuts`: a Var that becomes a value may make a sum a contraction.
/// `ordered`: what is added keeps its order, so loops stay loops.
ir::Storage simplify(ir::Storage p, const KnownExtent& extent, const PassObserver& observe = {}, bool ordered = false);

}  // namespace jit
TESSERA_END
