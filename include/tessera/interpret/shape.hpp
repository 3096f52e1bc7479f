// Owns the operations that move lanes: at, pad, rename, split, merge, join, part.
#pragma once

#include <algorithm>
#include <string>

#include "tessera/interpret/machine.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// Where a tile's words lie for each lane of another shape, one of the tile's axes left at lane 0.
inline std::vector<std::int64_t> offsets_without(const Shape& tile, int axis, const Shape& to, std::int64_t& stride) {
  Shape rest;
  std::int64_t step_of[most_axes] = {}, step = 1;
  stride = 0;
  for (int i = tile.rank - 1; i >= 0; --i) {
    step_of[i] = step;
    if (tile.axes[i] == axis) stride = step;
    step *= tile.lanes[i];
  }
  std::int64_t steps[most_axes] = {};
  for (int i = 0; i < tile.rank; ++i) {
    if (tile.axes[i] == axis) continue;
    steps[rest.rank] = step_of[i];
    rest.add(tile.axes[i], tile.lanes[i]);
  }
  std::vector<std::int64_t> local(static_cast<std::size_t>(rest.count())), all(static_cast<std::size_t>(to.count()));
  for (std::size_t i = 0; i < local.size(); ++i) {
    std::int64_t left = static_cast<std::int64_t>(i), offset = 0;
    for (int d = rest.rank - 1; d >= 0; --d) {
      offset += left % rest.lanes[d] * steps[d];
      left /= rest.lanes[d];
    }
    local[i] = offset;
  }
  if (!all.empty() && !local.empty()) spread(local.data(), rest, all.data(), to);
  return all;
}

/// at: lane tile[axis := index], the index counted in positions of that axis.
inline void run_at(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const Value &tile = m.operand(n, 0), &index = m.operand(n, 1);
  const int axis = static_cast<int>(n.imm & 0xff);
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  v.pad = tile.pad;
  std::int64_t stride = 0;
  const std::vector<std::int64_t> base = offsets_without(tile.shape, axis, v.shape, stride);
  const AxisState& a = m.axis(axis);
  Lanes at, pad;
  at.bind(index, v.shape);
  if (tile.pad >= 0) {
    pad.bind(m.value(tile.pad), v.shape);
    pad.convert(m.value(tile.pad).type, v.type, v.size());
  }
  const bool doubt = !tile.error.empty() || at.error || pad.error;
  if (doubt) v.error.assign(v.size(), 0.0);
  if (at.gone) v.gone.assign(v.size(), 0);
  for (std::size_t i = 0; i < v.size(); ++i) {
    const auto position = static_cast<std::int64_t>(at.word(i));
    const std::int64_t lane = a.lane_at(position);
    const bool within = lane >= 0;
    const std::size_t from = within ? static_cast<std::size_t>(base[i] + lane * stride) : 0;
    if (at.gone) v.gone[i] = at.gone[i * at.step];
    if (within && (tile.gone.empty() || !tile.gone[from])) {
      v.words[i] = tile.words[from];
      if (doubt) v.error[i] = at.error_at(i) > 0 ? unbounded : tile.error_at(from);
      continue;
    }
    v.words[i] = pad.words ? pad.word(i) : 0;
    if (doubt) v.error[i] = at.error_at(i) > 0 ? unbounded : pad.error_at(i);
    if (pad.words || !m.lane_exists(v.shape, static_cast<std::int64_t>(i), v.gone)) continue;
    Finding& f = m.found(FindingKind::outside, id,
                         "at: position " + std::to_string(position) + " of axis " + m.axis_name(axis) +
                             " is not in the tile, which has " + std::to_string(a.begin) + " … " +
                             std::to_string(std::min(a.begin + a.lanes, std::max(a.high, a.begin)) - 1) +
                             m.place(v.shape, static_cast<std::int64_t>(i)) + "; pad the tile to read outside");
    f.axis = axis;
    f.index = position;
    f.extent = a.lanes;
  }
}

/// Copies an operand whose words only change their axes' names into the node's order of axes.
inline void relabel(const Value& from, const Shape& as, Value& v) {
  spread(from.words.data(), as, v.words.data(), v.shape);
  if (!from.error.empty()) {
    v.error.resize(v.size());
    spread(from.error.data(), as, v.error.data(), v.shape);
  }
  if (!from.gone.empty()) {
    v.gone.resize(v.size());
    spread(from.gone.data(), as, v.gone.data(), v.shape);
  }
}

/// Whether a block defines the axis: then it stands where the block does, and operations that go onto it fit into it.
inline bool of_block(const Machine& m, int axis) {
  const ir::Node& n = m.node(m.program.axes[static_cast<std::size_t>(axis)].node);
  return ir::info(n.op).op_class == ir::OpClass::block;
}

inline void run_rename(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const Value& tile = m.operand(n, 0);
  const int from = static_cast<int>(n.imm & 0xff), to = static_cast<int>(n.imm >> 32 & 0xff);
  if (!of_block(m, to)) m.axis(to) = AxisState(m.axis(from));
  Shape as = tile.shape;
  as.axes[as.find(from)] = static_cast<std::uint8_t>(to);
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  relabel(tile, as, v);
  v.pad = tile.pad;
}

inline void run_pad(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const Value& tile = m.operand(n, 0);
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  relabel(tile, tile.shape, v);
  v.pad = m.program.operand(n, 1);
}

/// split: lane l of the axis becomes lane (l / inner, l % inner). What the last piece lacks does not exist. Onto the
/// axes of blocks, lanes beyond those are an error.
inline void run_split(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const Value& tile = m.operand(n, 0);
  const int axis = static_cast<int>(n.imm & 0xff), outer = static_cast<int>(n.imm >> 20 & 0xff);
  const int inner = static_cast<int>(n.imm >> 40 & 0xff);
  const AxisState a = m.axis(axis);
  AxisState o, in;
  in.lanes = of_block(m, inner) ? m.axis(inner).lanes : m.cut(m.program.operand(n, 1), id);
  const std::int64_t by = in.lanes;
  o.lanes = of_block(m, outer) ? m.axis(outer).lanes : ceil_div(a.lanes, by);
  o.exists.assign(static_cast<std::size_t>(o.lanes), 0);
  bool whole = a.lanes == o.lanes * by && a.all;
  for (std::int64_t l = 0; l < a.lanes; ++l) {
    if (!a.has(l)) continue;
    if (l < o.lanes * by)
      o.exists[static_cast<std::size_t>(l / by)] = 1;
    else
      m.found(FindingKind::outside, id,
              "split: axis " + m.axis_name(axis) + " has more lanes than " + m.axis_name(outer) + " times " +
                  m.axis_name(inner))
          .index = l;
  }
  o.all = std::find(o.exists.begin(), o.exists.end(), 0) == o.exists.end();
  // Fill the tile up to whole pieces, then only the names of the axes change.
  const int place = tile.shape.find(axis);
  std::int64_t before = 1, after = 1;
  for (int i = 0; i < place; ++i) before *= tile.shape.lanes[i];
  for (int i = place + 1; i < tile.shape.rank; ++i) after *= tile.shape.lanes[i];
  Shape as;
  for (int i = 0; i < tile.shape.rank; ++i) {
    if (i == place) {
      as.add(outer, o.lanes);
      as.add(inner, by);
    } else {
      as.add(tile.shape.axes[i], tile.shape.lanes[i]);
    }
  }
  Value filled;
  filled.reset(tile.type, as);
  if (!tile.error.empty()) filled.error.assign(filled.size(), 0.0);
  if (!whole || !tile.gone.empty()) filled.gone.assign(filled.size(), 1);
  for (std::int64_t b = 0; b < before; ++b)
    for (std::int64_t l = 0; l < std::min(a.lanes, o.lanes * by); ++l)
      for (std::int64_t i = 0; i < after; ++i) {
        const auto to = static_cast<std::size_t>((b * o.lanes * by + l) * after + i);
        const auto from = static_cast<std::size_t>((b * a.lanes + l) * after + i);
        filled.words[to] = tile.words[from];
        if (!filled.error.empty()) filled.error[to] = tile.error[from];
        if (!filled.gone.empty())
          filled.gone[to] = static_cast<std::uint8_t>(!a.has(l) || (!tile.gone.empty() && tile.gone[from]));
      }
  if (!of_block(m, outer)) m.axis(outer) = o;
  if (!of_block(m, inner)) m.axis(inner) = in;
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  relabel(filled, as, v);
}

/// merge: lanes (o, i) become lane o · inner + i.
inline void run_merge(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const Value& tile = m.operand(n, 0);
  const int outer = static_cast<int>(n.imm & 0xff), inner = static_cast<int>(n.imm >> 20 & 0xff);
  const int axis = static_cast<int>(n.imm >> 40 & 0xff);
  const AxisState o = m.axis(outer), i = m.axis(inner);
  AxisState a;
  a.lanes = o.lanes * i.lanes;
  a.all = o.all && i.all;
  for (std::int64_t l = 0; l < a.lanes && !a.all; ++l)
    a.exists.push_back(static_cast<std::uint8_t>(o.has(l / i.lanes) && i.has(l % i.lanes)));
  const bool onto_block = of_block(m, axis);
  const std::int64_t lanes = onto_block ? m.axis(axis).lanes : a.lanes;
  if (!onto_block) m.axis(axis) = a;
  // The pair of axes one after the other, in the place of the merged one; then cut or filled to its lanes.
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  Shape pair;
  const int place = v.shape.find(axis);
  for (int k = 0; k < v.shape.rank; ++k) {
    if (k == place) {
      pair.add(outer, o.lanes);
      pair.add(inner, i.lanes);
    } else {
      pair.add(v.shape.axes[k], v.shape.lanes[k]);
    }
  }
  Value whole;
  whole.reset(n.type, pair);
  relabel(tile, tile.shape, whole);
  std::int64_t before = 1, after = 1;
  for (int k = 0; k < place; ++k) before *= v.shape.lanes[k];
  for (int k = place + 1; k < v.shape.rank; ++k) after *= v.shape.lanes[k];
  if (!whole.error.empty()) v.error.assign(v.size(), 0.0);
  if (onto_block || !whole.gone.empty()) v.gone.assign(v.size(), 0);
  for (std::int64_t b = 0; b < before; ++b)
    for (std::int64_t l = 0; l < lanes; ++l)
      for (std::int64_t k = 0; k < after; ++k) {
        const auto to = static_cast<std::size_t>((b * lanes + l) * after + k);
        const auto from = static_cast<std::size_t>((b * a.lanes + l) * after + k);
        const bool there = l < a.lanes && a.has(l);
        v.words[to] = l < a.lanes ? whole.words[from] : 0;
        if (!v.error.empty() && there) v.error[to] = whole.error[from];
        if (!v.gone.empty())
          v.gone[to] = static_cast<std::uint8_t>(!there || (!whole.gone.empty() && whole.gone[from]));
      }
}

/// join: the lanes of b after those of a, along a new axis.
inline void run_join(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const int axes[2] = {static_cast<int>(n.imm & 0xff), static_cast<int>(n.imm >> 20 & 0xff)};
  const int joined = static_cast<int>(n.imm >> 40 & 0xff);
  AxisState a;
  for (const int axis : axes) {
    const AxisState& part = m.axis(axis);
    a.lanes += part.lanes;
    a.all = a.all && part.all;
    for (std::int64_t l = 0; l < part.lanes; ++l) a.exists.push_back(static_cast<std::uint8_t>(part.has(l)));
  }
  m.axis(joined) = a;
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  const int place = v.shape.find(joined);
  std::int64_t before = 1, after = 1, first = 0;
  for (int i = 0; i < place; ++i) before *= v.shape.lanes[i];
  for (int i = place + 1; i < v.shape.rank; ++i) after *= v.shape.lanes[i];
  for (int k = 0; k < 2; ++k) {
    const Value& tile = m.operand(n, k);
    Shape as = v.shape;
    as.axes[place] = static_cast<std::uint8_t>(axes[k]);
    as.lanes[place] = m.axis(axes[k]).lanes;
    Lanes lanes;
    lanes.bind(tile, as);
    lanes.convert(tile.type, v.type, static_cast<std::size_t>(as.count()));
    if (lanes.error) v.error.resize(v.size());
    if (lanes.gone) v.gone.resize(v.size());
    const std::int64_t run = as.lanes[place] * after;
    for (std::int64_t b = 0; b < before; ++b)
      for (std::int64_t i = 0; i < run; ++i) {
        const auto to = static_cast<std::size_t>(b * a.lanes * after + first + i);
        const auto from = static_cast<std::size_t>(b * run + i);
        v.words[to] = lanes.word(from);
        if (lanes.error) v.error[to] = lanes.error_at(from);
        if (lanes.gone) v.gone[to] = lanes.gone[from * lanes.step];
      }
    first += run;
  }
}

inline void run_part(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  m.value(id) = m.parts[static_cast<std::size_t>(m.program.operand(n, 0))][static_cast<std::size_t>(n.imm)];
}

}  // namespace interpreter
TESSERA_END
