// Owns what makes axes, and the leaves: blocks, their ends and numbers, literals, extents, scalars, tunables.
#pragma once

#include <algorithm>
#include <string>

#include "tessera/interpret/machine.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// The state of a block of `cut` lanes from `begin` over the range [from, to) of an axis's extent.
inline AxisState block_state(const Machine& m, int axis, std::int64_t cut, std::int64_t begin, std::int64_t from,
                             std::int64_t to) {
  AxisState s;
  s.lanes = cut;
  s.begin = begin;
  s.low = from;
  s.high = to;
  const std::int32_t extent = m.program.axes[static_cast<std::size_t>(axis)].extent;
  if (extent >= 0) {
    s.low = std::max<std::int64_t>(from, 0);
    s.high = std::min(to, m.extents[static_cast<std::size_t>(extent)]);
  }
  s.settle();
  return s;
}

/// Gives a block's node its axis and its value, the positions.
inline void set_block(Machine& m, std::int32_t id, const AxisState& state) {
  const ir::Node& n = m.node(id);
  m.axis(n.axes[0]) = state;
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  for (std::size_t i = 0; i < v.size(); ++i) v.words[i] = static_cast<Word>(state.begin + static_cast<std::int64_t>(i));
}

/// A node's single integer, noting when it may be otherwise: nothing later in the program is then promised.
inline std::int64_t decided_integer(Machine& m, std::int32_t id) {
  if (m.value(id).error_at(0) > 0) {
    m.report.uncertain_control = true;
    ++m.uncertain;
  }
  return m.integer(id);
}

inline std::int64_t extent_of_axis(const Machine& m, const ir::Node& n) {
  const std::int32_t extent = m.program.axes[n.axes[0]].extent;
  return extent < 0 ? 0 : m.extents[static_cast<std::size_t>(extent)];
}

/// The range of a block with operands cut [, from, to …]. Positions are kept where sums of two do not overflow.
inline void block_range(Machine& m, const ir::Node& n, std::int64_t& from, std::int64_t& to) {
  constexpr std::int64_t far = std::int64_t{1} << 61;
  from = n.count > 2 ? std::clamp(decided_integer(m, m.program.operand(n, 1)), -far, far) : 0;
  to = n.count > 2 ? std::clamp(decided_integer(m, m.program.operand(n, 2)), -far, far) : extent_of_axis(m, n);
}

inline void run_grid_block(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const std::int64_t cut = m.cut(m.program.operand(n, 0), id);
  std::int64_t number = 0, from = 0, to = 0;
  for (const GridAxis& g : m.grid)
    if (g.node == id) number = g.number;
  block_range(m, n, from, to);
  if (n.count > 3) {
    const std::int64_t longest = m.integer(m.program.operand(n, 3));
    if (to - from > longest) {
      Finding& f =
          m.found(FindingKind::ragged, id,
                  "block over " + m.axis_name(n.axes[0]) + " from " + std::to_string(from) + " to " +
                      std::to_string(to) + " has " + std::to_string(to - from) + " positions, more than its longest, " +
                      std::to_string(longest) + ": the rest is cut off");
      f.index = to - from;
      f.extent = longest;
      to = from + longest;
    }
  }
  AxisState s = block_state(m, n.axes[0], cut, from + number * cut, from, to);
  s.number = number;
  set_block(m, id, s);
}

inline void run_grow(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  AxisState s = m.axis(m.node(m.program.operand(n, 0)).axes[0]);
  const auto low = static_cast<std::int64_t>(static_cast<Word>(n.imm) >> 32);
  const auto high = static_cast<std::int64_t>(static_cast<Word>(n.imm) & 0xffffffff);
  s.begin -= low;
  s.lanes += low + high;
  s.settle();
  set_block(m, id, s);
}

/// begin, end, count: clipped to the block's range and extent.
inline void run_block_end(Machine& m, std::int32_t id) {
  using ir::Op;
  const ir::Node& n = m.node(id);
  const ir::Node& block = m.node(m.program.operand(n, 0));
  if (block.rank == 0) return m.set_integer(id, m.integer(m.program.operand(n, 0)));  // a grid number names itself
  const AxisState& s = m.axis(block.axes[0]);
  const std::int64_t high = std::max(s.low, s.high);
  const std::int64_t begin = std::clamp(s.begin, s.low, high), end = std::clamp(s.begin + s.lanes, s.low, high);
  switch (n.op) {
    case Op::block_begin:
      return m.set_integer(id, begin);
    case Op::block_end:
      return m.set_integer(id, end);
    case Op::block_count:
      return m.set_integer(id, end - begin);
    default:
      return m.set_integer(id, s.number);
  }
}

/// Evaluates leaves and blocks, but for the block and the index of a loop, which the loop sets.
inline void run_leaf(Machine& m, std::int32_t id) {
  using ir::Op;
  const ir::Node& n = m.node(id);
  switch (n.op) {
    case Op::literal:
      return m.set_integer(id, n.imm);
    case Op::extent:
      return m.set_integer(id, m.extents[static_cast<std::size_t>(n.imm)]);
    case Op::tunable:
      return m.set_integer(id, m.tunables[static_cast<std::size_t>(n.imm)]);
    case Op::scalar:
      return m.set_integer(id, static_cast<std::int64_t>(m.arrays[static_cast<std::size_t>(n.imm)].scalar));
    case Op::linear_id:
    case Op::group_id:
      return m.set_integer(id, m.number);  // groups are of one program here
    case Op::grid_index:
      for (const GridAxis& g : m.grid)
        if (g.node == id) m.set_integer(id, g.number);
      return;
    case Op::grid_block:
      return run_grid_block(m, id);
    case Op::all_block: {
      const std::int64_t extent = extent_of_axis(m, n);
      return set_block(m, id, block_state(m, n.axes[0], extent, 0, 0, extent));
    }
    case Op::span_block: {
      std::int64_t from = 0, to = 0;
      block_range(m, n, from, to);
      const std::int64_t cut = m.cut(m.program.operand(n, 0), id);
      return set_block(m, id, block_state(m, n.axes[0], cut, from, from, to));
    }
    case Op::lanes_block:
    case Op::threads_block: {
      AxisState s;
      s.lanes = m.cut(m.program.operand(n, 0), id);
      return set_block(m, id, s);
    }
    case Op::grow:
      return run_grow(m, id);
    case Op::alias:
      return set_block(m, id, AxisState(m.axis(m.node(m.program.operand(n, 0)).axes[0])));
    case Op::block_begin:
    case Op::block_end:
    case Op::block_count:
    case Op::block_number:
    case Op::block_id:
      return run_block_end(m, id);
    default:
      return;  // param, loop_block and loop_index are set by their region
  }
}

}  // namespace interpreter
TESSERA_END
