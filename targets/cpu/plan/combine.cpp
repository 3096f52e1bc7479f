// Owns custom reductions and scans whose function is more than values at a point: it has Vars, loops or reductions of
// its own, or moves lanes. They go lane by lane along their axis; each step is a part of the program over the others.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"

TESSERA_BEGIN
namespace cpu {

void Planner::combine_in_steps(int id) {
  const Node& n = program_.node(id);
  const std::size_t k = n.count / 2u;
  const int along = static_cast<int>(n.imm), last = region_end(id);
  const Node& end = program_.node(last);
  const bool scan = n.op == Op::scan_by;
  std::vector<int> rest;
  for (int i = 0; i < n.rank; ++i)
    if (n.axes[i] != along) rest.push_back(n.axes[i]);
  const int inner = rest.empty() ? -1 : rest.back();
  std::vector<Slot> left, right, next;
  auto& parts = parts_[static_cast<std::size_t>(id)];
  parts.clear();
  const auto operand = [&](std::size_t i) { return program_.operand(n, static_cast<int>(i)); };
  const auto result = [&](std::size_t i) { return program_.operand(end, static_cast<int>(i)); };
  const auto make = [&](const Slot& slot, int root) {
    const Target t{&slot, -1, rest, root, program_.node(root).type};
    elementwise_nest(t, rest.empty() ? -1 : choose_vector_axis(rest, {}, t));
  };
  for (std::size_t i = 0; i < k; ++i) {
    const DType type = program_.node(result(i)).type;
    for (std::vector<Slot>* slots : {&left, &right, &next}) slots->push_back(new_slot(rest, type, inner));
    if (scan) parts.push_back(new_slot(std::vector<int>(n.axes, n.axes + n.rank), type, inner));
    const Target t{&left.back(), -1, rest, operand(k + i), type};
    elementwise_nest(t, rest.empty() ? -1 : choose_vector_axis(rest, {}, t));
  }
  // What the step gave becomes the state, where the lane exists; a scan keeps the state of each lane.
  const auto take = [&] {
    Env env = top_;
    env.mask_tail = false;
    loops(env, rest, -1, 1, 1, {}, [&](std::span<Env> envs) {
      Env& e = envs[0];
      Value here = -1;
      for (std::size_t i = 0; i < k; ++i) here = both(here, there(operand(i), e));
      std::vector<Val> state;
      for (std::size_t i = 0; i < k; ++i) {
        const Val now = read_slot(next[i], e);
        if (here < 0) {
          state.push_back(now);
          continue;
        }
        state.push_back(wrap(b_->select(here, machine(now, e, false), machine(read_slot(left[i], e), e, false))));
      }
      for (std::size_t i = 0; i < k; ++i) {
        write_memory(left[i].buffer, left[i].elem, offset_in(left[i], e), state[i], -1, e, false);
        if (scan) write_memory(parts[i].buffer, parts[i].elem, offset_in(parts[i], e), state[i], -1, e, false);
      }
    });
  };
  for (int i = id + 1; i < last; ++i) {
    const Node& p = program_.node(i);
    if (p.op != Op::param) continue;
    const auto which = static_cast<std::size_t>(p.imm);
    slots_[static_cast<std::size_t>(i)] = which < k ? left[which] : right[which - k];
  }
  const AxisState& a = axis_[static_cast<std::size_t>(along)];
  const Env outside = top_;
  b_->for_loop(a.lo, a.hi, i64(1), [&](Value lane) {
    scoped([&] {
      top_ = bind(outside, along, lane);
      for (std::size_t i = 0; i < k; ++i) make(right[i], operand(i));
      walk(id + 1, last);
      for (std::size_t i = 0; i < k; ++i) make(next[i], result(i));
      scoped(take);
    });
    top_ = outside;
  });
  if (!scan) parts = left;
}

}  // namespace cpu
TESSERA_END
