// Owns the data of Tile IR: the target-independent program that a kernel is captured into, by reference.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tessera/ir/ops.hpp"
#include "tessera/types/dtype.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace ir {

inline constexpr int max_rank = 8;

/// What a kernel may do with an argument.
enum class Effect : std::uint8_t { in, out, inout, scalar, shared, registers };

/// How `atomic` combines.
enum class AtomicKind : std::uint8_t { min, max, exchange, compare_exchange, bit_and, bit_or, bit_xor, add };

/// An extent by name: `base + plus`, or `base / divide` rounded up. `base` indexes Program::names.
struct Extent {
  std::int32_t base = -1;
  std::int32_t plus = 0;
  std::int32_t divide = 1;
  constexpr bool operator==(const Extent&) const = default;
};

/// How an array private to a program lies in its memory: a wish, that a target without such memory leaves aside.
struct Placement {
  std::int32_t alignment = 0;  ///< bytes, a power of two up to 4096; 0: the target's choice
  std::int32_t swizzle = 0;    ///< bytes of the XOR pattern that spreads rows over banks: 32, 64 or 128; 0: none
  constexpr bool operator==(const Placement&) const = default;
  constexpr bool valid_alignment() const {
    return alignment >= 0 && alignment <= 4096 && (alignment & (alignment - 1)) == 0;
  }
  constexpr bool valid_swizzle() const { return swizzle == 0 || swizzle == 32 || swizzle == 64 || swizzle == 128; }
};

/// A kernel argument, or an array private to a program (effects shared and registers).
/// Its extents are Program::arg_extents[first_extent … +rank).
struct Arg {
  std::int32_t name = -1;  ///< index into Program::names, kept aside: not hashed
  DType type = DType::f32;
  Effect effect = Effect::in;
  std::uint8_t rank = 0;
  bool accumulated = false;  ///< some += targets it: an Out starts at 0 everywhere
  std::int32_t first_extent = 0;
  Placement place = {};  ///< of an array private to a program
};

/// Where an axis comes from.
enum class AxisKind : std::uint8_t { grid, loop, all, span, lanes, threads, grown, alias, made };

/// An axis: what `grid_block`, `loop_block` … define. Two tiles share an axis exactly when they hold the same index.
/// A tile has `cut` lanes along it; lane l stands at position begin + l, where begin is that of the defining block.
struct Axis {
  std::int32_t name = -1;    ///< index into Program::names, kept aside: not hashed
  std::int32_t extent = -1;  ///< index into Program::extents, −1 for none
  std::int32_t node = -1;    ///< the node that defines it (block class, or split, merge, join, rename, topk)
  std::int32_t parent = -1;  ///< the axis it was grown, aliased, renamed, split, merged or joined from
  AxisKind kind = AxisKind::all;
};

enum NodeFlags : std::uint8_t {
  flag_padded = 1,   ///< load: an operand after the indices is the value read outside
  flag_masked = 2,   ///< load, store, accumulate, atomic: mask (and, for a load, the other value) come last
  flag_uniform = 4,  ///< known before launch: made of extents, scalars, tunables and literals only
};

/// One operation; the value it makes has this node's index. Operands are Program::operands[first … +count).
struct Node {
  Op op = Op::literal;
  DType type = DType::i64;
  std::uint8_t rank = 0;
  std::uint8_t flags = 0;
  std::uint16_t count = 0;
  std::int32_t first = 0;
  std::uint8_t axes[max_rank] = {};  ///< axis indices, `rank` of them, in order of appearance
  std::int64_t imm = 0;
};

/// A name (of an axis, an argument, an extent, a tunable) or a text (print, check, expects): a range of Program::text.
struct Name {
  std::int32_t first = 0, size = 0;
};

/// A tunable: a `Dim` by name.
struct Tunable {
  std::int32_t name = -1;
};

/// A program by reference: what passes, printers, the interpreter and the JIT read. `Storage` below owns one at run
/// time (tile.hpp); a captured kernel owns one as static constexpr data.
struct Program {
  std::string_view name;
  std::span<const Node> nodes;
  std::span<const std::int32_t> operands;
  std::span<const Axis> axes;
  std::span<const Arg> args;        ///< in the order of the signature, then shared and register arrays
  std::span<const Extent> extents;  ///< every extent that occurs, once
  std::span<const std::int32_t> arg_extents;
  std::span<const Tunable> tunables;
  std::span<const Name> names;
  std::string_view text;
  std::span<const std::uint32_t> lines;  ///< of each node, kept aside: not hashed

  constexpr std::string_view str(std::int32_t name_index) const {
    if (name_index < 0) return {};
    const Name& n = names[static_cast<std::size_t>(name_index)];
    return text.substr(static_cast<std::size_t>(n.first), static_cast<std::size_t>(n.size));
  }
  constexpr const Node& node(std::int32_t id) const { return nodes[static_cast<std::size_t>(id)]; }
  constexpr std::int32_t operand(const Node& n, int k) const { return operands[static_cast<std::size_t>(n.first + k)]; }
  constexpr std::span<const std::int32_t> operands_of(const Node& n) const {
    return operands.subspan(static_cast<std::size_t>(n.first), n.count);
  }
  constexpr bool has_axis(const Node& n, int axis) const {
    for (int i = 0; i < n.rank; ++i)
      if (n.axes[i] == axis) return true;
    return false;
  }
  constexpr std::size_t size() const { return nodes.size(); }
};

}  // namespace ir
TESSERA_END
