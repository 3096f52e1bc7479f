// Owns the meaning of Node::imm: which operations keep which axes, arguments, texts and numbers in it, as one table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tessera/ir/ops.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace ir {

/// What a field of `imm` refers to.
enum class FieldKind : std::uint8_t {
  bits,        ///< of a literal
  number,      ///< a plain unsigned number
  axis,        ///< index into Program::axes
  arg,         ///< index into Program::args
  extent,      ///< index into Program::extents
  tunable,     ///< index into Program::tunables
  string,      ///< index into Program::names: a text
  rounding,    ///< Rounding
  saturation,  ///< Saturation
  atomic,      ///< AtomicKind
};

/// `width` bits of `imm` from bit `shift`, unsigned (of `bits`, all 64).
struct ImmField {
  std::string_view label;
  FieldKind kind = FieldKind::number;
  std::uint8_t shift = 0, width = 32;

  constexpr std::uint64_t mask() const { return width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1; }
  constexpr std::uint64_t get(std::int64_t imm) const { return (static_cast<std::uint64_t>(imm) >> shift) & mask(); }
  constexpr std::int64_t set(std::int64_t imm, std::uint64_t value) const {
    const std::uint64_t rest = static_cast<std::uint64_t>(imm) & ~(mask() << shift);
    return static_cast<std::int64_t>(rest | (value & mask()) << shift);
  }
};

/// The fields of one operation's `imm`, in the order of its text form; bits that no field covers are 0.
struct ImmFields {
  std::array<ImmField, 3> field;
  int count = 0;
  constexpr const ImmField* begin() const { return field.data(); }
  constexpr const ImmField* end() const { return field.data() + count; }
  /// Whether the fields cover every bit that is set.
  constexpr bool cover(std::int64_t imm) const {
    std::uint64_t rest = static_cast<std::uint64_t>(imm);
    for (const ImmField& f : *this) rest &= ~(f.mask() << f.shift);
    return rest == 0;
  }
};

constexpr ImmFields imm_fields(Op op) {
  switch (op) {
    case Op::literal:
      return {{{{"bits", FieldKind::bits, 0, 64}}}, 1};
    case Op::extent:
      return {{{{"extent", FieldKind::extent}}}, 1};
    case Op::tunable:
      return {{{{"tunable", FieldKind::tunable}}}, 1};
    case Op::scalar:
      return {{{{"arg", FieldKind::arg}}}, 1};
    case Op::param:
      return {{{{"number", FieldKind::number}}}, 1};
    case Op::part:
      return {{{{"result", FieldKind::number}}}, 1};
    case Op::random:
      return {{{{"word", FieldKind::number}}}, 1};
    case Op::grow:
      return {{{{"before", FieldKind::number, 32, 32}, {"after", FieldKind::number, 0, 32}}}, 2};
    case Op::cast:
      return {{{{"rounding", FieldKind::rounding, 0, 8}, {"saturation", FieldKind::saturation, 8, 8}}}, 2};
    case Op::cumsum:
    case Op::cumprod:
    case Op::topk:
    case Op::reduce:
    case Op::scan_by:
    case Op::at:
    case Op::put:
      return {{{{"axis", FieldKind::axis}}}, 1};
    case Op::sort:
      return {{{{"axis", FieldKind::axis, 0, 32}, {"descending", FieldKind::number, 32, 1}}}, 2};
    case Op::rename:
      return {{{{"from", FieldKind::axis, 0, 32}, {"to", FieldKind::axis, 32, 31}}}, 2};
    case Op::split:
      return {
          {{{"axis", FieldKind::axis, 0, 20}, {"outer", FieldKind::axis, 20, 20}, {"inner", FieldKind::axis, 40, 20}}},
          3};
    case Op::merge:
      return {
          {{{"outer", FieldKind::axis, 0, 20}, {"inner", FieldKind::axis, 20, 20}, {"to", FieldKind::axis, 40, 20}}},
          3};
    case Op::join:
      return {{{{"a", FieldKind::axis, 0, 20}, {"b", FieldKind::axis, 20, 20}, {"to", FieldKind::axis, 40, 20}}}, 3};
    case Op::load:
    case Op::store:
    case Op::accumulate:
      return {{{{"array", FieldKind::arg}}}, 1};
    case Op::atomic:
      return {{{{"array", FieldKind::arg, 0, 32}, {"kind", FieldKind::atomic, 32, 8}}}, 2};
    case Op::expects:
    case Op::check:
    case Op::print:
      return {{{{"text", FieldKind::string}}}, 1};
    default:
      return {};
  }
}

/// Whether the operation opens a region that `end`, or `region_end` for a combining function, closes.
constexpr bool opens_combine(Op op) { return op == Op::reduce || op == Op::scan_by; }
constexpr bool opens_control(Op op) {
  return op == Op::for_blocks || op == Op::for_range || op == Op::while_loop || op == Op::if_region ||
         op == Op::else_region;
}
constexpr bool opens_region(Op op) { return opens_control(op) || opens_combine(op); }
constexpr bool closes_region(Op op) { return op == Op::end || op == Op::region_end; }

/// Whether the operation writes an array or a Var.
constexpr bool writes_array(Op op) { return op == Op::store || op == Op::accumulate || op == Op::atomic; }
constexpr bool writes_var(Op op) { return op == Op::set || op == Op::put; }

/// Whether the operation makes a value that others may use. (A `var` is used by get, set and put only.)
constexpr bool has_value(Op op) {
  const OpClass c = info(op).op_class;
  return c != OpClass::control && c != OpClass::effect && op != Op::store && op != Op::accumulate && !writes_var(op);
}

/// Whether the operation stays where it is, in the order of the program: writes, effects, loops, and the grid, whose
/// dimensions are in node order. Everything else follows from what uses it.
constexpr bool is_anchor(Op op) {
  const OpClass c = info(op).op_class;
  return c == OpClass::control || c == OpClass::effect || writes_array(op) || writes_var(op) || op == Op::grid_block ||
         op == Op::grid_index || op == Op::loop_block || op == Op::loop_index;
}

inline constexpr std::string_view rounding_names[] = {"standard", "nearest_even", "toward_zero", "stochastic"};
inline constexpr std::string_view saturation_names[] = {"standard", "saturate", "overflow"};
inline constexpr std::string_view atomic_names[] = {"min", "max", "exchange", "compare_exchange",
                                                    "and", "or",  "xor",      "add"};
inline constexpr std::string_view effect_names[] = {"in", "out", "inout", "scalar", "shared", "registers"};
inline constexpr std::string_view axis_kind_names[] = {"grid",    "loop",  "all",   "span", "lanes",
                                                       "threads", "grown", "alias", "made"};
inline constexpr std::string_view flag_names[] = {"padded", "masked", "uniform"};

/// The names of a field's values; empty where they are plain numbers.
constexpr std::span<const std::string_view> value_names(FieldKind kind) {
  switch (kind) {
    case FieldKind::rounding:
      return rounding_names;
    case FieldKind::saturation:
      return saturation_names;
    case FieldKind::atomic:
      return atomic_names;
    default:
      return {};
  }
}

}  // namespace ir
TESSERA_END
