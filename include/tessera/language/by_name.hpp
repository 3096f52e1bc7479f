// Owns the operations by name for names that only run time knows: by_name::sum(x, {"N"}).
#pragma once

#include <initializer_list>
#include <string_view>

#include "tessera/language/kernel.hpp"

TESSERA_BEGIN
namespace by_name {

/// Names of axes.
using Names = std::initializer_list<std::string_view>;

namespace detail {

constexpr tessera::detail::Axes axes(const Names& names) { return {names.begin(), static_cast<int>(names.size())}; }

}  // namespace detail

// Reductions over the named axes, or over all where there are none. X(name, operation, what it takes, the type it
// gives)
// clang-format off
#define TESSERA_NAMED_REDUCTIONS(X)       \
  X(sum, sum, any, accumulator)           \
  X(prod, prod, number, accumulator)      \
  X(max, reduce_max, number, keeps_type)  \
  X(min, reduce_min, number, keeps_type)  \
  X(any, any, boolean, keeps_type)        \
  X(all, all, boolean, keeps_type)
// clang-format on
#define TESSERA_NAMED_REDUCTION(id, op, wants, gives)                                                                 \
  constexpr Tile id(Operand x, Names names) {                                                                         \
    using tessera::detail::keeps_type;                                                                                \
    return tessera::detail::reduction(ir::Op::op, #id, tessera::detail::Wants::wants, gives, x, detail::axes(names)); \
  }
TESSERA_NAMED_REDUCTIONS(TESSERA_NAMED_REDUCTION)
#undef TESSERA_NAMED_REDUCTION
#undef TESSERA_NAMED_REDUCTIONS
/// The sum over `count` named axes.
constexpr Tile sum(Operand x, const std::string_view* names, int count) {
  return tessera::detail::reduction(ir::Op::sum, "sum", tessera::detail::Wants::any, accumulator, x, {names, count});
}
constexpr Tile mean(Operand x, Names names) { return tessera::detail::mean_of(x, detail::axes(names)); }
constexpr Tile argmax(Operand x, std::string_view axis) {
  return tessera::detail::reduction(ir::Op::argmax, "argmax", tessera::detail::Wants::number,
                                    tessera::detail::gives_position, x, {&axis, 1});
}
constexpr Tile argmin(Operand x, std::string_view axis) {
  return tessera::detail::reduction(ir::Op::argmin, "argmin", tessera::detail::Wants::number,
                                    tessera::detail::gives_position, x, {&axis, 1});
}
constexpr Tile dot(Operand a, Operand b, Names names = {}) {
  return tessera::detail::contraction(a, b, detail::axes(names));
}
constexpr Tile cumsum(Operand x, std::string_view axis) {
  return tessera::detail::along(ir::Op::cumsum, "cumsum", tessera::detail::Wants::any, accumulator, x, axis);
}
constexpr Tile cumprod(Operand x, std::string_view axis) {
  return tessera::detail::along(ir::Op::cumprod, "cumprod", tessera::detail::Wants::number, accumulator, x, axis);
}
constexpr Tile sort(Operand x, std::string_view axis, Order order = Order::ascending) {
  return tessera::detail::along(ir::Op::sort, "sort", tessera::detail::Wants::number, tessera::detail::keeps_type, x,
                                axis, order == Order::descending ? std::int64_t{1} << 32 : 0);
}
constexpr TopK topk(Operand x, std::string_view from, std::string_view to, Operand places) {
  return tessera::detail::top_k_of(x, from, to, places);
}
constexpr Tile at(Operand x, std::string_view axis, Operand index) {
  return tessera::detail::at_all(x, {&axis, 1}, &index);
}
constexpr Tile at(Operand x, Names names, std::initializer_list<Operand> index) {
  tessera::detail::Recorder* r = tessera::detail::recorder_of(x);
  if (names.size() != index.size() && !r->bad)
    r->fail(x.line) << "at: " << names.size() << " axes and " << index.size() << " indices";
  return r->bad ? tessera::detail::result(r, -1) : tessera::detail::at_all(x, detail::axes(names), index.begin());
}
/// One lane of a Var, to read and to assign.
constexpr Slot at(Var& v, std::string_view axis, Operand index) { return {v, axis, index}; }
constexpr Block as(const Block& b, std::string_view to) {
  return tessera::detail::rename_block(b, to, tessera::detail::Here{});
}
constexpr Tile as(Operand x, std::string_view from, std::string_view to) {
  return tessera::detail::rename_tile(x, from, to);
}
constexpr Tile flip(Operand x, std::string_view axis) { return tessera::detail::flipped(x, axis); }
constexpr Tile split(Operand x, std::string_view axis, std::string_view outer, std::string_view inner, Operand size) {
  return tessera::detail::split_tile(x, axis, outer, inner, size, nullptr, nullptr);
}
constexpr Tile merge(Operand x, std::string_view outer, std::string_view inner, std::string_view to) {
  return tessera::detail::merge_tile(x, outer, inner, to, nullptr);
}
constexpr Tile join(Operand a, Operand b, std::string_view axis) { return tessera::detail::join_tiles(a, b, axis); }
/// The value in a type that only run time knows.
constexpr Tile cast(Operand x, DType type, Rounding rounding = Rounding::standard,
                    Saturation saturation = Saturation::standard) {
  return tessera::detail::cast_to(x, type, rounding, saturation);
}

}  // namespace by_name
TESSERA_END
