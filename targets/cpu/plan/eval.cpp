// Owns evaluation at a point: the fused value of a node where its axes stand, and of blocks, slices and kept values.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace cpu {

std::int64_t sum_of_bounds(std::int64_t a, std::int64_t b) {
  for (std::int64_t x : {a, b})
    if (x == INT64_MIN || x == INT64_MAX) return x;
  std::int64_t r;
  return __builtin_add_overflow(a, b, &r) ? (a > 0 ? INT64_MAX : INT64_MIN) : r;
}

std::int64_t negated_bound(std::int64_t a) { return a == INT64_MIN ? INT64_MAX : a == INT64_MAX ? INT64_MIN : -a; }

std::size_t Planner::MemoHash::operator()(const MemoKey& k) const {
  std::uint64_t h = static_cast<std::uint64_t>(k.node) * 0x9E3779B97F4A7C15ull;
  for (std::int64_t v : k.at) h = (h ^ static_cast<std::uint64_t>(v)) * 0xD6E8FEB86659FD93ull, h ^= h >> 29;
  return h;
}

/// Elements are computed in a machine type that holds them exactly; results are rounded back after each operation.
DType Planner::repr(DType t) {
  switch (t) {
    case DType::i4:
      return DType::i8;
    case DType::u4:
      return DType::u8;
    default:
      return info(t).is_floating() && t != DType::f64 ? DType::f32 : t;
  }
}

void Planner::refuse(int id, const std::string& why) const {
  const std::uint32_t line = id >= 0 && static_cast<std::size_t>(id) < program_.lines.size()
                                 ? program_.lines[static_cast<std::size_t>(id)]
                                 : 0;
  throw InternalError(std::string(program_.name) + ", line " + std::to_string(line) + ": " + why);
}

Planner::MemoKey Planner::key_of(int id, const Env& env) const {
  MemoKey k{id, {}};
  if (analysis_.form[static_cast<std::size_t>(id)] == Form::scalar) return k;  // one value wherever it is used
  const Node& n = program_.node(id);
  for (int i = 0; i < n.rank; ++i) {
    const Val& v = env.lane[n.axes[i]];
    k.at.push_back(v.affine ? v.base : v.v);
    k.at.push_back(v.affine ? v.scale : INT64_MIN);
  }
  k.at.push_back(env.width);
  k.at.push_back(env.guard);
  return k;
}

Val Planner::wrap(Value v) const {
  Val r;
  r.v = v;
  if (b_->type(v).elem == DType::i64 && b_->lanes(v) == 1) {
    r.affine = true;
    r.base = v;
    if (auto k = b_->known(v)) r.lo = r.hi = *k;
  }
  return r;
}

Val Planner::affine(Value base, std::int64_t scale, std::int64_t lo, std::int64_t hi) const {
  Val r;
  r.affine = true;
  r.base = base;
  r.scale = scale;
  if (scale == 0) r.v = base;
  r.lo = lo, r.hi = hi;
  if (auto k = b_->known(base); k && scale == 0) r.lo = r.hi = *k;
  return r;
}

bool Planner::is_vector(const Val& v) const { return v.affine ? v.scale != 0 : b_->lanes(v.v) > 1; }

Value Planner::machine(const Val& v, Env& env, bool vector) {
  Value r = v.v;
  if (v.affine && v.scale != 0) {
    const Value steps = b_->mul(b_->iota(DType::i64, env.width), b_->integer(v.scale));
    r = b_->add(b_->broadcast(v.base, env.width), steps);
  }
  if (vector) r = b_->broadcast(r, env.width);
  return r;
}

Value Planner::scalar(const Val& v) {
  if (is_vector(v)) throw InternalError("planning: a vector where a scalar is needed");
  return v.affine ? v.base : v.v;
}

Val Planner::add(const Val& a, const Val& b, Env& env) {
  if (a.affine && b.affine)
    return affine(b_->add(a.base, b.base), a.scale + b.scale, sum_of_bounds(a.lo, b.lo), sum_of_bounds(a.hi, b.hi));
  Val r = wrap(b_->add(machine(a, env, true), machine(b, env, true)));
  r.lo = sum_of_bounds(a.lo, b.lo), r.hi = sum_of_bounds(a.hi, b.hi);
  return r;
}

Val Planner::scaled(const Val& a, Value factor, Env& env) {
  const auto k = b_->known(factor);
  if (a.affine && (a.scale == 0 || k)) {
    Val r = affine(b_->mul(a.base, factor), k ? a.scale * *k : 0, INT64_MIN, INT64_MAX);
    return r;
  }
  return wrap(b_->mul(machine(a, env, true), b_->broadcast(factor, env.width)));
}

Value Planner::both(Value a, Value b) { return b_->logical_and(a, b); }

std::int64_t Planner::known_or(Value v, std::int64_t other) const {
  auto k = b_->known(v);
  return k ? *k : other;
}

/// lo ≤ v < hi as a mask, scalar where v is; compares narrow distances in i32 where v runs by 1.
Value Planner::in_range(const Val& v, Value lo, Value hi, bool check_lo, bool check_hi, Env& env) {
  Value m = -1;
  if (v.affine && v.scale == 0) {
    if (check_lo) m = both(m, b_->compare(loop::Op::ge, v.base, lo));
    if (check_hi) m = both(m, b_->compare(loop::Op::lt, v.base, hi));
    return m;
  }
  if (v.affine && v.scale == 1) {
    const Value lanes = b_->iota(DType::i32, env.width);
    const auto limit = [&](Value bound) {  // the lane at which v reaches bound, clamped to [0, width]
      const Value d = b_->min(b_->max(b_->sub(bound, v.base), i64(0)), i64(env.width));
      return b_->broadcast(b_->cast(d, DType::i32), env.width);
    };
    if (check_lo) m = both(m, b_->compare(loop::Op::ge, lanes, limit(lo)));
    if (check_hi) m = both(m, b_->compare(loop::Op::lt, lanes, limit(hi)));
    return m;
  }
  const Value x = machine(v, env, true);
  if (check_lo) m = both(m, b_->compare(loop::Op::ge, x, b_->broadcast(lo, env.width)));
  if (check_hi) m = both(m, b_->compare(loop::Op::lt, x, b_->broadcast(hi, env.width)));
  return m;
}

Val Planner::eval(int id, Env& env) {
  const MemoKey key = key_of(id, env);
  for (auto it = scopes_.rbegin(); it != scopes_.rend(); ++it)
    if (auto found = it->find(key); found != it->end()) return found->second;
  const Val v = eval_new(id, env);
  scopes_.back()[key] = v;
  if (id == filling_) {
    const Slot& slot = *slots_[static_cast<std::size_t>(id)];
    write_memory(slot.buffer, slot.elem, offset_in(slot, env), v, env.guard, env, false);
  }
  return v;
}

Val Planner::eval_new(int id, Env& env) {
  const Node& n = program_.node(id);
  if (const auto& slot = slots_[static_cast<std::size_t>(id)]; slot && n.op != Op::var && id != filling_)
    return read_slot(*slot, env);
  switch (n.op) {
    case Op::literal: {
      const loop::Type t{repr(n.type), 1, -1};
      if (n.type == DType::i64) return wrap(i64(n.imm));
      const bool small_float = info(n.type).is_floating() && n.type != DType::f64 && n.type != DType::f32;
      return wrap(b_->constant(t, small_float ? static_cast<std::int64_t>(
                                                    convert_bits(n.type, DType::f32, static_cast<std::uint64_t>(n.imm)))
                                              : n.imm));
    }
    case Op::extent: {
      Val v = wrap(extent(static_cast<int>(n.imm)));
      v.lo = std::max<std::int64_t>(v.lo, 0);
      return v;
    }
    case Op::tunable:
      return wrap(i64(known_.cuts[static_cast<std::size_t>(n.imm)]));
    case Op::scalar: {
      const DType r = repr(n.type);  // integers come extended; narrow floats as their own bits
      const Value v = word(static_cast<int>(n.imm), info(n.type).is_integer() ? r : n.type);
      return wrap(b_->type(v).elem == r ? v : b_->cast(v, r));
    }
    case Op::linear_id:
    case Op::group_id:  // a group is one program
      return wrap(linear_);
    case Op::load:
      return eval_load(id, env);
    case Op::get: {
      const auto& slot = slots_[static_cast<std::size_t>(program_.operand(n, 0))];
      if (!slot) refuse(id, "a Var is read before it is declared");
      return read_slot(*slot, env);
    }
    case Op::at:
      return eval_at(n, env);
    case Op::pad:
      return eval(program_.operand(n, 0), env);
    case Op::broadcast: {
      const int o = program_.operand(n, 0);
      return cast_value(eval(o, env), program_.node(o).type, n.type, 0, env);
    }
    case Op::reduce:
    case Op::scan_by:
    case Op::part: {  // a combination by a function has the value of its first part
      const bool part = n.op == Op::part;
      const auto& parts = parts_[static_cast<std::size_t>(part ? program_.operand(n, 0) : id)];
      const auto which = static_cast<std::size_t>(part ? n.imm : 0);
      if (which >= parts.size()) refuse(id, "a part that its operation does not have");
      return read_slot(parts[which], env);
    }
    case Op::rename: {
      Env inner = env;
      inner.interior = -1;
      const Val lane = env.lane[static_cast<std::size_t>(n.imm >> 32)];
      inner.lane[static_cast<std::size_t>(n.imm & 0xffffffff)] = lane;
      if (of_block(static_cast<int>(n.imm >> 32)))
        inner.guard = both(inner.guard, has(static_cast<int>(n.imm & 0xffffffff), lane, env));
      return eval(program_.operand(n, 0), inner);
    }
    case Op::split: {
      const auto from = static_cast<int>(n.imm & 0xfffff);
      Env inner = env;
      inner.interior = -1;
      inner.lane[static_cast<std::size_t>(from)] = lane_before_split(n, env);
      if (!gaps_[static_cast<std::size_t>(id)].empty())
        inner.guard = both(inner.guard, has(from, inner.lane[static_cast<std::size_t>(from)], env));
      return eval(program_.operand(n, 0), inner);
    }
    case Op::merge: {
      const int outer = static_cast<int>(n.imm & 0xfffff), second = static_cast<int>(n.imm >> 20 & 0xfffff);
      Env inner = env;
      inner.interior = -1;
      const auto [o, i] = lanes_before_merge(n, env);
      inner.lane[static_cast<std::size_t>(outer)] = o;
      inner.lane[static_cast<std::size_t>(second)] = i;
      if (const auto to = static_cast<int>(n.imm >> 40); axis_[static_cast<std::size_t>(to)].holes >= 0 ||
                                                         (of_block(to) && !gaps_[static_cast<std::size_t>(id)].empty()))
        inner.guard = both(inner.guard, both(has(outer, o, env), has(second, i, env)));
      return eval(program_.operand(n, 0), inner);
    }
    case Op::join: {
      Env first = env, second = env;
      Value in_a = -1;
      join_sides(n, env, first, second, in_a);
      const Val x = eval(program_.operand(n, 0), first), y = eval(program_.operand(n, 1), second);
      const bool vector = is_vector(x) || is_vector(y) || b_->lanes(in_a) > 1;
      return wrap(b_->select(in_a, machine(x, env, vector), machine(y, env, vector)));
    }
    default:
      break;
  }
  if (info(n.op).op_class == ir::OpClass::block || n.op == Op::block_begin || n.op == Op::block_end ||
      n.op == Op::block_count || n.op == Op::block_number || n.op == Op::block_id)
    return eval_block_value(id, env);
  if (info(n.op).op_class != ir::OpClass::elementwise)
    refuse(id, "operation " + std::string(info(n.op).text) + " has no value at a point");
  std::vector<Val> in;
  for (std::int32_t o : program_.operands_of(n)) in.push_back(eval(o, env));
  return arith(n, in, env);
}

Val Planner::eval_block_value(int id, Env& env) {
  const Node& n = program_.node(id);
  const auto of = [&](int block) -> const AxisState& {
    const Node& bn = program_.node(block);
    return axis_[bn.axes[0]];
  };
  // A block beyond its range begins and ends where that does.
  const auto within = [&](const AxisState& a, Value position) {
    return a.ranged ? b_->min(position, b_->max(a.low, a.high)) : position;
  };
  switch (n.op) {
    case Op::block_begin: {
      const AxisState& a = of(program_.operand(n, 0));
      return wrap(within(a, b_->add(a.begin, a.lo)));
    }
    case Op::block_end: {
      const AxisState& a = of(program_.operand(n, 0));
      return wrap(within(a, a.end));
    }
    case Op::block_count: {
      const AxisState& a = of(program_.operand(n, 0));
      return wrap(b_->max(b_->sub(a.hi, a.lo), i64(0)));
    }
    case Op::block_number:
    case Op::block_id:
      return wrap(of(program_.operand(n, 0)).number);
    default:
      break;
  }
  if (n.rank == 0) refuse(id, "a grid number that is not bound");
  const int axis = n.axes[0];
  const AxisState& a = axis_[static_cast<std::size_t>(axis)];
  const Val lane = env.lane[static_cast<std::size_t>(axis)];
  Val begin = affine(a.begin, 0, a.begin_lo, a.begin_hi);
  Val v = add(lane, begin, env);
  if (!a.full_lo || a.extent_hi != INT64_MAX) v.lo = std::max<std::int64_t>(v.lo, 0);
  v.hi = std::min(v.hi, a.extent_hi == INT64_MAX ? v.hi : a.extent_hi - 1);
  return v;
}

/// at<A>(tile, index): the lane of A whose position is the index; outside the tile's lanes the pad value, or 0.
Val Planner::eval_at(const Node& n, Env& env) {
  const int tile = program_.operand(n, 0), index = program_.operand(n, 1);
  const int axis = static_cast<int>(n.imm);
  const AxisState& a = axis_[static_cast<std::size_t>(axis)];
  const Val position = cast_value(eval(index, env), program_.node(index).type, DType::i64, 0, env);
  Val lane = add(position, wrap(b_->sub(i64(0), a.begin)), env);
  if (a.begin_lo == a.begin_hi && a.begin_lo != INT64_MIN) {
    lane.lo = position.lo == INT64_MIN ? INT64_MIN : position.lo - a.begin_lo;
    lane.hi = position.hi == INT64_MAX ? INT64_MAX : position.hi - a.begin_lo;
  }
  const bool interior = env.interior >= 0 && a.holes < 0 && steps_with(index, env.interior);
  Value inside = interior ? -1 : has(axis, lane, env);
  Env inner = env;
  inner.interior = -1;
  inner.lane[static_cast<std::size_t>(axis)] = lane;
  inner.guard = both(env.guard, inside);
  if (const Value m = present(tile, inner); m >= 0) {
    inside = both(inside, m);
    inner.guard = both(inner.guard, m);
  }
  const Val x = eval(tile, inner);
  if (inside < 0) return x;
  int outside = -1;
  for (int t = tile; outside < 0;) {
    const Node& tn = program_.node(t);
    if (tn.op == Op::pad)
      outside = program_.operand(tn, 1);
    else if (tn.op == Op::at || tn.op == Op::rename)
      t = program_.operand(tn, 0);
    else
      break;
  }
  const DType r = repr(n.type);
  const bool vector = is_vector(x) || b_->lanes(inside) > 1;
  Value other = b_->constant({r, 1, -1}, 0);
  if (outside >= 0)
    other = machine(cast_value(eval(outside, env), program_.node(outside).type, n.type, 0, env), env, false);
  const Value kept = machine(x, env, vector);
  return wrap(b_->select(inside, kept, b_->broadcast(other, b_->lanes(kept))));
}

Val Planner::offset_in(const Slot& slot, Env& env) {
  Val offset = wrap(i64(0));
  for (std::size_t i = 0; i < slot.axes.size(); ++i)
    offset = add(offset, scaled(env.lane[static_cast<std::size_t>(slot.axes[i])], slot.strides[i], env), env);
  return offset;
}

Val Planner::read_slot(const Slot& slot, Env& env) {
  return read_memory(slot.buffer, slot.elem, offset_in(slot, env), env.guard, env);
}

}  // namespace cpu
TESSERA_END
