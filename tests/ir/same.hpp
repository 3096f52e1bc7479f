// Owns the comparison of two programs entry by entry, names by their text.
#pragma once

#include <algorithm>
#include <string>

#include "tessera/ir/tile.hpp"

namespace ir_test {

/// Where two programs differ, or an empty text. Names may lie in another order in the table.
inline std::string difference(const tessera::ir::Program& a, const tessera::ir::Program& b) {
  using namespace tessera;
  const auto name = [&](std::int32_t x, std::int32_t y) { return (x < 0) == (y < 0) && a.str(x) == b.str(y); };
  const auto all = [](const auto& x, const auto& y, auto equal) {
    return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), equal);
  };
  if (a.name != b.name) return "kernel name";
  if (!all(a.operands, b.operands, std::equal_to<>())) return "operands";
  if (!all(a.arg_extents, b.arg_extents, std::equal_to<>())) return "arg_extents";
  if (!all(a.lines, b.lines, std::equal_to<>())) return "lines";
  if (!all(a.tunables, b.tunables, [&](auto& x, auto& y) { return name(x.name, y.name); })) return "tunables";
  if (!all(a.extents, b.extents,
           [&](auto& x, auto& y) { return name(x.base, y.base) && x.plus == y.plus && x.divide == y.divide; }))
    return "extents";
  if (!all(a.args, b.args, [&](auto& x, auto& y) {
        return name(x.name, y.name) && x.type == y.type && x.effect == y.effect && x.rank == y.rank &&
               x.accumulated == y.accumulated && x.first_extent == y.first_extent && x.place == y.place;
      }))
    return "args";
  if (!all(a.axes, b.axes, [&](auto& x, auto& y) {
        return name(x.name, y.name) && x.extent == y.extent && x.node == y.node && x.parent == y.parent &&
               x.kind == y.kind;
      }))
    return "axes";
  std::string found;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()) && found.empty(); ++i) {
    if (i >= a.size() || i >= b.size()) return "number of nodes";
    const ir::Node &x = a.nodes[i], &y = b.nodes[i];
    const bool text = x.op == ir::Op::print || x.op == ir::Op::check || x.op == ir::Op::expects;
    const bool imm = text ? name(static_cast<std::int32_t>(x.imm), static_cast<std::int32_t>(y.imm)) : x.imm == y.imm;
    if (x.op != y.op || x.type != y.type || x.rank != y.rank || x.flags != y.flags || x.count != y.count ||
        x.first != y.first || !imm || !std::equal(x.axes, x.axes + x.rank, y.axes))
      found = "node " + std::to_string(i);
  }
  return found;
}

}  // namespace ir_test
