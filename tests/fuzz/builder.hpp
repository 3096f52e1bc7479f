// Owns Builder: appends nodes to a program, with axes and flags as the verifier wants them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tessera/ir/tile.hpp"
#include "tessera/types/convert.hpp"

namespace fuzz {

namespace ir = tessera::ir;
using ir::Op;
using tessera::DType;

using Axes = std::vector<int>;

inline bool has(const Axes& axes, int axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); }
inline Axes without(Axes axes, int axis) {
  axes.erase(std::remove(axes.begin(), axes.end(), axis), axes.end());
  return axes;
}
inline Axes both(Axes a, const Axes& b) {
  for (int axis : b)
    if (!has(a, axis)) a.push_back(axis);
  return a;
}
inline bool within(const Axes& a, const Axes& b) {
  return std::all_of(a.begin(), a.end(), [&](int axis) { return has(b, axis); });
}

class Builder {
 public:
  ir::Storage s;

  int name(std::string_view text) {
    for (std::size_t i = 0; i < s.names.size(); ++i)
      if (s.view().str(static_cast<int>(i)) == text) return static_cast<int>(i);
    s.names.push_back({static_cast<int>(s.text.size()), static_cast<int>(text.size())});
    s.text.insert(s.text.end(), text.begin(), text.end());
    return static_cast<int>(s.names.size()) - 1;
  }
  int extent(int base, int plus = 0, int divide = 1) {
    const ir::Extent e{base, plus, divide};
    for (std::size_t i = 0; i < s.extents.size(); ++i)
      if (s.extents[i] == e) return static_cast<int>(i);
    s.extents.push_back(e);
    return static_cast<int>(s.extents.size()) - 1;
  }
  /// The next axis; the next node must be the one that defines it.
  int axis(int name, ir::AxisKind kind, int extent, int parent = -1) {
    s.axes.push_back({name, extent, static_cast<int>(s.nodes.size()), parent, kind});
    return static_cast<int>(s.axes.size()) - 1;
  }
  int add(Op op, DType type, const std::vector<int>& in, const Axes& axes = {}, std::int64_t imm = 0, int flags = 0) {
    ir::Node n;
    n.op = op;
    n.type = type;
    n.flags = static_cast<std::uint8_t>(flags);
    n.imm = imm;
    n.first = static_cast<int>(s.operands.size());
    n.count = static_cast<std::uint16_t>(in.size());
    s.operands.insert(s.operands.end(), in.begin(), in.end());
    for (int a : axes)
      if (n.rank < ir::max_rank) n.axes[n.rank++] = static_cast<std::uint8_t>(a);
    s.nodes.push_back(n);
    return static_cast<int>(s.nodes.size()) - 1;
  }
  /// An operation over the union of its operands' axes.
  int each(Op op, DType type, const std::vector<int>& in, std::int64_t imm = 0) {
    Axes axes;
    bool uniform = true;
    for (int o : in) {
      axes = both(axes, axes_of(o));
      uniform = uniform && (node(o).flags & ir::flag_uniform) != 0;
    }
    return add(op, type, in, axes, imm, uniform ? ir::flag_uniform : 0);
  }
  int bits(DType type, std::uint64_t value) {
    const auto& t = tessera::info(type);
    const int shift = 64 - t.bits;
    const auto imm = t.is_signed_integer() ? static_cast<std::int64_t>(value << shift) >> shift
                                           : static_cast<std::int64_t>(value << shift >> shift);
    return add(Op::literal, type, {}, {}, imm, ir::flag_uniform);
  }
  int integer(std::int64_t value) { return bits(DType::i64, static_cast<std::uint64_t>(value)); }
  int number(DType type, double value) { return bits(type, tessera::bits_from_double(type, value)); }
  int cast(int value, DType type, std::int64_t imm = 0) {
    return this->type(value) == type && imm == 0 ? value : each(Op::cast, type, {value}, imm);
  }

  const ir::Node& node(int id) const { return s.nodes[static_cast<std::size_t>(id)]; }
  DType type(int id) const { return node(id).type; }
  Axes axes_of(int id) const { return {node(id).axes, node(id).axes + node(id).rank}; }
};

}  // namespace fuzz
