// Owns memory at a point: element offsets from indices, bounds, contiguous, strided and gathered access.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

Value Planner::word(int index, DType t) {
  const auto& k = known_.words[static_cast<std::size_t>(index)];
  if (k && t == DType::i64) return i64(*k);
  return b_->word(index, t);
}

Value Planner::extent(int index) {
  return word(static_cast<int>(layout_.extent_word(static_cast<std::size_t>(index))));
}

Value Planner::stride(int arg, int dim) {
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  if (!call::is_parameter(a)) {
    Value s = i64(1);
    for (int d = a.rank - 1; d > dim; --d)
      s = b_->mul(s, extent(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]));
    return s;
  }
  return word(static_cast<int>(layout_.stride_word(static_cast<std::size_t>(a.first_extent + dim))));
}

int Planner::arg_buffer(int arg) {
  int& buffer = arg_buffers_[static_cast<std::size_t>(arg)];
  if (buffer >= 0) return buffer;
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  loop::Buffer b;
  b.name = std::string(program_.str(a.name));
  if (b.name.empty()) b.name = "arg" + std::to_string(arg);
  b.elem = a.type;
  if (!call::is_parameter(a)) {
    b.space = loop::Space::scratch;
    buffer = b_->buffer(std::move(b));
    Value count = i64(1);
    for (int d = 0; d < a.rank; ++d)
      count = b_->mul(count, extent(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]));
    b_->alloc_first(buffer, count);
    return buffer;
  }
  b.space = loop::Space::global;
  b.word = arg;
  b.align = static_cast<std::int32_t>(known_.alignment.empty() ? std::max(1, info(a.type).bits / 8)
                                                               : known_.alignment[static_cast<std::size_t>(arg)]);
  b.read_only = a.effect == ir::Effect::in;
  return buffer = b_->buffer(std::move(b));
}

/// Whether an index is a block, or a number that runs, over exactly the array's own extent: inside by construction.
bool Planner::bare_over(const Node& index, int arg, int dim) const {
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  const std::int32_t array = program_.arg_extents[static_cast<std::size_t>(a.first_extent + dim)];
  std::int32_t own = -1;
  const auto extent_of = [&](int bound) {
    const Node& n = program_.node(program_.operand(index, bound));
    return n.op == Op::extent ? static_cast<std::int32_t>(n.imm) : -1;
  };
  if (index.op == Op::grid_index) {
    own = extent_of(0);
  } else if (index.op == Op::loop_index) {
    const Node& from = program_.node(program_.operand(index, 0));
    if (from.op == Op::literal && info(from.type).is_integer() && from.imm >= 0) own = extent_of(1);
  } else if (info(index.op).op_class == ir::OpClass::block && index.rank == 1) {
    own = program_.axes[index.axes[0]].extent;
  }
  if (own < 0) return false;
  if (own == array) return true;
  const ir::Extent &x = program_.extents[static_cast<std::size_t>(own)],
                   &y = program_.extents[static_cast<std::size_t>(array)];
  return x.base == y.base && x.divide == 1 && y.divide == 1 && x.plus <= y.plus;
}

Val Planner::offset_of(const Node& n, Env& env, Value& inside) {
  const int arg = static_cast<int>(n.imm & 0xffffffff);
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  Val offset = wrap(i64(0));
  inside = -1;
  for (int d = 0; d < a.rank; ++d) {
    const int id = program_.operand(n, d);
    const Node& in = program_.node(id);
    const Val index = cast_value(eval(id, env), in.type, DType::i64, 0, env);
    if (!bare_over(in, arg, d) && !(env.interior >= 0 && n.op == Op::load && steps_with(id, env.interior))) {
      const Value size = extent(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]);
      const bool low = index.lo < 0, high = index.hi >= known_or(size, 0);
      if (low || high) inside = both(inside, in_range(index, i64(0), size, low, high, env));
    }
    const Sharing& shared = sharing_[static_cast<std::size_t>(arg)];
    const bool copied = n.op == Op::accumulate && shared.kind == Sharing::Kind::copies;
    offset =
        add(offset, scaled(index, copied ? shared.strides[static_cast<std::size_t>(d)] : stride(arg, d), env), env);
  }
  return offset;
}

/// Elements at an offset per lane: one scalar, consecutive elements, or a gather. Masked-off lanes read 0.
Val Planner::read_memory(int buffer, DType elem, const Val& offset, Value mask, Env& env) {
  const DType r = repr(elem);
  Value v;
  if (!is_vector(offset)) {
    if (mask >= 0 && b_->lanes(mask) > 1) {
      // One address, but only some lanes may touch it: read it when any that is there may.
      const Value there = env.tail >= 0 && b_->lanes(mask) == env.width ? both(mask, env.tail) : mask;
      const Value some = b_->emit(loop::Op::reduce_or, {DType::b8, 1, -1}, {there});
      v = b_->load(buffer, scalar(offset), {elem, 1, -1}, some);
    } else {
      v = b_->load(buffer, scalar(offset), {elem, 1, -1}, mask);
    }
  } else {
    const loop::Type t{elem, static_cast<std::uint16_t>(env.width), -1};
    Value m = mask;
    if (env.tail >= 0) m = both(m, env.tail);
    if (offset.affine && offset.scale == 1) {
      v = b_->load(buffer, offset.base, t, m);
    } else if (offset.affine && offset.scale == -1 && info(elem).bits >= 8) {  // consecutive, from the last lane on
      std::vector<int> back;
      for (int l = env.width; l-- > 0;) back.push_back(l);
      const Value turned = m >= 0 && b_->lanes(m) > 1 ? b_->shuffle(m, m, back) : m;
      v = b_->load(buffer, b_->sub(offset.base, i64(env.width - 1)), t, turned);
      v = b_->shuffle(v, v, back);
    } else if (offset.affine) {
      const Value steps = b_->mul(b_->iota(DType::i64, env.width), i64(offset.scale));
      v = b_->gather(buffer, offset.base, steps, elem, m);
    } else {
      v = b_->gather(buffer, i64(0), offset.v, elem, m);
    }
  }
  return wrap(r == elem ? v : b_->cast(v, r));
}

Val Planner::eval_load(int id, Env& env) {
  const Node& n = program_.node(id);
  const int arg = static_cast<int>(n.imm & 0xffffffff);
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  Value inside;
  const Val offset = offset_of(n, env, inside);
  int next = a.rank;
  const int pad = n.flags & ir::flag_padded ? program_.operand(n, next++) : -1;
  Value mask = both(env.guard, inside), wanted = -1;
  int other = -1;
  if (n.flags & ir::flag_masked) {
    const Val m = eval(program_.operand(n, next), env);
    other = program_.operand(n, next + 1);
    wanted = m.v;
    // Consecutive lanes that are inside the array are read whole: a masked load of narrow elements is a branch a lane.
    const bool whole = mask < 0 && env.tail < 0 && is_vector(offset) && offset.affine && offset.scale == 1;
    if (!whole) mask = both(mask, wanted);
  }
  if (mask < 0) prefetch_next_program(id, offset, env);
  Val v = read_memory(arg_buffer(arg), a.type, offset, mask, env);
  const auto replace = [&](Value keep, int with) {
    const bool vector = is_vector(v) || b_->lanes(keep) > 1;
    const Val o = cast_value(eval(with, env), program_.node(with).type, n.type, 0, env);
    v = wrap(b_->select(keep, machine(v, env, vector), machine(o, env, vector)));
  };
  if (pad >= 0 && inside >= 0) replace(inside, pad);
  if (other >= 0) replace(wanted, other);
  return v;
}

/// Where a program reads an array again, what it reads lies near, and memory is idle: there the same place of the next
/// program is fetched into the second cache. (The hardware follows one row, not the step to the next.)
void Planner::prefetch_next_program(int load, const Val& offset, Env& env) {
  const Node& n = program_.node(load);
  if (job_ < 0 || fast_axis_ < 0 || analysis_.region[static_cast<std::size_t>(load)] != 0) return;
  const int arg = static_cast<int>(n.imm & 0xffffffff);
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  if (a.effect != ir::Effect::in || info(a.type).bits < 8) return;
  Reread& seen = rereads_[static_cast<std::size_t>(arg)];
  if (seen.first < 0) seen.first = job_;
  if (seen.second < 0 && seen.first != job_) seen.second = job_;
  if (seen.second != job_ || env.width == 1 || env.tail >= 0 || !offset.affine || offset.scale != 1) return;
  // Bytes of the whole array, and from one program's part to the next one's.
  std::int64_t bytes = info(a.type).bits / 8;
  Value step = -1;
  for (int d = 0; d < a.rank; ++d) {
    const Node& index = program_.node(program_.operand(n, d));
    if (!bare_over(index, arg, d)) return;
    bytes *= known_or(extent(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]), 1024);
    if (index.axes[0] != fast_axis_) continue;
    const Node& block = program_.node(program_.axes[static_cast<std::size_t>(fast_axis_)].node);
    const auto cut = b_->known(scalar(eval(program_.operand(block, 0), top_)));
    if (!cut) return;
    step = b_->mul(i64(*cut), stride(arg, d));
  }
  if (bytes <= machine_.l2_bytes || step < 0) return;
  const std::int64_t lanes = known_or(step, 1);
  if (lanes <= 0 || lanes * info(a.type).bits / 8 > machine_.l2_bytes / 2) return;
  b_->prefetch(arg_buffer(arg), b_->add(offset.base, step), false, 2);
}

/// Writes a value, in the machine type of `elem`, at an offset per lane.
void Planner::write_memory(int buffer, DType elem, const Val& offset, Val value, Value mask, Env& env, bool add_to,
                           std::uint32_t flags) {
  const bool vector = is_vector(offset) || is_vector(value) || (mask >= 0 && b_->lanes(mask) > 1) || env.width > 1;
  if (!vector || !is_vector(offset)) {
    if (env.width > 1 && (is_vector(value) || (mask >= 0 && b_->lanes(mask) > 1))) {
      // All lanes have one place: one after the other, in order.
      if (env.tail >= 0) mask = both(mask, env.tail);
      const Value all = machine(value, env, true);
      Env one = env;
      one.width = 1;
      one.tail = -1;
      for (int l = 0; l < env.width; ++l)
        write_memory(buffer, elem, offset, wrap(b_->extract(all, l)), mask >= 0 ? b_->extract(mask, l) : -1, one,
                     add_to, flags);
      return;
    }
    Value v = machine(value, env, false);
    if (add_to) {
      const Value old = machine(read_memory(buffer, elem, offset, mask, env), env, false);
      v = round_to(wrap_to(b_->add(old, v), elem), elem);
    }
    b_->store(buffer, scalar(offset), narrow(v, elem), mask, flags);
    return;
  }
  if (mask >= 0 && b_->lanes(mask) == 1) {  // all or nothing: a branch costs less than a masked store
    b_->if_then(mask, [&] { write_memory(buffer, elem, offset, value, -1, env, add_to, flags); });
    return;
  }
  Value m = mask;
  if (env.tail >= 0) m = both(m, env.tail);
  Value v = machine(value, env, true);
  if (add_to) {
    const Value old = machine(read_memory(buffer, elem, offset, mask, env), env, true);
    v = round_to(wrap_to(b_->add(old, v), elem), elem);
  }
  v = narrow(v, elem);
  if (offset.affine && offset.scale == 1) {
    b_->store(buffer, offset.base, v, m, flags);
  } else if (offset.affine) {
    b_->scatter(buffer, offset.base, b_->mul(b_->iota(DType::i64, env.width), i64(offset.scale)), v, m);
  } else {
    b_->scatter(buffer, i64(0), offset.v, v, m);
  }
}

/// A buffer for a value over `axes`; consecutive along `inner_axis` (or the last axis).
Slot Planner::new_slot(const std::vector<int>& axes, DType type, int inner_axis) {
  Slot s;
  s.elem = repr(type);
  s.axes = axes;
  s.strides.assign(axes.size(), -1);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != inner_axis) order.push_back(i);
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i] == inner_axis) order.push_back(i);
  // Rows start at a multiple of a vector, and whole vectors may be written past their end.
  const std::int64_t unit = machine_.vector_bytes * 8 / std::max<int>(8, info(s.elem).bits);
  Value size = i64(1);
  for (std::size_t k = order.size(); k-- > 0;) {
    s.strides[order[k]] = size;
    Value lanes = axis_[static_cast<std::size_t>(axes[order[k]])].max_lanes;
    if (k + 1 == order.size() && !b_->is(lanes, 1)) lanes = b_->round_up(lanes, unit);
    size = b_->mul(size, lanes);
  }
  s.buffer = scratch(s.elem, b_->add(size, i64(unit)));
  return s;
}

int Planner::scratch(DType elem, Value count) {
  loop::Buffer b;
  b.name = "t" + std::to_string(out_.buffers.size());
  b.elem = elem;
  const int made = b_->buffer(std::move(b));
  b_->alloc_first(made, count);
  return made;
}

Slot Planner::slot_for(int id) {
  const Node& n = program_.node(id);
  std::vector<int> axes(n.axes, n.axes + n.rank);
  return new_slot(axes, n.type, axes.empty() ? -1 : axes.back());
}

}  // namespace cpu
TESSERA_END
