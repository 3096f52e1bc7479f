// Owns the CPU target's plan: from Tile IR and what is known of a call to Loop IR.
#pragma once

#include <cstdint>
#include <vector>

#include "jit/loop/ir.hpp"
#include "jit/passes/simplify.hpp"
#include "jit/specialisation.hpp"
#include "targets/cpu/plan/machine.hpp"
#include "tessera/ir/tile.hpp"

TESSERA_BEGIN
namespace cpu {

/// Plans `program` for `machine`. `tunables` has a value for each tunable; extents and strides that `known` leaves open
/// are run-time values. The result has an entry over the grid's programs and a host function that clears what `+=`
/// starts from and returns the number of programs; its attribute serial_grid is 1 where programs must run in order.
/// Throws InternalError, naming the kernel and the line, for what cannot be planned.
loop::Program plan(const ir::Program& program, const jit::Specialisation& known,
                   const std::vector<std::int64_t>& tunables, const Machine& machine,
                   const jit::PassObserver& observe = {});

/// A value for every tunable that `given` leaves open, for calls like the one that `known` was made from.
std::vector<std::int64_t> choose_tunables(const ir::Program& program, const jit::Specialisation& known,
                                          const std::vector<std::optional<std::int64_t>>& given,
                                          const Machine& machine);

}  // namespace cpu
TESSERA_END
