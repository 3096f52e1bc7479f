// Owns which lanes of a value exist where its axes' lanes do: a split may leave gaps in its last piece, a merge onto a
// block those that the pair lacks; what is computed of such values has their gaps, and Vars keep them.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

/// An integer node's value where it is known before anything runs.
std::optional<std::int64_t> Planner::known_integer(int id) const {
  const Node& n = program_.node(id);
  if (n.op == Op::literal) return n.imm;
  if (n.op == Op::tunable) return known_.cuts[static_cast<std::size_t>(n.imm)];
  if (n.op == Op::extent) return known_.words[layout_.extent_word(static_cast<std::size_t>(n.imm))];
  if (n.op == Op::cast) return known_integer(program_.operand(n, 0));
  return {};
}

/// The lanes of an axis, those included that do not exist, where they are known before anything runs; 0 where not.
std::int64_t Planner::known_lanes(int axis) const {
  const ir::Axis& a = program_.axes[static_cast<std::size_t>(axis)];
  const Node& n = program_.node(a.node);
  const auto product = [](std::int64_t x, std::int64_t y) {
    return x > 0 && y > 0 && x < INT32_MAX && y < INT32_MAX ? x * y : 0;
  };
  switch (n.op) {
    case Op::all_block:
      return known_.words[layout_.extent_word(static_cast<std::size_t>(a.extent))].value_or(0);
    case Op::alias:
      return known_lanes(program_.node(program_.operand(n, 0)).axes[0]);
    case Op::grow: {
      const std::int64_t lanes = known_lanes(program_.node(program_.operand(n, 0)).axes[0]);
      return lanes > 0 ? lanes + (n.imm >> 32) + (n.imm & 0xffffffff) : 0;
    }
    case Op::rename:
      return known_lanes(static_cast<int>(n.imm & 0xffffffff));
    case Op::split: {
      const std::int64_t by = split_by(a.node), lanes = known_lanes(static_cast<int>(n.imm & 0xfffff));
      if (axis == static_cast<int>(n.imm >> 40)) return by;
      return by > 0 && lanes > 0 ? (lanes + by - 1) / by : 0;
    }
    case Op::merge:
      return product(known_lanes(static_cast<int>(n.imm & 0xfffff)),
                     known_lanes(static_cast<int>(n.imm >> 20 & 0xfffff)));
    case Op::join: {
      const std::int64_t x = known_lanes(static_cast<int>(n.imm & 0xfffff)),
                         y = known_lanes(static_cast<int>(n.imm >> 20 & 0xfffff));
      return x > 0 && y > 0 ? x + y : 0;
    }
    default:
      return n.count > 0 ? known_integer(program_.operand(n, 0)).value_or(0) : 0;
  }
}

/// Whether all lanes of an axis surely exist.
bool Planner::surely_whole(int axis) const {
  const ir::Axis& a = program_.axes[static_cast<std::size_t>(axis)];
  const Node& n = program_.node(a.node);
  switch (n.op) {
    case Op::all_block:
    case Op::lanes_block:
    case Op::threads_block:
      return true;
    case Op::grid_block:
    case Op::loop_block: {
      const auto size = known_.words[layout_.extent_word(static_cast<std::size_t>(a.extent))];
      const std::int64_t cut = known_lanes(axis);
      return n.count == 1 && size && cut > 0 && *size % cut == 0;
    }
    case Op::alias:
      return surely_whole(program_.node(program_.operand(n, 0)).axes[0]);
    case Op::rename:
      return surely_whole(static_cast<int>(n.imm & 0xffffffff));
    case Op::split:
      return axis == static_cast<int>(n.imm >> 40) || surely_whole(static_cast<int>(n.imm & 0xfffff));
    case Op::merge:
    case Op::join:
      return surely_whole(static_cast<int>(n.imm & 0xfffff)) && surely_whole(static_cast<int>(n.imm >> 20 & 0xfffff));
    default:
      return false;
  }
}

/// Lanes of a piece of a split, where known; 0 where not.
std::int64_t Planner::split_by(int id) const {
  const Node& n = program_.node(id);
  const int inner = static_cast<int>(n.imm >> 40);
  return of_block(inner) ? known_lanes(inner) : known_integer(program_.operand(n, 1)).value_or(0);
}

/// Finds the values that may have gaps, and on which axes those depend.
void Planner::find_gaps() {
  gaps_.assign(program_.nodes.size(), {});
  const auto of = [&](int id) -> std::vector<int>& { return gaps_[static_cast<std::size_t>(id)]; };
  const auto include = [](std::vector<int>& axes, int axis) {
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) axes.push_back(axis);
  };
  const auto find = [&](int id) {
    const Node& n = program_.node(id);
    std::vector<int> axes;
    const auto take = [&](int operand) {
      for (int a : of(program_.operand(n, operand))) include(axes, a);
    };
    const auto replace = [&](std::int64_t from, std::int64_t to) {
      if (std::erase(axes, static_cast<int>(from)) > 0) include(axes, static_cast<int>(to));
    };
    const std::int64_t first = n.imm & 0xfffff, second = n.imm >> 20 & 0xfffff, third = n.imm >> 40;
    switch (n.op) {
      case Op::load:
      case Op::atomic: {  // its indices and its mask; what it reads where those are not does not matter
        const ir::Arg& a = program_.args[static_cast<std::size_t>(n.imm & 0xffffffff)];
        for (int k = 0; k < a.rank; ++k) take(k);
        if (n.flags & ir::flag_masked) take(mask_operand(n));
        break;
      }
      case Op::at:
        take(1);
        break;
      case Op::rename:
        take(0);
        replace(n.imm & 0xffffffff, n.imm >> 32);
        break;
      case Op::split: {
        take(0);
        const bool inherits = std::erase(axes, static_cast<int>(first)) > 0;
        const std::int64_t lanes = known_lanes(static_cast<int>(first)), by = split_by(id);
        const bool whole = surely_whole(static_cast<int>(first)) && lanes > 0 && by > 0 && lanes % by == 0 &&
                           (!of_block(static_cast<int>(second)) || known_lanes(static_cast<int>(second)) * by == lanes);
        if (inherits || !whole) include(axes, static_cast<int>(second)), include(axes, static_cast<int>(third));
        break;
      }
      case Op::merge: {
        take(0);
        replace(first, third);
        replace(second, third);
        const std::int64_t x = known_lanes(static_cast<int>(first)), y = known_lanes(static_cast<int>(second));
        if (of_block(static_cast<int>(third)) &&
            !(x > 0 && y > 0 && x * y == known_lanes(static_cast<int>(third)) &&
              surely_whole(static_cast<int>(first)) && surely_whole(static_cast<int>(second))))
          include(axes, static_cast<int>(third));
        break;
      }
      case Op::join:
        take(0);
        replace(first, third);
        for (int a : of(program_.operand(n, 1))) include(axes, a == second ? static_cast<int>(third) : a);
        if (!of(program_.operand(n, 0)).empty() || !axes.empty()) include(axes, static_cast<int>(third));
        break;
      case Op::pad:
      case Op::get:
      case Op::var:
      case Op::sort:
      case Op::cumsum:
      case Op::cumprod:
        take(0);
        break;
      case Op::set:
        for (int a : of(program_.operand(n, 1))) include(of(program_.operand(n, 0)), a);
        return;
      case Op::store:
      case Op::accumulate:
        for (int k = 0; k < n.count; ++k) take(k);
        break;
      default:
        if (info(n.op).op_class == ir::OpClass::elementwise)
          for (int k = 0; k < n.count; ++k) take(k);
        break;
    }
    if (n.op == Op::var) axes.insert(axes.end(), of(id).begin(), of(id).end());
    const bool kept = n.op == Op::var || analysis_.form[static_cast<std::size_t>(id)] == Form::buffer;
    if (kept && !axes.empty()) axes.assign(n.axes, n.axes + n.rank);  // they are kept with it
    for (int a : axes) include(of(id), a);
  };
  for (std::size_t before = 1, now = 0; before != now;) {
    before = now;
    now = 0;
    for (int id = 0; id < static_cast<int>(program_.nodes.size()); ++id) find(id);
    for (const auto& g : gaps_) now += g.size();
    if (now == 0) return;
  }
}

/// Which operand of a masked load, store or atomic is the mask.
int Planner::mask_operand(const Node& n) const {
  const ir::Arg& a = program_.args[static_cast<std::size_t>(n.imm & 0xffffffff)];
  return n.op == Op::load ? a.rank + ((n.flags & ir::flag_padded) != 0) : n.count - 1;
}

/// Which lanes of a value exist where those of its axes do, at a point; −1: all.
Value Planner::present(int id, Env& env) {
  if (gaps_[static_cast<std::size_t>(id)].empty()) return -1;
  MemoKey key = key_of(id, env);
  key.node = -1 - id;
  for (auto it = scopes_.rbegin(); it != scopes_.rend(); ++it)
    if (auto found = it->find(key); found != it->end()) return found->second.v;
  Val v;
  v.v = present_new(id, env);
  scopes_.back()[key] = v;
  return v.v;
}

Value Planner::present_new(int id, Env& env) {
  const Node& n = program_.node(id);
  if (const auto& kept = masks_[static_cast<std::size_t>(id)]; kept && n.op != Op::var) return read_slot(*kept, env).v;
  const auto operand = [&](int k, Env& e) { return present(program_.operand(n, k), e); };
  const auto lane = [](Env& e, std::int64_t axis) -> Val& { return e.lane[static_cast<std::size_t>(axis)]; };
  const std::int64_t first = n.imm & 0xfffff, second = n.imm >> 20 & 0xfffff;
  Env inner = env;
  inner.interior = -1;
  switch (n.op) {
    case Op::load:
    case Op::atomic: {
      Value m = -1;
      const ir::Arg& a = program_.args[static_cast<std::size_t>(n.imm & 0xffffffff)];
      for (int k = 0; k < a.rank; ++k) m = both(m, operand(k, env));
      if (n.flags & ir::flag_masked) m = both(m, operand(mask_operand(n), env));
      return m;
    }
    case Op::get: {
      const auto& kept = masks_[static_cast<std::size_t>(program_.operand(n, 0))];
      return kept ? read_slot(*kept, env).v : -1;
    }
    case Op::at:
      return operand(1, env);
    case Op::rename:
      lane(inner, n.imm & 0xffffffff) = lane(env, n.imm >> 32);
      return operand(0, inner);
    case Op::split: {
      const Val from = lane_before_split(n, env);
      const Value there = has(static_cast<int>(first), from, env);
      lane(inner, first) = from;
      inner.guard = both(inner.guard, there);
      return both(there, operand(0, inner));
    }
    case Op::merge: {
      const auto [outer, in] = lanes_before_merge(n, env);
      const Value there = both(has(static_cast<int>(first), outer, env), has(static_cast<int>(second), in, env));
      lane(inner, first) = outer;
      lane(inner, second) = in;
      inner.guard = both(inner.guard, there);
      return both(there, operand(0, inner));
    }
    case Op::join: {
      Value in_a = -1;
      Env other = inner;
      join_sides(n, env, inner, other, in_a);
      const Value x = operand(0, inner), y = operand(1, other);
      if (x < 0 && y < 0) return -1;
      return b_->select(in_a, x < 0 ? b_->boolean(true) : x, y < 0 ? b_->boolean(true) : y);
    }
    case Op::pad:
    case Op::sort:
    case Op::cumsum:
    case Op::cumprod:
      return operand(0, env);
    default: {
      Value m = -1;
      for (int k = 0; k < n.count; ++k) m = both(m, operand(k, env));
      return m;
    }
  }
}

/// Which lanes of a value exist, its axes' lanes standing within their ranges; −1: all.
Value Planner::there(int id, Env& env) {
  Value m = present(id, env);
  const Node& n = program_.node(id);
  for (int i = 0; i < n.rank; ++i)
    if (axis_[n.axes[i]].holes >= 0) m = both(m, has(n.axes[i], env.lane[n.axes[i]], env));
  return m;
}

/// Whether all lanes of a value exist that lie within the ranges of its axes.
bool Planner::has_all(int id) const {
  const Node& n = program_.node(id);
  bool all = gaps_[static_cast<std::size_t>(id)].empty();
  for (int i = 0; i < n.rank; ++i) all &= axis_[n.axes[i]].holes < 0;
  return all;
}

/// Keeps which lanes of `id` exist, at present, in `slot`.
void Planner::keep_mask(int id, const Slot& slot) {
  const int vector_axis = slot.axes.back();
  Env env = top_;
  env.width = machine_.lanes(4);
  env.mask_tail = machine_.has_masks && machine_.has_narrow_masks;
  scoped([&] {
    loops(env, slot.axes, env.width > 1 ? vector_axis : -1, env.width, 1, {}, [&](std::span<Env> envs) {
      Env& e = envs[0];
      const Value m = present(id, e);
      write_memory(slot.buffer, slot.elem, offset_in(slot, e), wrap(m < 0 ? b_->boolean(true) : m), -1, e, false);
    });
  });
}

/// Keeps with a kept value which of its lanes exist: a Var that says so may have changed when it is used.
void Planner::keep_mask(int id) {
  if (gaps_[static_cast<std::size_t>(id)].empty()) return;
  const Node& n = program_.node(id);
  masks_[static_cast<std::size_t>(id)].reset();
  const Slot slot = new_slot(std::vector<int>(n.axes, n.axes + n.rank), DType::b8, n.axes[n.rank - 1]);
  keep_mask(id, slot);
  masks_[static_cast<std::size_t>(id)] = slot;
}

/// Along the split axis, the lane of a point of the two that it became.
Val Planner::lane_before_split(const Node& n, Env& env) {
  const auto outer = static_cast<std::size_t>(n.imm >> 20 & 0xfffff), inner = static_cast<std::size_t>(n.imm >> 40);
  return add(scaled(env.lane[outer], axis_[inner].lanes, env), env.lane[inner], env);
}

/// Along the pair of merged axes, the lanes of a point of the one that they became.
std::pair<Val, Val> Planner::lanes_before_merge(const Node& n, Env& env) {
  const Val lane = env.lane[static_cast<std::size_t>(n.imm >> 40)];
  const Value size = axis_[static_cast<std::size_t>(n.imm >> 20 & 0xfffff)].lanes;
  const Value l = machine(lane, env, is_vector(lane)), by = b_->broadcast(size, b_->lanes(l));
  return {wrap(b_->binary(loop::Op::floor_div, l, by)), wrap(b_->binary(loop::Op::floor_rem, l, by))};
}

/// Where the two sides of a join stand at a point, each guarded by its own lanes; `in_a`: the point is of the first.
void Planner::join_sides(const Node& n, Env& env, Env& first, Env& second, Value& in_a) {
  const int a = static_cast<int>(n.imm & 0xfffff), c = static_cast<int>(n.imm >> 20 & 0xfffff);
  const Val lane = env.lane[static_cast<std::size_t>(n.imm >> 40)];
  const Value cut = axis_[static_cast<std::size_t>(a)].lanes;
  const Val past = add(lane, wrap(b_->sub(i64(0), cut)), env);
  in_a = in_range(lane, i64(0), cut, false, true, env);
  first.interior = second.interior = -1;
  first.lane[static_cast<std::size_t>(a)] = lane;
  first.guard = both(first.guard, has(a, lane, env));
  second.lane[static_cast<std::size_t>(c)] = past;
  second.guard = both(second.guard, has(c, past, env));
}

}  // namespace cpu
TESSERA_END
