// Owns axes where code is written: blocks, the axes that renaming, splitting, merging and joining make, and which of
// their lanes exist.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

/// The lanes of a block, which are known: as many as no array has stand for all more, with which sums would overflow.
Value bounded_cut(loop::Builder& b, Value cut) {
  constexpr std::int64_t most = std::int64_t{1} << 60;
  return b.known(cut).value_or(0) > most ? b.integer(most) : cut;
}

/// Fills in an axis of `cut` lanes that starts at `begin`, and ends at its extent; or lies within a range.
void Planner::bind_block(int axis, Val begin, Value cut, std::optional<PositionRange> range) {
  AxisState& a = axis_[static_cast<std::size_t>(axis)];
  const ir::Axis& info = program_.axes[static_cast<std::size_t>(axis)];
  a.begin = scalar(begin);
  a.begin_lo = begin.lo, a.begin_hi = begin.hi;
  a.lanes = cut;
  a.holes = -1;
  a.low = info.extent >= 0 ? i64(0) : -1;
  a.high = info.extent >= 0 ? extent(info.extent) : -1;
  a.extent_hi = a.high >= 0 ? known_or(a.high, INT64_MAX) : INT64_MAX;
  a.ranged = range.has_value();
  if (range) {
    a.low = a.low >= 0 ? b_->max(range->from, a.low) : range->from;
    a.high = a.high >= 0 ? b_->min(a.high, range->to) : range->to;
  }
  a.lo = range ? b_->max(i64(0), b_->sub(i64(0), a.begin)) : i64(0);
  a.full_lo = !range;
  a.hi = cut;
  if (a.high >= 0) {
    const auto size = b_->known(a.high), c = b_->known(cut);
    if (!(size && c && !range && *size > 0 && *c > 0 && *size % *c == 0)) a.hi = b_->min(cut, b_->sub(a.high, a.begin));
  }
  a.end = b_->add(a.begin, b_->max(a.hi, a.lo));
  a.max_lanes = cut;
  if (info.extent >= 0) a.max_lanes = b_->min(cut, extent(info.extent));
  a.max_known = known_or(a.max_lanes, INT64_MAX);
}

void Planner::define_axis(int id) {
  const Node& n = program_.node(id);
  if (n.rank == 0) return;
  const int axis = n.axes[0];
  AxisState& a = axis_[static_cast<std::size_t>(axis)];
  const auto operand = [&](int k) {
    const int o = program_.operand(n, k);
    return scalar(cast_value(eval(o, top_), program_.node(o).type, DType::i64, 0, top_));
  };
  const std::int32_t e = program_.axes[static_cast<std::size_t>(axis)].extent;
  switch (n.op) {
    case Op::grid_block: {
      const Value cut = bounded_cut(*b_, operand(0));
      a.number = grid_numbers_[static_cast<std::size_t>(next_grid_++)];
      if (!b_->is(a.number, 0)) fast_axis_ = n.count == 4 ? -1 : axis;
      Val begin = affine(b_->mul(a.number, cut), 0, 0, std::max<std::int64_t>(0, known_or(extent(e), INT64_MAX) - 1));
      if (n.count == 4) {
        // Rows beyond `longest` are cut off.
        const Value from = operand(1), to = b_->min(operand(2), b_->add(from, operand(3)));
        begin = affine(b_->add(from, begin.base), 0, INT64_MIN, INT64_MAX);
        bind_block(axis, begin, cut, PositionRange{from, to});
      } else {
        bind_block(axis, begin, cut, std::nullopt);
      }
      return;
    }
    case Op::all_block:
      a.number = i64(0);
      bind_block(axis, wrap(i64(0)), extent(e), std::nullopt);
      a.hi = extent(e);
      return;
    case Op::span_block: {
      a.number = i64(0);
      const Value from = operand(1);
      bind_block(axis, affine(from, 0, INT64_MIN, INT64_MAX), operand(0), PositionRange{from, operand(2)});
      return;
    }
    case Op::lanes_block:
    case Op::threads_block:
      a.number = i64(0);
      bind_block(axis, wrap(i64(0)), operand(0), std::nullopt);
      return;
    case Op::grow: {
      const AxisState p = axis_[program_.node(program_.operand(n, 0)).axes[0]];
      const std::int64_t lo = n.imm >> 32, hi = n.imm & 0xffffffff;
      a = p;
      a.begin = b_->sub(p.begin, i64(lo));
      if (p.begin_lo != INT64_MIN) a.begin_lo = p.begin_lo - lo;
      if (p.begin_hi != INT64_MAX) a.begin_hi = p.begin_hi - lo;
      a.lanes = b_->add(p.lanes, i64(lo + hi));
      a.lo = a.low >= 0 ? b_->max(i64(0), b_->sub(a.low, a.begin)) : i64(0);
      a.full_lo = b_->is(a.lo, 0);
      a.hi = a.high >= 0 ? b_->min(a.lanes, b_->sub(a.high, a.begin)) : a.lanes;
      a.end = b_->add(a.begin, b_->max(a.hi, a.lo));
      a.max_lanes = b_->add(p.max_lanes, i64(lo + hi));
      a.max_known = known_or(a.max_lanes, INT64_MAX);
      return;
    }
    case Op::alias:
      a = axis_[program_.node(program_.operand(n, 0)).axes[0]];
      return;
    default:
      return;
  }
}

/// Whether a block defines the axis: it then stands where the block does, and operations that go onto it fit into it.
bool Planner::of_block(int axis) const {
  return info(program_.node(program_.axes[static_cast<std::size_t>(axis)].node).op).op_class == ir::OpClass::block;
}

/// The axes that renaming, splitting, merging and joining make.
void Planner::define_made_axis(int id) {
  const Node& n = program_.node(id);
  const auto state = [&](std::int64_t axis) -> AxisState& { return axis_[static_cast<std::size_t>(axis)]; };
  const auto most = [&](const AxisState& a) { return b_->max(a.max_lanes, i64(0)); };
  const auto made = [&](std::int64_t axis, Value lanes, Value max_lanes, Value lo, Value hi) -> AxisState& {
    AxisState& a = state(axis);
    a = {};
    a.begin = a.number = i64(0);
    a.begin_lo = a.begin_hi = 0;
    a.lanes = lanes;
    a.lo = lo, a.hi = a.end = hi;
    a.full_lo = b_->is(lo, 0);
    a.max_lanes = max_lanes;
    a.max_known = known_or(max_lanes, INT64_MAX);
    return a;
  };
  // An axis of which it is only known lane by lane which of them exist.
  const auto with_holes = [&](std::int64_t axis, Value lanes, Value max_lanes, const std::function<Value(Value)>& has) {
    const int holes = scratch(DType::b8, b_->add(max_lanes, i64(64)));
    b_->for_loop(i64(0), max_lanes, i64(1), [&](Value lane) { scoped([&] { b_->store(holes, lane, has(lane)); }); });
    made(axis, lanes, max_lanes, i64(0), max_lanes).holes = holes;
  };
  const auto has_lane = [&](std::int64_t axis, Value lane) {
    Env env = top_;
    const Value m = has(static_cast<int>(axis), affine(lane, 0, 0, INT64_MAX), env);
    return m < 0 ? b_->boolean(true) : m;
  };
  const auto whole = [&](const AxisState& a) {
    return a.holes < 0 && b_->is(a.lo, 0) &&
           (a.hi == a.lanes || (b_->known(a.hi) && b_->is(a.lanes, *b_->known(a.hi))));
  };
  switch (n.op) {
    case Op::rename:
      if (!of_block(static_cast<int>(n.imm >> 32))) state(n.imm >> 32) = state(n.imm & 0xffffffff);
      return;
    case Op::split: {
      const std::int64_t from_axis = n.imm & 0xfffff, outer = n.imm >> 20 & 0xfffff, inner = n.imm >> 40;
      const AxisState from = state(from_axis);
      const Value by =
          of_block(static_cast<int>(inner)) ? state(inner).lanes : scalar(eval(program_.operand(n, 1), top_));
      if (!of_block(static_cast<int>(inner))) made(inner, by, by, i64(0), by);
      if (of_block(static_cast<int>(outer))) return;
      const Value lanes = b_->ceil_div(from.lanes, by), max_lanes = b_->ceil_div(most(from), by);
      if (from.holes >= 0) {
        with_holes(outer, lanes, max_lanes, [&](Value piece) {
          const Value first = b_->mul(piece, by);
          return b_->for_loop(i64(0), by, i64(1), {b_->boolean(false)}, [&](Value i, std::span<const Value> some) {
            return std::vector<Value>{
                b_->binary(loop::Op::bit_or, some[0], scoped([&] { return has_lane(from_axis, b_->add(first, i)); }))};
          })[0];
        });
        return;
      }
      const Value end = b_->ceil_div(b_->max(from.hi, i64(0)), by);
      if (b_->is(from.lo, 0)) {
        made(outer, lanes, max_lanes, i64(0), end);
      } else {
        const Value first = b_->binary(loop::Op::floor_div, from.lo, by);
        made(outer, lanes, max_lanes, first, b_->select(b_->compare(loop::Op::lt, from.lo, from.hi), end, first));
      }
      return;
    }
    case Op::merge: {
      const std::int64_t to = n.imm >> 40;
      const AxisState outer = state(n.imm & 0xfffff), inner = state(n.imm >> 20 & 0xfffff);
      if (of_block(static_cast<int>(to))) return;
      const Value by = inner.lanes, lanes = b_->mul(outer.lanes, by), max_lanes = b_->mul(most(outer), by);
      if (whole(inner) && outer.holes < 0) {
        made(to, lanes, max_lanes, b_->mul(outer.lo, by), b_->mul(outer.hi, by));
        return;
      }
      with_holes(to, lanes, max_lanes, [&](Value lane) {
        return both(has_lane(n.imm & 0xfffff, b_->binary(loop::Op::floor_div, lane, by)),
                    has_lane(n.imm >> 20 & 0xfffff, b_->binary(loop::Op::floor_rem, lane, by)));
      });
      return;
    }
    case Op::join: {
      const AxisState a = state(n.imm & 0xfffff), c = state(n.imm >> 20 & 0xfffff);
      const Value lanes = b_->add(a.lanes, c.lanes), max_lanes = b_->add(a.lanes, most(c));
      const bool meet = a.hi == a.lanes || (b_->known(a.hi) && b_->is(a.lanes, *b_->known(a.hi)));
      if (a.holes < 0 && c.holes < 0 && meet && b_->is(c.lo, 0)) {
        made(n.imm >> 40, lanes, max_lanes, a.lo, b_->add(a.lanes, b_->max(c.hi, i64(0))));
        return;
      }
      with_holes(n.imm >> 40, lanes, max_lanes, [&](Value lane) {
        const Value past = b_->sub(lane, a.lanes), in_a = b_->compare(loop::Op::lt, past, i64(0));
        return b_->select(in_a, has_lane(n.imm & 0xfffff, lane),
                          has_lane(n.imm >> 20 & 0xfffff, b_->max(past, i64(0))));
      });
      return;
    }
    default:
      return;
  }
}

/// Whether lane index v of `axis` exists; −1 when it always does. What it may read is read within the axis's range.
Value Planner::has(int axis, const Val& lane, Env& env) {
  const AxisState& a = axis_[static_cast<std::size_t>(axis)];
  const auto lo = b_->known(a.lo), hi = b_->known(a.hi);
  const Value within = in_range(lane, a.lo, a.hi, !(lo && lane.lo >= *lo), !(hi && lane.hi < *hi), env);
  if (a.holes < 0) return within;
  return both(within, read_memory(a.holes, DType::b8, lane, within, env).v);
}

}  // namespace cpu
TESSERA_END
