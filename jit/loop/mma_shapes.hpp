// Owns the table of matrix multiply-accumulate shapes: their fragments' layouts, and how a larger tile is made of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/loop/layout.hpp"

TESSERA_BEGIN
namespace loop {

/// One shape of instruction: c (m×n) += a (m×k) · b (k×n), done together by `warps` warps.
struct MmaShape {
  std::string name;
  int m = 0, n = 0, k = 0;
  int warps = 0;              ///< 0: one thread, with any layout that it holds (CPU outer products)
  bool asynchronous = false;  ///< the result is there after wait_mma
  bool a_in_memory = false;   ///< a may come from shared memory
  bool b_in_memory = false;   ///< b must come from shared memory
  Layout a, b, c;             ///< of the fragments, over registers, lanes and warps; empty when `warps` is 0
};

/// The shape of this name on this machine, if there is one:
///   outer_MxN             CPU, mesh: one step of an outer product, any M and N up to 65535, k = 1
///   m16n8k16              sm_80 and later: mma.sync of f16 or bf16 (PTX ISA, 9.7.14, fragments of .m16n8k16)
///   wgmma_m64nNk16        sm_90a: wgmma of f16 or bf16, N = 8, 16 … 256 (PTX ISA, 9.7.15)
///   mfma_32x32x8, mfma_16x16x16   gfx90a, gfx942: MFMA of f16 or bf16 (AMD matrix instruction calculator)
std::optional<MmaShape> find_mma_shape(std::string_view name, std::string_view machine);

/// Whether the instruction multiplies these element types.
bool mma_takes(const MmaShape& shape, DType a, DType b, DType c);

/// One instruction within a tile's mma: which of a group's fragments (numbered in blocks of a fragment's registers) it
/// takes, and the coordinates of a's and b's corners, for operands in memory.
struct MmaStep {
  std::int32_t a = 0, b = 0, c = 0;
  std::int32_t row = 0, column = 0, depth = 0;
};

/// How an mma over whole tiles is made of instructions: for each group of `shape.warps` warps, its steps in order of k.
struct MmaPlan {
  std::string error;  ///< why the layouts do not fit, or empty
  std::vector<std::vector<MmaStep>> groups;
};

/// Plans c += a · b for tiles larger than the shape. A layout fits when in each place its factors begin with the
/// fragment's (so that a fragment is a run of registers) and the rest steps over whole fragments. `a` or `b` null: in
/// memory.
MmaPlan plan_mma(const MmaShape& shape, const Layout* a, const Layout* b, const Layout& c, int depth);

}  // namespace loop
TESSERA_END
