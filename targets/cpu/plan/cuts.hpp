// Owns the choice of tile sizes for a CPU where nobody gave them: a simple cost model, until the tuner comes.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "targets/cpu/plan/machine.hpp"
#include "tessera/ir/tile.hpp"

TESSERA_BEGIN
namespace cpu {

/// Tile sizes for a program.
struct Cuts {
  std::vector<std::int64_t> tunables;                        ///< by tunable
  std::vector<std::pair<int, std::int64_t>> literal_blocks;  ///< grid blocks whose written cut nobody can observe
};

/// Chooses cuts for extents `extents` (by index into Program::extents; those of the call at hand). `given` are the
/// tunables that the caller fixed.
Cuts choose_cuts(const ir::Program& p, const std::vector<std::int64_t>& extents,
                 const std::vector<std::optional<std::int64_t>>& given, const Machine& machine);

}  // namespace cpu
TESSERA_END
