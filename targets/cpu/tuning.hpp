// Owns what a tuner asks of the CPU: values worth trying, choices of the planner's own, predicted times, limits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jit/target.hpp"
#include "targets/cpu/plan/machine.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cpu {

/// Values worth trying for each tunable: lengths of the axes that it cuts, and round numbers below them.
std::vector<std::vector<std::int64_t>> cut_candidates(const ir::Program& program, const jit::Specialisation& known);

/// The blocks of contractions: cpu.kc, cpu.mc, cpu.rows, cpu.vectors; and for programs with +=, cpu.adding: how those
/// that overlap get along (1 in order, 2 copies, 3 atomics, as far as they can be).
std::vector<jit::Choice> block_choices(const jit::PlanRequest& request, const Machine& machine);

/// Nothing, or why these choices cannot be.
std::string illegal_choice(const std::vector<Tuned>& choices, const Machine& machine);

/// The choices, as planning takes them.
Blocks blocks_of(const std::vector<Tuned>& choices);
Adding adding_of(const std::vector<Tuned>& choices);

/// What a call of `planned` is predicted to take: instructions by what the ports of a core take, bytes through the
/// caches, a start of each thread.
jit::Estimate estimate(const jit::PlanRequest& request, const loop::Program& planned, const Machine& machine);

/// Clock × lanes × two fused multiply-adds; bytes a second of reading 64 MiB. Measured once, in some 30 ms.
jit::Roof measured_roof(const Machine& machine);

}  // namespace cpu
TESSERA_END
