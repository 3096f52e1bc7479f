// Owns atomics: one operation a lane, in the order of the lanes, whose old values are kept where they are used.
#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

void Planner::atomic_node(int id) {
  const Node& n = program_.node(id);
  const int arg = static_cast<int>(n.imm & 0xffffffff);
  const auto kind = static_cast<ir::AtomicKind>(n.imm >> 32);
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  if (info(a.type).bits < 8) refuse(id, "atomics on elements of fewer than 8 bits are not compiled for a CPU");
  const bool exchange = kind == ir::AtomicKind::compare_exchange, masked = (n.flags & ir::flag_masked) != 0;
  const int value = program_.operand(n, a.rank), expected = exchange ? program_.operand(n, a.rank + 1) : -1;
  const std::vector<int> axes(n.axes, n.axes + n.rank);
  bool used = false;
  for (int u : analysis_.users[static_cast<std::size_t>(id)])
    used |= analysis_.form[static_cast<std::size_t>(u)] != Form::dead;
  std::optional<Slot> old_values;
  if (used) old_values = slot_for(id);
  const std::vector<int> roots(program_.operands_of(n).begin(), program_.operands_of(n).end());
  const int buffer = arg_buffer(arg);
  const loop::Type type{a.type, 1, -1};
  scoped([&] {
    loops(top_, axes, -1, 1, 1, roots, [&](std::span<Env> envs) {
      Env& e = envs[0];
      Value mask;
      const Value offset = scalar(offset_of(n, e, mask));
      if (masked) mask = both(mask, machine(eval(program_.operand(n, n.count - 1), e), e, false));
      const auto element = [&](int node) {
        const Val v = cast_value(eval(node, e), program_.node(node).type, a.type, 0, e);
        return b_->cast(machine(v, e, false), a.type);
      };
      const Value x = element(value), y = exchange ? element(expected) : -1;
      const auto act = [&] {
        const int scope = static_cast<int>(loop::Scope::device);
        if (!exchange) return std::vector<Value>{b_->atomic(buffer, offset, x, static_cast<int>(kind), scope)};
        return b_->append({loop::Op::compare_exchange, buffer, 0, {}, {offset, y, x}, {}, {}, {}}, {type});
      };
      const auto nothing = [&] { return std::vector<Value>{b_->constant(type, 0)}; };
      const Value old = mask < 0 ? act()[0] : b_->if_else(mask, act, nothing)[0];
      if (!old_values) return;
      const Target target{&*old_values, -1, axes, -1, a.type};
      write_value(target, e, wrap(repr(a.type) == a.type ? old : b_->cast(old, repr(a.type))), a.type);
    });
  });
  if (old_values) slots_[static_cast<std::size_t>(id)] = old_values;
}

}  // namespace cpu
TESSERA_END
