// Owns the table of Loop IR instructions: one row an instruction, from which every switch and name comes.
#pragma once

#include <cstdint>
#include <string_view>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace loop {

// X(identifier, text spelling)
//
// Operands in order; [..] optional by flag_masked. Element offsets are i64 scalars. "v" operands may be scalars or
// vectors of one type; integer signedness is that of the DType. Float arithmetic is done in the type itself; types
// below 32 bits appear only in load, store, cast, bitcast, shuffle, mma (arithmetic on f16/bf16 is done in f32 by the
// planner).
//   constant     imm[0] = bits (splatted to the type's lanes)
//   word         imm[0] = frame word; result i64, or any scalar type (the low bits of the word)
//   iota         result vector 0, 1, 2 …
//   neg … sqrt   one operand;  add … fma as named;  min/max propagate NaN;  min_number/max_number ignore it
//                fast_max/fast_min: a > b ? a : b, whatever NaN gives
//   div, rem     integers: truncating, the divisor is known not to be 0;  floats: rem is C's fmod, exact
//   fma          also of groups: a, b narrower than c, as many bits of each: c + Σ a × b over the narrow lanes that lie
//                over a lane of c. i16, or bytes (u8, i8 in any pairing), into i32, modulo 2^32; bf16 into f32:
//                products exact, sums in any order, denormals as 0 or as they are
//   floor_div, floor_rem   integers, rounding down; a divisor of 0 gives 0, overflow wraps
//   shr          arithmetic for signed types; shift counts ≥ width give 0 (or the sign)
//   eq … ge      result mask;  select: mask, a, b
//   cast         by the language's rule 11; imm[0] = Rounding | Saturation << 8; [random bits operand]
//   bitcast      equal total bits
//   broadcast    scalar → vector;  extract: vector, lane (i64) → scalar;  insert: vector, scalar, lane
//   shuffle      a, b; imm = lane numbers into a ++ b, −1 for any
//   reduce_*     vector → scalar;  reduce_add of floats: any order
//   load/store   load: offset [, mask] → scalar or vector of consecutive elements, masked-off lanes are 0; store:
//   offset, value [, mask] gather/scatter  gather: offset, index vector (i32 or i64, in elements) [, mask]; scatter:
//   offset, indices, value [, mask] atomic       offset, value; imm[0] = AtomicKind of Tile IR (add, min, max …),
//   imm[1] = Scope (thread, program, device); old value compare_exchange  offset, expected, desired; old value prefetch
//   offset; imm[0] = write, imm[1] = locality 0…3 alloc        element count; places `buffer` for the rest of the
//   function (scratch) fill         offset, count, value: scalar splat store of `count` elements for          lo, hi,
//   step, carried…; region(iv, carried…) yields the carried; results = carried. Counts up while iv < hi while carried…;
//   region 0 (carried…) yields (condition, carried…); region 1 (carried…) yields carried; results = carried if
//   condition; regions then, else (may be empty: no results); results = yields call         text = function; operands →
//   results yield        ends a region print        text = format; operands;  fail: text = message; condition (b8):
//   reports to the runtime when true
//   ---- tiles with layouts, roles and channels ----
//                On a GPU every lane runs the program (scalars are a lane's own); a tile is spread over the lanes by
//                its layout.
//   tile_zero    → tile
//   tile_load    offset, a stride for each dimension [, extents, one a dimension, when masked] → tile; coordinates at
//   or
//                beyond an extent are not read and give 0
//   tile_store   the same with the tile last before the extents: offset, strides, tile [, extents]
//   mma          a, b, c → c; text = name in the table of shapes (mma_shapes.hpp); imm empty: a, b are tiles. Otherwise
//                imm[0] bits 0, 1: a, b come from buffers imm[1], imm[2] (their operands are i64 offsets of row-major
//                M×K and K×N tiles whose row stride is the buffer's last extent), imm[3] bits 0, 1: stored transposed
//   map_tile     tiles of one layout; region(an element of each) yields one: elementwise over a tile's registers
//   roles        regions, one a role, run concurrently; imm = warps (or processing elements) of each role; no barrier
//   at its end acquire, commit, wait, release  channel in `buffer`; operands: slot counter n (i64): the n-th use of the
//   ring, slot
//                n mod depth. Every lane that executes commit or release is one arrival; acquire waits until use
//                n − depth is released, wait until use n is committed and its bytes have landed
//   copy_async   source offset, destination offset, strides of the box's dimensions but the last in the global side
//   (or, if
//                neither is global, the source; the other side is dense) [, extents left in each dimension when masked:
//                beyond them zeros are copied in, and nothing out] [, slot counter when on a channel]; buffer =
//                destination, imm[0] = source buffer, imm[1] = channel (−1 none), imm[2…] = box shape: TMA, cp.async or
//                a fabric move
//   wait_copy    imm[0] = of this lane's copies on no channel, how many of the latest may stay in flight
//   fence        imm[0] = Scope: orders what is before it for copies and mma that read memory, and for relaxed atomics
//   barrier      imm[0] = Scope (warp, role or program), imm[1] = id: all their lanes meet
//   wait_mma     imm[0] = of the asynchronous mma issued, how many of the latest may stay in flight
//   shuffle_lane value, source lane: a shuffle across the lanes of a warp
//   place_id     imm[0] = Place: the lane, warp or element coordinate
//   send, recv   CSL: channel in `buffer`; offset, count; imm[0] = memory buffer; every receiver gets every element
//   sent
// clang-format off
#define TESSERA_LOOP_OPS(X)                                                                                      \
  X(constant, "constant") X(word, "word") X(iota, "iota")                                                       \
  X(neg, "neg") X(abs, "abs") X(sqrt, "sqrt") X(floor, "floor") X(ceil, "ceil") X(trunc, "trunc")               \
  X(round, "round") X(logical_not, "not")                                                                       \
  X(add, "add") X(sub, "sub") X(mul, "mul") X(div, "div") X(rem, "rem") X(floor_div, "floor_div")               \
  X(floor_rem, "floor_rem") X(min, "min") X(max, "max") X(min_number, "min_number")                             \
  X(max_number, "max_number") X(fast_min, "fast_min") X(fast_max, "fast_max")                                   \
  X(bit_and, "and") X(bit_or, "or") X(bit_xor, "xor") X(shl, "shl") X(shr, "shr")                               \
  X(eq, "eq") X(ne, "ne") X(lt, "lt") X(le, "le") X(gt, "gt") X(ge, "ge") X(fma, "fma")                         \
  X(select, "select") X(cast, "cast") X(bitcast, "bitcast") X(broadcast, "broadcast") X(extract, "extract")     \
  X(insert, "insert") X(shuffle, "shuffle")                                                                     \
  X(reduce_add, "reduce_add") X(reduce_mul, "reduce_mul") X(reduce_min, "reduce_min")                           \
  X(reduce_max, "reduce_max") X(reduce_and, "reduce_and") X(reduce_or, "reduce_or")                             \
  X(load, "load") X(store, "store") X(gather, "gather") X(scatter, "scatter") X(atomic, "atomic")               \
  X(compare_exchange, "compare_exchange") X(prefetch, "prefetch") X(alloc, "alloc") X(fill, "fill")             \
  X(for_loop, "for") X(while_loop, "while") X(if_else, "if") X(call, "call") X(yield, "yield")                  \
  X(print, "print") X(fail, "fail")                                                                             \
  X(tile_zero, "tile_zero") X(tile_load, "tile_load") X(tile_store, "tile_store") X(mma, "mma")                 \
  X(map_tile, "map_tile") X(roles, "roles") X(acquire, "acquire") X(commit, "commit") X(wait, "wait")           \
  X(release, "release") X(copy_async, "copy_async") X(fence, "fence") X(barrier, "barrier")                     \
  X(wait_mma, "wait_mma") X(wait_copy, "wait_copy") X(shuffle_lane, "shuffle_lane") X(place_id, "place_id")     \
  X(send, "send") X(recv, "recv")
// clang-format on

enum class Op : std::uint8_t {
#define TESSERA_LOOP_OP(id, text) id,
  TESSERA_LOOP_OPS(TESSERA_LOOP_OP)
#undef TESSERA_LOOP_OP
};

inline constexpr std::string_view op_names[] = {
#define TESSERA_LOOP_OP(id, text) text,
    TESSERA_LOOP_OPS(TESSERA_LOOP_OP)
#undef TESSERA_LOOP_OP
};
inline constexpr int op_count = sizeof(op_names) / sizeof(op_names[0]);

constexpr std::string_view name(Op op) { return op_names[static_cast<int>(op)]; }

}  // namespace loop
TESSERA_END
