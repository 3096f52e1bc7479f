// Owns loops whose Vars stay in registers: their bodies are values at points, so the loop runs inside the nest over the
// points, or, where it goes on while any point does, over a tile of few vectors.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"

TESSERA_BEGIN
namespace cpu {

namespace {

constexpr int most_chunks = 4;  ///< vectors of a Var that are kept in registers at a time

}  // namespace

/// A loop whose body is values at the points of `axes`, and what it needs.
struct Planner::PointLoop {
  int opener = -1, first = -1, test = -1, last = -1;  ///< nodes: the first of the body, the loop's condition or −1
  std::vector<int> vars;                              ///< that it sets
  std::vector<int> axes;                              ///< of those; each has all of them, or none
  std::vector<int> before;                            ///< values that it does not change: read before it
  bool mixed = false;                                 ///< some of its Vars are single values, others are not
  bool joins = false;                                 ///< it combines points: any, all
  bool reads = false;                                 ///< it reads arrays at places that change with its turns
};

/// Describes the loop that `opener` opens, if its Vars may stay in registers.
std::optional<Planner::PointLoop> Planner::point_loop(int opener) const {
  PointLoop p;
  p.opener = opener;
  p.last = region_end(opener);
  p.first = opener + 1 + (program_.node(opener).op == Op::for_range);
  for (int i = p.first; i < p.last; ++i) {
    const Node& n = program_.node(i);
    if (n.op == Op::loop_condition) p.test = i;
    if (n.op == Op::set) {
      const int var = program_.operand(n, 0);
      if (p.test < 0 && program_.node(opener).op == Op::while_loop) return {};
      if (analysis_.var_read_elsewhere[static_cast<std::size_t>(i)] || !gaps_[static_cast<std::size_t>(var)].empty())
        return {};
      if (std::find(p.vars.begin(), p.vars.end(), var) == p.vars.end()) p.vars.push_back(var);
    }
  }
  bool single = false;
  for (int var : p.vars) {
    const Node& n = program_.node(var);
    single |= n.rank == 0;
    if (n.rank > 0 && p.axes.empty()) p.axes.assign(n.axes, n.axes + n.rank);
    if (n.rank > 0 && static_cast<std::size_t>(n.rank) != p.axes.size()) return {};
    for (int i = 0; i < n.rank; ++i)
      if (std::find(p.axes.begin(), p.axes.end(), n.axes[i]) == p.axes.end()) return {};
  }
  if (p.vars.empty()) return {};
  p.mixed = single && !p.axes.empty();
  for (int a : p.axes)
    if (axis_[static_cast<std::size_t>(a)].holes >= 0) return {};
  std::vector<bool> changes(program_.nodes.size());  // from turn to turn
  if (p.first > opener + 1) changes[static_cast<std::size_t>(opener + 1)] = true;
  for (int i = p.first; i < p.last; ++i) {
    const Node& n = program_.node(i);
    if (analysis_.form[static_cast<std::size_t>(i)] == Form::dead) continue;
    const auto operands = program_.operands_of(n);
    for (int k = 0; k < n.rank; ++k)
      if (std::find(p.axes.begin(), p.axes.end(), n.axes[k]) == p.axes.end()) return {};
    for (int u : analysis_.users[static_cast<std::size_t>(i)])
      if (u > p.last && analysis_.form[static_cast<std::size_t>(u)] != Form::dead) return {};
    bool varies = std::any_of(operands.begin(), operands.end(),
                              [&](std::int32_t o) { return changes[static_cast<std::size_t>(o)]; });
    switch (n.op) {
      case Op::set:
      case Op::loop_condition:
        continue;
      case Op::get:
        varies = std::find(p.vars.begin(), p.vars.end(), program_.operand(n, 0)) != p.vars.end();
        break;
      case Op::any:
      case Op::all:
        if (n.rank > 0 || static_cast<std::size_t>(program_.node(operands[0]).rank) != p.axes.size()) return {};
        p.joins = true;
        break;
      case Op::load:
        p.reads |= varies && n.rank > 0;
        break;
      default:
        if (info(n.op).op_class != ir::OpClass::elementwise && info(n.op).op_class != ir::OpClass::leaf) return {};
        if (n.op == Op::param) return {};
        break;
    }
    changes[static_cast<std::size_t>(i)] = varies;
  }
  bool fits = true;
  const auto note = [&](int id) {
    const Node& n = program_.node(id);
    for (int k = 0; k < n.rank; ++k) fits &= std::find(p.axes.begin(), p.axes.end(), n.axes[k]) != p.axes.end();
    const Form f = analysis_.form[static_cast<std::size_t>(id)];
    if (n.op == Op::var || f == Form::dead || f == Form::effect || info(n.op).op_class == ir::OpClass::block) return;
    if (std::find(p.before.begin(), p.before.end(), id) == p.before.end()) p.before.push_back(id);
  };
  for (int i = p.first; i < p.last; ++i) {
    if (analysis_.form[static_cast<std::size_t>(i)] == Form::dead) continue;
    const Node& n = program_.node(i);
    if (n.op == Op::load && !changes[static_cast<std::size_t>(i)]) note(i);
    for (std::int32_t o : program_.operands_of(n))
      if (o < opener) note(o);
  }
  if (!fits) return {};
  return p;
}

/// A Var's value in a register: masks wait as integers, which loops carry without repacking.
Value Planner::carried(Value v) {
  const loop::Type t = b_->type(v);
  if (t.elem != DType::b8 || t.lanes == 1) return v;
  const loop::Type as{DType::i32, t.lanes, -1};
  return b_->select(v, b_->constant(as, -1), b_->constant(as, 0));
}

Value Planner::from_carried(Value v, DType type) {
  if (type != DType::b8 || b_->lanes(v) == 1) return v;
  return b_->compare(loop::Op::lt, v, b_->constant(b_->type(v), 0));
}

/// The Vars of a loop as they stand: of each a value a chunk, or one.
std::vector<Value> Planner::read_state(const PointLoop& p, std::span<Env> envs) {
  std::vector<Value> state;
  for (int var : p.vars) {
    const Slot& slot = *slots_[static_cast<std::size_t>(var)];
    if (program_.node(var).rank == 0) {
      state.push_back(machine(read_slot(slot, top_), top_, false));
      continue;
    }
    for (Env& e : envs) state.push_back(carried(machine(read_slot(slot, e), e, e.width > 1)));
  }
  return state;
}

/// Puts Vars back into memory: tiles, single values, or both.
void Planner::write_state(const PointLoop& p, std::span<Env> envs, std::span<const Value> state, bool tiles,
                          bool singles) {
  std::size_t at = 0;
  for (int var : p.vars) {
    const Slot& slot = *slots_[static_cast<std::size_t>(var)];
    const DType type = program_.node(var).type;
    const Target t{&slot, -1, p.axes, -1, type};
    if (program_.node(var).rank == 0) {
      if (singles) write_value(t, top_, wrap(state[at]), type);
      ++at;
      continue;
    }
    for (Env& e : envs) {
      if (tiles) write_value(t, e, wrap(from_carried(state[at], type)), type);
      ++at;
    }
  }
}

/// Nodes [from, to) of a turn, on what the Vars hold; of those before `needed` only what it and later ones use.
void Planner::run_turn(const PointLoop& p, int from, int to, int needed, std::span<Env> envs,
                       std::vector<Value>& state) {
  const auto place = [&](int var) {
    std::size_t at = 0;
    for (int v : p.vars) {
      if (v == var) break;
      at += program_.node(v).rank == 0 ? 1 : envs.size();
    }
    return at;
  };
  const auto is_state = [&](int var) { return std::find(p.vars.begin(), p.vars.end(), var) != p.vars.end(); };
  std::vector<bool> serves(program_.nodes.size());
  for (int i = p.last; i-- > from;)
    for (int u : analysis_.users[static_cast<std::size_t>(i)])
      if (u < p.last && (u >= needed || serves[static_cast<std::size_t>(u)]))
        serves[static_cast<std::size_t>(i)] = true;
  for (int i = from; i < to; ++i) {
    const Node& n = program_.node(i);
    const Form form = analysis_.form[static_cast<std::size_t>(i)];
    if (form == Form::dead || n.op == Op::loop_condition) continue;
    if (i < needed && !serves[static_cast<std::size_t>(i)]) continue;
    if (n.op == Op::get && is_state(program_.operand(n, 0))) {
      const std::size_t at = place(program_.operand(n, 0));
      if (n.rank == 0) remember(i, top_, wrap(state[at]));
      for (std::size_t c = 0; c < envs.size() && n.rank > 0; ++c)
        remember(i, envs[c], wrap(from_carried(state[at + c], n.type)));
    } else if (n.op == Op::set) {
      const int value = program_.operand(n, 1);
      const Node& var = program_.node(program_.operand(n, 0));
      const std::size_t at = place(program_.operand(n, 0));
      const auto in = [&](Env& e) {
        return machine(cast_value(eval(value, e), program_.node(value).type, var.type, 0, e), e,
                       var.rank > 0 && e.width > 1);
      };
      if (var.rank == 0) state[at] = in(top_);
      for (std::size_t c = 0; c < envs.size() && var.rank > 0; ++c) state[at + c] = carried(in(envs[c]));
    } else if (n.op == Op::any || n.op == Op::all) {
      Value result = -1;
      for (Env& e : envs) {
        Value v = machine(eval(program_.operand(n, 0), e), e, e.width > 1);
        const Value there = both(e.guard, e.tail);
        if (n.op == Op::any) v = both(v, there);
        if (n.op == Op::all && there >= 0) v = b_->binary(loop::Op::bit_or, v, b_->logical_not(there));
        const loop::Op join = n.op == Op::any ? loop::Op::bit_or : loop::Op::bit_and;
        result = result < 0 ? v : b_->binary(join, result, v);
      }
      if (b_->lanes(result) > 1)
        result = b_->emit(n.op == Op::any ? loop::Op::reduce_or : loop::Op::reduce_and, {DType::b8, 1, -1}, {result});
      remember(i, top_, wrap(result));
      for (Env& e : envs) remember(i, e, wrap(result));
    } else if (form == Form::scalar) {
      eval(i, top_);
    } else if (form == Form::buffer) {
      for (Env& e : envs) eval(i, e);
    }
  }
}

/// The points of a tile as vectors side by side, where they are few; nothing where they are not.
std::vector<Env> Planner::few_points(const std::vector<int>& axes, int vector_axis, int width) {
  std::vector<Env> envs{top_};
  for (int a : axes) {
    const AxisState& s = axis_[static_cast<std::size_t>(a)];
    const int step = a == vector_axis ? width : 1;
    if (s.max_known > static_cast<std::int64_t>(most_chunks) * step) return {};
    std::vector<Env> next;
    for (const Env& e : envs)
      for (std::int64_t l = 0; l < s.max_known; l += step) {
        Env at = bind(e, a, i64(l));
        if (step > 1) at.width = width, at.lane[static_cast<std::size_t>(a)] = affine(i64(l), 1, 0, s.max_known - 1);
        const Value m = has(a, affine(i64(l), step > 1 ? 1 : 0, l, l + step - 1), at);
        (step > 1 ? at.tail : at.guard) = both(step > 1 ? at.tail : at.guard, m);
        next.push_back(at);
      }
    if (next.empty() || next.size() > static_cast<std::size_t>(most_chunks)) return {};
    envs = std::move(next);
  }
  for (Env& e : envs) e.width = vector_axis >= 0 ? width : 1;
  return envs;
}

/// The loop itself, over points that stand side by side; gives its Vars' last values.
std::vector<Value> Planner::point_turns(const PointLoop& p, std::span<Env> envs) {
  for (int id : p.before) {  // what the loop does not change
    if (analysis_.form[static_cast<std::size_t>(id)] == Form::scalar) continue;
    if (program_.node(id).rank == 0) eval(id, top_);
    for (Env& e : envs) eval(id, e);
  }
  const std::vector<Value> start = read_state(p, envs);
  if (program_.node(p.opener).op == Op::for_range) {
    const auto [lo, hi] = range_of(p.opener + 1);
    return b_->for_loop(lo, hi, i64(1), start, [&](Value iv, std::span<const Value> now) {
      return scoped([&] {
        remember(p.opener + 1, top_, index_between(iv, lo, hi));
        std::vector<Value> state(now.begin(), now.end());
        run_turn(p, p.first, p.last, p.first, envs, state);
        return state;
      });
    });
  }
  return b_->while_loop(
      start,
      [&](std::span<const Value> now) {
        return scoped([&] {
          std::vector<Value> state(now.begin(), now.end());
          run_turn(p, p.first, p.test, p.first, envs, state);
          const Value more = scalar(eval(program_.operand(program_.node(p.test), 0), top_));
          return std::pair{more, state};
        });
      },
      [&](std::span<const Value> now) {
        return scoped([&] {
          std::vector<Value> state(now.begin(), now.end());
          run_turn(p, p.first, p.test, p.test + 1, envs, state);  // again, for what the body uses of it
          run_turn(p, p.test + 1, p.last, p.test + 1, envs, state);
          return state;
        });
      });
}

/// Writes a loop with its Vars in registers; false where that cannot be.
bool Planner::loop_in_registers(int opener) {
  const auto p = point_loop(opener);
  if (!p) return false;
  int vector_axis = -1, width = 1, cost = 0;
  bool masks = true;
  for (int i = p->first; i < p->last; ++i) {
    const Node& n = program_.node(i);
    if (n.op != Op::set || program_.node(program_.operand(n, 0)).rank == 0) continue;
    const int var = program_.operand(n, 0), value = program_.operand(n, 1);
    const Target t{&*slots_[static_cast<std::size_t>(var)], -1, p->axes, value, program_.node(var).type};
    if (vector_axis < 0) vector_axis = choose_vector_axis(p->axes, {}, t), width = machine_.lanes(1);
    width = std::min(width, vector_width(t));
    masks = masks && masks_rests(t);
    cost += analysis_.cost(value);
  }
  if (width == 1) vector_axis = -1;
  if (p->joins) {
    std::vector<Env> envs = few_points(p->axes, vector_axis, width);
    if (envs.empty()) return false;
    scoped([&] { write_state(*p, envs, point_turns(*p, envs), true, true); });
    return true;
  }
  if (p->reads) return false;  // rows one after the other are read in order otherwise
  const std::vector<int> order = with_last(p->axes, vector_axis);
  Env env = top_;
  env.width = width;
  env.mask_tail = masks;
  const std::size_t tiles = p->vars.size();
  const int chunks = cost > 24 || tiles > 4 ? 1 : tiles > 2 ? 2 : most_chunks;
  scoped([&] {
    loops(env, order, vector_axis, width, chunks, {},
          [&](std::span<Env> envs) { write_state(*p, envs, point_turns(*p, envs), true, p->axes.empty()); });
  });
  // The single values that count the turns are the same at every point: they change once.
  if (p->mixed) scoped([&] { write_state(*p, {}, point_turns(*p, {}), false, true); });
  return true;
}

}  // namespace cpu
TESSERA_END
