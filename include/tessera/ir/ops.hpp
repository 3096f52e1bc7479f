// Owns the table of Tile IR operations: one row an operation, from which every switch and name comes.
#pragma once

#include <cstdint>
#include <string_view>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace ir {

/// What an operation is for the passes: how it may be fused, moved, duplicated or dropped.
enum class OpClass : std::uint8_t {
  leaf,         ///< a value without tile operands: literal, extent, scalar …
  block,        ///< makes an axis; its value is the positions (i64, one axis) or, for index, a number of rank 0
  elementwise,  ///< one result lane from the lanes of the operands at the same coordinates
  reduction,    ///< axes of the operand that the result lacks are reduced
  scan,         ///< along axis `imm`; keeps the axes
  shape,        ///< moves lanes: at, rename, split, merge, join, pad
  memory,       ///< reads or writes an array
  variable,     ///< declares, reads or writes a Var
  control,      ///< opens or closes a region
  effect,       ///< print, check, expects, stop
};

// X(identifier, text spelling, class, number of operands (-1: variable))
//
// Operands, in order; "imm" is Node::imm; axes are Node::axes.
//   literal      imm = bits of the value in `type` (integers sign-extended)
//   extent       imm = index into Program::extents; i64
//   tunable      imm = index into Program::tunables; i64
//   scalar       imm = index into Program::args (effect scalar)
//   grid_block   block over extent `axis.extent`, grid; operands: cut [, from, to, longest]
//   grid_index   a grid number, rank 0, i64; operands: count
//   loop_block   the block of a for_blocks region, first node inside it; operands: cut [, from, to]
//   loop_index   the value of a for_range region, first node inside it; rank 0, i64; operands: from, to
//   all_block    the whole extent, positions from 0; no operands
//   span_block   operands: cut, from, to: positions from … min(from + cut, to) − 1
//   lanes_block  operands: cut: positions 0 … cut−1, all exist, no extent
//   threads_block operands: cut: like lanes_block, laid over the hardware lanes
//   grow         operands: block; imm = lo << 32 | hi (unsigned 32-bit halves): `lo` more lanes before, `hi` after
//   alias        operands: block: the same positions under another name (as<"J">(block))
//   block_begin/end/count/number   operands: block; rank 0, i64; begin/end/count are clipped to range and extent
//   linear_id, group_id            rank 0, i64; block_id: operands: block
//   broadcast    operands: value; axes = where it is spread over (zeros, full)
//   cast         imm = Rounding | Saturation << 8 (0: the language's default for the pair)
//   sum … all    operands: tile; reduced = axes(tile) − axes(node)
//   dot          operands: a, b; contracted = (axes(a) ∪ axes(b)) − axes(node); accumulates in `type`
//   cumsum …     operands: tile; imm = axis id; inclusive
//   sort         operands: tile; imm = axis id | descending << 32
//   topk         operands: tile; imm = axis id; axes has the new axis; value = values; `part` 1 = positions
//   reduce       operands: k tiles, k identities; opens a region: `param` 0…k−1 are the left, k…2k−1 the right
//                values (same axes as the result, rank of the combined tile without the reduced axis), closed by
//                `region_end` with k operands; imm = axis id; results by `part` 0…k−1
//   scan_by      the same, keeping the axis: an inclusive associative scan
//   part         operands: node; imm = which result
//   at           operands: tile, index; imm = axis id: lane tile[axis := index]; index is in positions of that axis
//   pad          operands: tile, value: marks what `at` reads outside
//   rename       operands: tile; imm = from axis | to axis << 32
//   split        operands: tile, inner; imm = axis | outer axis << 20 | inner axis << 40
//   merge        operands: tile; imm = outer axis | inner axis << 20 | new axis << 40
//   join         operands: a, b; imm = the axis of a | the axis of b << 20 | the new axis << 40
//   load         operands: one index an array axis [, pad value if flag padded] [, mask, other if flag masked];
//                imm = array
//   store        operands: indices, value [, mask if flag masked]; imm = array; axes = the axes of the place
//   accumulate   as store; +=
//   atomic       operands: indices, value [, compare] [, mask]; imm = array | AtomicKind << 32; value = the old one
//   var          operands: initial value; declares; axes and type are the Var's
//   get          operands: var;  set: operands: var, value
//   put          operands: var, index, value; imm = axis id: inserts (at<"J">(v, c) = x)
//   for_blocks / for_range / while_loop / if_region / else_region … end   regions in node order
//   while_loop   its condition is computed inside: while_loop, nodes…, loop_condition(value), body…, end
//   if_region    operands: condition (rank 0); else_region follows its end immediately; operands: condition of the if
//   stop_if      operands: condition;  expects: operands: condition, imm = string;  print: imm = string, operands:
//   values check        operands: condition, imm = string random       operands: seed, counter; imm = word 0…3 of
//   Philox4x32-10; u32
// clang-format off
#define TESSERA_TILE_OPS(X)                        \
  X(literal, "literal", leaf, 0)                   \
  X(extent, "extent", leaf, 0)                     \
  X(tunable, "tunable", leaf, 0)                   \
  X(scalar, "scalar", leaf, 0)                     \
  X(linear_id, "linear_id", leaf, 0)               \
  X(group_id, "group_id", leaf, 0)                 \
  X(param, "param", leaf, 0)                       \
  X(grid_block, "grid_block", block, -1)           \
  X(grid_index, "grid_index", block, 1)            \
  X(loop_block, "loop_block", block, -1)           \
  X(loop_index, "loop_index", block, 2)            \
  X(all_block, "all_block", block, 0)              \
  X(span_block, "span_block", block, 3)            \
  X(lanes_block, "lanes_block", block, 1)          \
  X(threads_block, "threads_block", block, 1)      \
  X(grow, "grow", block, 1)                        \
  X(alias, "alias", block, 1)                      \
  X(block_begin, "block_begin", leaf, 1)           \
  X(block_end, "block_end", leaf, 1)               \
  X(block_count, "block_count", leaf, 1)           \
  X(block_number, "block_number", leaf, 1)         \
  X(block_id, "block_id", leaf, 1)                 \
  X(neg, "neg", elementwise, 1)                    \
  X(logical_not, "not", elementwise, 1)            \
  X(abs, "abs", elementwise, 1)                    \
  X(sqrt, "sqrt", elementwise, 1)                  \
  X(rsqrt, "rsqrt", elementwise, 1)                \
  X(exp, "exp", elementwise, 1)                    \
  X(exp2, "exp2", elementwise, 1)                  \
  X(expm1, "expm1", elementwise, 1)                \
  X(log, "log", elementwise, 1)                    \
  X(log2, "log2", elementwise, 1)                  \
  X(log1p, "log1p", elementwise, 1)                \
  X(sin, "sin", elementwise, 1)                    \
  X(cos, "cos", elementwise, 1)                    \
  X(tan, "tan", elementwise, 1)                    \
  X(tanh, "tanh", elementwise, 1)                  \
  X(erf, "erf", elementwise, 1)                    \
  X(sigmoid, "sigmoid", elementwise, 1)            \
  X(floor, "floor", elementwise, 1)                \
  X(ceil, "ceil", elementwise, 1)                  \
  X(trunc, "trunc", elementwise, 1)                \
  X(round, "round", elementwise, 1)                \
  X(add, "add", elementwise, 2)                    \
  X(sub, "sub", elementwise, 2)                    \
  X(mul, "mul", elementwise, 2)                    \
  X(div, "div", elementwise, 2)                    \
  X(mod, "mod", elementwise, 2)                    \
  X(cdiv, "cdiv", elementwise, 2)                  \
  X(max, "max", elementwise, 2)                    \
  X(min, "min", elementwise, 2)                    \
  X(max_number, "max_number", elementwise, 2)      \
  X(min_number, "min_number", elementwise, 2)      \
  X(pow, "pow", elementwise, 2)                    \
  X(bit_and, "and", elementwise, 2)                \
  X(bit_or, "or", elementwise, 2)                  \
  X(bit_xor, "xor", elementwise, 2)                \
  X(shl, "shl", elementwise, 2)                    \
  X(shr, "shr", elementwise, 2)                    \
  X(lt, "lt", elementwise, 2)                      \
  X(le, "le", elementwise, 2)                      \
  X(gt, "gt", elementwise, 2)                      \
  X(ge, "ge", elementwise, 2)                      \
  X(eq, "eq", elementwise, 2)                      \
  X(ne, "ne", elementwise, 2)                      \
  X(fma, "fma", elementwise, 3)                    \
  X(where, "where", elementwise, 3)                \
  X(cast, "cast", elementwise, 1)                  \
  X(bitcast, "bitcast", elementwise, 1)            \
  X(random, "random", elementwise, 2)              \
  X(broadcast, "broadcast", elementwise, 1)        \
  X(sum, "sum", reduction, 1)                      \
  X(prod, "prod", reduction, 1)                    \
  X(reduce_max, "reduce_max", reduction, 1)        \
  X(reduce_min, "reduce_min", reduction, 1)        \
  X(argmax, "argmax", reduction, 1)                \
  X(argmin, "argmin", reduction, 1)                \
  X(any, "any", reduction, 1)                      \
  X(all, "all", reduction, 1)                      \
  X(dot, "dot", reduction, 2)                      \
  X(reduce, "reduce", reduction, -1)               \
  X(part, "part", shape, 1)                        \
  X(cumsum, "cumsum", scan, 1)                     \
  X(cumprod, "cumprod", scan, 1)                   \
  X(scan_by, "scan_by", scan, -1)                  \
  X(sort, "sort", scan, 1)                         \
  X(topk, "topk", scan, 1)                         \
  X(at, "at", shape, 2)                            \
  X(pad, "pad", shape, 2)                          \
  X(rename, "rename", shape, 1)                    \
  X(split, "split", shape, 2)                      \
  X(merge, "merge", shape, 1)                      \
  X(join, "join", shape, 2)                        \
  X(load, "load", memory, -1)                      \
  X(store, "store", memory, -1)                    \
  X(accumulate, "accumulate", memory, -1)          \
  X(atomic, "atomic", memory, -1)                  \
  X(var, "var", variable, 1)                       \
  X(get, "get", variable, 1)                       \
  X(set, "set", variable, 2)                       \
  X(put, "put", variable, 3)                       \
  X(for_blocks, "for_blocks", control, 0)          \
  X(for_range, "for_range", control, 0)            \
  X(while_loop, "while_loop", control, 0)          \
  X(loop_condition, "loop_condition", control, 1)  \
  X(if_region, "if_region", control, 1)            \
  X(else_region, "else_region", control, 1)        \
  X(region_end, "region_end", control, -1)         \
  X(end, "end", control, 0)                        \
  X(stop_if, "stop_if", effect, 1)                 \
  X(expects, "expects", effect, 1)                 \
  X(check, "check", effect, 1)                     \
  X(print, "print", effect, -1)
// clang-format on

enum class Op : std::uint8_t {
#define TESSERA_TILE_OP(id, text, cls, arity) id,
  TESSERA_TILE_OPS(TESSERA_TILE_OP)
#undef TESSERA_TILE_OP
};

/// A row of the operation table.
struct OpInfo {
  std::string_view text;
  OpClass op_class;
  int arity;  ///< number of operands; −1 where it varies
};

inline constexpr OpInfo op_table[] = {
#define TESSERA_TILE_OP(id, text, cls, arity) {text, OpClass::cls, arity},
    TESSERA_TILE_OPS(TESSERA_TILE_OP)
#undef TESSERA_TILE_OP
};
inline constexpr int op_count = sizeof(op_table) / sizeof(op_table[0]);

constexpr const OpInfo& info(Op op) { return op_table[static_cast<int>(op)]; }

}  // namespace ir
TESSERA_END
