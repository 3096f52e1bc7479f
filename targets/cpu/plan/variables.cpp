// Owns Vars: setting them, copying them where they are read at other places, and inserting into them.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

void Planner::copy_slot(const Slot& from, const Slot& to, const std::vector<int>& axes) {
  Env env = top_;
  int vector_axis = -1;
  for (std::size_t i = 0; i < to.axes.size(); ++i)
    if (b_->is(to.strides[i], 1) && info(to.elem).bits >= 8) vector_axis = to.axes[i];
  const std::vector<int> order = with_last(axes, vector_axis);
  env.width = vector_axis >= 0 ? machine_.lanes(info(to.elem).bits / 8) : 1;
  env.mask_tail = machine_.has_masks && (machine_.has_narrow_masks || info(to.elem).bits >= 32);
  scoped([&] {
    loops(env, order, env.width > 1 ? vector_axis : -1, env.width, 1, {}, [&](std::span<Env> envs) {
      Env& e = envs[0];
      const Val v = read_slot(from, e);
      write_memory(to.buffer, to.elem, offset_in(to, e), v, -1, e, false);
    });
  });
}

void Planner::set_var(int id) {
  const Node& n = program_.node(id);
  const int var = program_.operand(n, 0);
  const Node& v = program_.node(var);
  const std::vector<int> axes(v.axes, v.axes + v.rank);
  const Slot own = *slots_[static_cast<std::size_t>(var)];
  Target t{&own, -1, axes, program_.operand(n, 1), v.type};
  const int core = analysis_.core_of[static_cast<std::size_t>(id)];
  const auto& mask = masks_[static_cast<std::size_t>(var)];
  if (!analysis_.var_read_elsewhere[static_cast<std::size_t>(id)]) {
    run_job(t, core, nullptr);
    if (mask) keep_mask(t.root, *mask);
    return;
  }
  Slot copy;
  t.slot = nullptr;
  run_job(t, core, &copy);
  if (mask) {
    const Slot new_mask = new_slot(axes, DType::b8, axes.back());
    keep_mask(t.root, new_mask);
    copy_slot(new_mask, *mask, axes);
  }
  copy_slot(copy, own, axes);
}

/// at<"J">(v, index) = x: one lane along J for each lane of the other axes.
void Planner::put_node(int id) {
  const Node& n = program_.node(id);
  const int var = program_.operand(n, 0), index = program_.operand(n, 1), value = program_.operand(n, 2);
  const int axis = static_cast<int>(n.imm);
  const Node& v = program_.node(var);
  std::vector<int> domain;
  const auto include = [&](const Node& x, int except) {
    for (int i = 0; i < x.rank; ++i)
      if (x.axes[i] != except && std::find(domain.begin(), domain.end(), x.axes[i]) == domain.end())
        domain.push_back(x.axes[i]);
  };
  include(v, axis);
  include(program_.node(index), -1);
  include(program_.node(value), axis);
  const Slot slot = *slots_[static_cast<std::size_t>(var)];
  // What reads the Var itself is made whole before anything of it is overwritten.
  bool reads = false;
  if (const Node& x = program_.node(value); x.rank > 0 && !slots_[static_cast<std::size_t>(value)])
    for_each_fused(
        value, [&](int k) { reads |= program_.node(k).op == Op::get && program_.operand(program_.node(k), 0) == var; });
  if (reads) {
    const Node& x = program_.node(value);
    Slot whole;
    run_job({nullptr, -1, std::vector<int>(x.axes, x.axes + x.rank), value, x.type}, -1, &whole);
    slots_[static_cast<std::size_t>(value)] = whole;
  }
  // Lanes along another axis of the Var go to different elements, in any order.
  std::vector<int> others;
  for (int a : domain)
    if (program_.has_axis(v, a)) others.push_back(a);
  const Target place{nullptr, -1, domain, index, program_.node(index).type}, written{&slot, -1, domain, value, v.type};
  int vector_axis = others.size() == domain.size() && !others.empty() ? choose_vector_axis(others, {}, written) : -1;
  Env env = top_;
  if (vector_axis >= 0) env.width = std::min(vector_width(place), vector_width(written));
  env.mask_tail = masks_rests(place) && masks_rests(written);
  if (env.width == 1) vector_axis = -1;
  const std::vector<int> order = with_last(domain, vector_axis);
  scoped([&] {
    loops(env, order, vector_axis, env.width, 1, {index, value}, [&](std::span<Env> envs) {
      Env& e = envs[0];
      const Val position = cast_value(eval(index, e), program_.node(index).type, DType::i64, 0, e);
      const Val lane = add(position, wrap(b_->sub(i64(0), axis_[static_cast<std::size_t>(axis)].begin)), e);
      Value inside = both(has(axis, lane, e), both(present(index, e), present(value, e)));
      for (int a : domain)
        if (axis_[static_cast<std::size_t>(a)].holes >= 0)
          inside = both(inside, has(a, e.lane[static_cast<std::size_t>(a)], e));
      Env place = e;
      place.lane[static_cast<std::size_t>(axis)] = lane;
      const Val x = cast_value(eval(value, e), program_.node(value).type, v.type, 0, e);
      write_memory(slot.buffer, slot.elem, offset_in(slot, place), x, inside, e, false);
    });
  });
  if (reads) slots_[static_cast<std::size_t>(value)].reset();
}

}  // namespace cpu
TESSERA_END
