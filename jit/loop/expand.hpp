// Owns the pass `expand`: tiles become machine vectors, for machines where one thread holds all lanes.
#pragma once

#include <string>

#include "jit/loop/ir.hpp"

TESSERA_BEGIN
namespace loop {

struct Expanded {
  Program program;    ///< without tiles or layouts, when `error` is empty
  std::string error;  ///< why it cannot be expanded: it is not for a CPU, or holds roles, channels or copies
};

/// Replaces every value of a tile type by one vector (or scalar) a register of its layout: tile_zero by constants,
/// tile_load and tile_store by vector accesses, broadcasts or gathers as the strides ask, mma by fma, map_tile by its
/// region on vectors; loops marked to unroll, with known bounds, are unrolled. `program` must be well formed
/// (`verify`); so is the result, and it computes the same.
Expanded expand(const Program& program);

}  // namespace loop
TESSERA_END
