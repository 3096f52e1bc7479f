// Owns what happens to recorded nodes afterwards: conditions of loops move, dead nodes go, a whole kernel is checked.
#pragma once

#include "tessera/language/recorder.hpp"

TESSERA_BEGIN
namespace detail {

/// Moves the nodes of a while's condition, recorded after its body, to its start, where each turn computes it. `opener`
/// is the while_loop; `before` the condition as recorded before the loop, which dies; `now` as recorded after the body.
/// No handle of user code names a node of the body any more, so that they can be renumbered.
constexpr void place_condition(Recorder* r, int opener, int before, int now, std::uint32_t line) {
  if (now <= opener || r->meta[now].uniform) {
    r->fail(line) << "loop: the condition is a value computed before the loop and never changes: write the expression "
                     "itself in k.loop(...), over Vars";
    return;
  }
  // What the condition needs of the nodes recorded with it; its twin before the loop has the same shape.
  const int size = r->nodes.size();
  List<bool> moves;
  List<int> twin;
  for (int i = 0; i < size; ++i) {
    moves.push(false);
    twin.push(-1);
  }
  moves[now] = true;
  twin[now] = before;
  for (int i = size - 1; i > opener; --i) {
    if (!moves[i]) continue;
    const ir::Node& n = r->nodes[i];
    const int t = twin[i];
    if (n.op == ir::Op::reduce || n.op == ir::Op::scan_by) {  // with its function, and what that captures
      for (int depth = 1, j = i + 1; depth > 0; ++j) {
        const ir::Node& inner = r->nodes[j];
        depth += inner.op == ir::Op::reduce || inner.op == ir::Op::scan_by ? 1
                 : inner.op == ir::Op::region_end                          ? -1
                                                                           : 0;
        moves[j] = true;
        for (int k = 0; k < inner.count; ++k) {
          const int in = r->operands[inner.first + k];
          if (in > opener && in < i) moves[in] = true;
        }
      }
    }
    const bool alike = t >= 0 && t <= opener && r->nodes[t].op == n.op && r->nodes[t].count == n.count;
    if (alike && (n.op == ir::Op::atomic)) r->nodes[t].op = ir::Op::part, r->nodes[t].count = 0;  // a dead value
    for (int k = 0; k < n.count; ++k) {
      const int in = r->operands[n.first + k];
      if (in <= opener || r->nodes[in].op == ir::Op::var) continue;
      if (r->meta[in].region != r->region) {
        r->fail(line) << "loop: the condition uses a value of the loop's body: declare it Var before the loop";
        return;
      }
      moves[in] = true;
      if (alike) twin[in] = r->operands[r->nodes[t].first + k];
    }
  }
  // A condition stands at the start: what it names of the body must have been recorded with it, after the body.
  List<int> to;
  for (int i = 0; i < size; ++i) to.push(i);
  int next = opener + 1;
  for (int i = opener + 1; i < size; ++i)
    if (moves[i]) to[i] = next++;
  const int condition = next++;
  for (int i = opener + 1; i < size; ++i)
    if (!moves[i]) to[i] = next++;
  r->leaf(ir::Op::loop_condition, DType::b8, line);  // makes room for one more
  List<ir::Node> nodes;
  List<NodeMeta> meta;
  for (int i = opener + 1; i <= size; ++i) {
    nodes.push(r->nodes[i]);
    meta.push(r->meta[i]);
  }
  for (int i = opener + 1; i < size; ++i) {
    r->nodes[to[i]] = nodes[i - opener - 1];
    r->meta[to[i]] = meta[i - opener - 1];
    if (r->meta[to[i]].atomic > opener) r->meta[to[i]].atomic = to[r->meta[to[i]].atomic];
  }
  r->nodes[condition] = nodes[size - opener - 1];
  r->meta[condition] = meta[size - opener - 1];
  for (int i = opener + 1; i < r->nodes.size(); ++i) {
    if (i == condition) continue;
    const ir::Node& n = r->nodes[i];
    for (int k = 0; k < n.count; ++k) {
      std::int32_t& in = r->operands[n.first + k];
      if (in > opener) in = to[in];
    }
  }
  r->nodes[condition].first = r->operands.size();
  r->nodes[condition].count = 1;
  r->operands.push(to[now]);
  ++r->meta[to[now]].uses;
  for (int i = 0; i < r->axes.size(); ++i) {
    if (r->axes[i].node > opener) r->axes[i].node = to[r->axes[i].node];
    AxisMeta& m = r->axis_meta[i];
    if (m.cut > opener) m.cut = to[m.cut];
  }
}

/// Whether a node stays though nothing uses its value.
constexpr bool stays(const Recorder& r, int id) {
  const ir::Node& n = r.nodes[id];
  switch (ir::info(n.op).op_class) {
    case ir::OpClass::control:
    case ir::OpClass::effect:
    case ir::OpClass::block:
      return true;
    case ir::OpClass::memory:
      return n.op != ir::Op::load;
    case ir::OpClass::variable:
      return n.op != ir::Op::get;
    default:
      break;
  }
  if (n.op == ir::Op::param) return true;
  for (int i = 0; i < n.rank; ++i)
    if (r.axes[n.axes[i]].node == id) return true;
  return false;
}

/// Drops nodes that nothing needs, such as the reads of places that were only written.
constexpr void drop_dead(Recorder& r) {
  const int size = r.nodes.size();
  List<bool> dead;
  for (int i = 0; i < size; ++i) dead.push(false);
  int count = 0;
  for (int i = size - 1; i >= 0; --i) {
    if (r.meta[i].uses > 0 || stays(r, i)) continue;
    // A combination goes with its function.
    int depth = 0, last = i;
    do {
      const ir::Op op = r.nodes[last].op;
      depth += op == ir::Op::reduce || op == ir::Op::scan_by ? 1 : op == ir::Op::region_end ? -1 : 0;
    } while (depth > 0 && ++last < size);
    for (int j = i; j <= last; ++j) {
      if (dead[j]) continue;
      dead[j] = true;
      ++count;
      for (int k = 0; k < r.nodes[j].count; ++k) --r.meta[r.operands[r.nodes[j].first + k]].uses;
    }
  }
  if (count == 0) return;
  List<int> to;
  int next = 0;
  for (int i = 0; i < size; ++i) to.push(dead[i] ? -1 : next++);
  int operand = 0;
  List<std::int32_t> operands;
  for (int i = 0; i < size; ++i) {
    if (dead[i]) continue;
    ir::Node n = r.nodes[i];
    const int first = n.first;
    n.first = operand;
    for (int k = 0; k < n.count; ++k) {
      operands.push(to[r.operands[first + k]]);
      ++operand;
    }
    r.nodes[to[i]] = n;
    r.meta[to[i]] = r.meta[i];
  }
  for (int i = 0; i < operand; ++i) r.operands[i] = operands[i];
  r.operands.resize_down(operand);
  r.nodes.resize_down(next);
  r.meta.resize_down(next);
  for (ir::Axis& a : r.axes) a.node = to[a.node];
}

/// Checks that a signature binds every extent it names.
constexpr void check_signature(Recorder& r) {
  for (int i = 0; i < r.extents.size() && !r.bad; ++i) {
    const ir::Extent& e = r.extents[i];
    if (e.divide == 1) continue;
    bool bound = false;
    for (std::int32_t other : r.arg_extents)
      bound = bound || (r.extents[other].base == e.base && r.extents[other].divide == 1);
    if (!bound) {
      Text& t = r.fail_kernel() << "the extent " << r.str(e.base) << " occurs only as ";
      r.write_extent(t, i) << ", which does not tell it: add an argument with an axis " << r.str(e.base);
    }
  }
}

/// Checks a whole program after its last operation, and tidies it.
constexpr void finish(Recorder& r) {
  if (!r.bad) check_signature(r);
  if (r.bad) return;
  if (!r.open.empty()) {
    r.left_early();
    return;
  }
  for (const PendingStore& s : r.stores) {
    const std::uint64_t all = r.grid_count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << r.grid_count) - 1;
    const std::uint64_t missing = all & ~s.grid;
    if (missing == 0) continue;
    int axis = 0;
    while ((missing >> axis & 1) == 0) ++axis;
    r.fail(s.line) << "argument " << r.arg_name(s.arg) << ": programs that differ only in grid axis " << axis + 1
                   << " write the same place: index by it, or accumulate with +=";
    return;
  }
  for (int i = 0; i < r.args.size(); ++i) {
    if (r.args[i].effect != ir::Effect::out || r.written[i]) continue;
    r.fail_kernel() << "argument " << r.arg_name(i) << " is Out and is never written";
    return;
  }
  drop_dead(r);
}

}  // namespace detail
TESSERA_END
