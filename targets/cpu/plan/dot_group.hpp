// Owns the choice of how many narrow elements one 32-bit lane of a contraction's panels holds.
#pragma once

#include "tessera/ir/tile.hpp"

TESSERA_BEGIN
namespace cpu {

/// Elements of consecutive k in one lane: 2 where a dot of operands `s` and `v` (nodes) sums in i32 and both have
/// values that fit i16, in whatever type a widening cast holds them (one instruction multiplies and adds pairs of i16
/// then, on every x86-64); otherwise 1.
int dot_group(const ir::Program& program, int s, int v, DType sum);

}  // namespace cpu
TESSERA_END
