// Owns the choice of how many narrow elements one 32-bit lane of a contraction's panels holds.
#pragma once

#include "targets/cpu/plan/machine.hpp"
#include "tessera/ir/tile.hpp"

TESSERA_BEGIN
namespace cpu {

/// Elements of consecutive k that lie in one 32-bit lane, and are multiplied and summed by one instruction.
struct DotGroup {
  int size = 1;          ///< 1: a lane holds one element, of the accumulator's type
  DType s = DType::i16;  ///< of the operand that is broadcast, as it is packed: i16, i8, u8 or bf16
  DType v = DType::i16;  ///< of the operand that is read by vectors
  bool shifted = false;  ///< S holds signed bytes, packed 128 higher as unsigned ones
};

/// The group for a dot of operands `s` and `v` (nodes) that sums in `sum`. Integers whose values fit i16, in whatever
/// type a widening cast holds them, go two to a lane and sum in i32 (one instruction multiplies and adds pairs, on
/// every x86-64); bytes go four to a lane where the machine multiplies them so; bf16 two in fast numerics, where the
/// machine does, since those instructions take denormals for 0.
DotGroup choose_dot_group(const ir::Program& program, int s, int v, DType sum, const Machine& machine);

}  // namespace cpu
TESSERA_END
