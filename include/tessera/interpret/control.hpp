// Owns the order of execution: regions, Vars, custom reductions, checks, and the dispatch of every node.
#pragma once

#include <string>
#include <utility>

#include "tessera/interpret/block.hpp"
#include "tessera/interpret/dot.hpp"
#include "tessera/interpret/elementwise.hpp"
#include "tessera/interpret/memory.hpp"
#include "tessera/interpret/order.hpp"
#include "tessera/interpret/shape.hpp"
#include "tessera/interpret/text.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

void execute(Machine& m, std::int32_t first, std::int32_t last);
void run_custom(Machine& m, std::int32_t id);  // custom.hpp, which runs regions by `execute`

// ---- Vars
// ------------------------------------------------------------------------------------------------------------

/// Gives `target` another value, keeping its type and axes.
inline void assign(Machine& m, Value& target, const Value& source) {
  Lanes lanes;
  lanes.bind(source, target.shape);
  lanes.convert(source.type, target.type, target.size());
  for (std::size_t i = 0; i < target.size(); ++i) target.words[i] = lanes.word(i);
  target.error.clear();
  target.gone.clear();
  if (m.uncertain > 0 && m.options.bounds)
    target.error.assign(target.size(), unbounded);
  else if (lanes.error)
    for (std::size_t i = 0; i < target.size(); ++i) target.error.push_back(lanes.error_at(i));
  if (lanes.gone)
    for (std::size_t i = 0; i < target.size(); ++i) target.gone.push_back(lanes.gone[i * lanes.step]);
}

/// put: inserts a value at an index along one axis of a Var.
inline void run_put(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  Value& var = m.operand(n, 0);
  const Value &index = m.operand(n, 1), &value = m.operand(n, 2);
  const int axis = static_cast<int>(n.imm & 0xff);
  Shape to;
  for (int i = 0; i < var.shape.rank; ++i)
    if (var.shape.axes[i] != axis) to.add(var.shape.axes[i], var.shape.lanes[i]);
  for (int i = 0; i < index.shape.rank; ++i)
    if (to.find(index.shape.axes[i]) < 0) to.add(index.shape.axes[i], index.shape.lanes[i]);
  std::int64_t stride = 0;
  const std::vector<std::int64_t> base = offsets_without(var.shape, axis, to, stride);
  Lanes at, in;
  at.bind(index, to);
  in.bind(value, to);
  in.convert(value.type, var.type, base.size());
  if (m.options.bounds && var.error.empty() && (at.error || in.error || m.uncertain > 0))
    var.error.assign(var.size(), 0.0);
  if (at.error) var.error.assign(var.size(), unbounded);
  const AxisState& a = m.axis(axis);
  const std::vector<std::uint8_t> exists = m.existing(to);
  for (std::size_t i = 0; i < base.size(); ++i) {
    if (!exists.empty() && !exists[i]) continue;
    if ((at.gone && at.gone[i * at.step]) || (in.gone && in.gone[i * in.step])) continue;
    const auto position = static_cast<std::int64_t>(at.word(i));
    const std::int64_t lane = a.lane_at(position);
    if (lane < 0) {
      Finding& f = m.found(FindingKind::outside, id,
                           "at: position " + std::to_string(position) + " of axis " + m.axis_name(axis) +
                               " is not in the variable" + m.place(to, static_cast<std::int64_t>(i)));
      f.axis = axis;
      f.index = position;
      f.extent = a.lanes;
      continue;
    }
    const auto place = static_cast<std::size_t>(base[i] + lane * stride);
    var.words[place] = in.word(i);
    if (!var.error.empty() && !at.error) var.error[place] = m.uncertain > 0 ? unbounded : in.error_at(i);
  }
}

// ---- regions
// ---------------------------------------------------------------------------------------------------------

/// What the nodes [first, last) might write is no longer bounded: they may or may not run, or how often is unsure.
inline void doubt_region(Machine& m, std::int32_t first, std::int32_t last) {
  using ir::Op;
  m.report.uncertain_control = true;
  if (!m.options.bounds) return;
  for (std::int32_t id = first; id < last; ++id) {
    const ir::Node& n = m.node(id);
    if (n.op == Op::set || n.op == Op::put) {
      Value& v = m.operand(n, 0);
      v.error.assign(v.size(), unbounded);
    } else if (n.op == Op::store || n.op == Op::accumulate || n.op == Op::atomic) {
      lose_bounds(m, m.arrays[static_cast<std::size_t>(n.imm & 0xffffffff)]);
    }
  }
}

inline void count_iteration(Machine& m, std::int32_t id, std::int64_t& count) {
  if (++count > m.options.most_iterations) m.limit(id, "a loop runs too often: see Options::most_iterations");
}

inline void run_for_blocks(Machine& m, std::int32_t id) {
  const std::int32_t block = id + 1, end = m.end_of[static_cast<std::size_t>(id)];
  const ir::Node& n = m.node(block);
  const std::int64_t cut = m.cut(m.program.operand(n, 0), block);
  const int uncertain = m.uncertain;
  std::int64_t from = 0, to = 0, count = 0;
  block_range(m, n, from, to);
  const std::int64_t high = std::min(to, extent_of_axis(m, n));
  for (std::int64_t begin = from; begin < high && !m.stopped; begin += cut, ++count) {
    if (count >= m.options.most_iterations) m.limit(id, "a loop runs too often: see Options::most_iterations");
    AxisState s = block_state(m, n.axes[0], cut, begin, from, to);
    s.number = count;
    set_block(m, block, s);
    execute(m, block + 1, end);
  }
  if (m.uncertain > uncertain) doubt_region(m, id, end);
  m.uncertain = uncertain;
}

inline void run_for_range(Machine& m, std::int32_t id) {
  const std::int32_t index = id + 1, end = m.end_of[static_cast<std::size_t>(id)];
  const ir::Node& n = m.node(index);
  const int uncertain = m.uncertain;
  const std::int64_t from = decided_integer(m, m.program.operand(n, 0)),
                     to = decided_integer(m, m.program.operand(n, 1));
  std::int64_t count = 0;
  for (std::int64_t i = from; i < to && !m.stopped; ++i) {
    count_iteration(m, id, count);
    m.set_integer(index, i);
    execute(m, index + 1, end);
  }
  if (m.uncertain > uncertain) doubt_region(m, id, end);
  m.uncertain = uncertain;
}

inline void run_while(Machine& m, std::int32_t id) {
  const std::int32_t end = m.end_of[static_cast<std::size_t>(id)];
  std::int32_t condition = id + 1;
  for (; m.node(condition).op != ir::Op::loop_condition; ++condition)
    if (const std::int32_t skip = m.end_of[static_cast<std::size_t>(condition)]; skip > condition) condition = skip;
  const int uncertain = m.uncertain;
  std::int64_t count = 0;
  for (; !m.stopped; count_iteration(m, id, count)) {
    execute(m, id + 1, condition);
    if (m.stopped || decided_integer(m, m.program.operand(m.node(condition), 0)) == 0) break;
    execute(m, condition + 1, end);
  }
  if (m.uncertain > uncertain) doubt_region(m, id, end);
  m.uncertain = uncertain;
}

inline void run_branch(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const std::int32_t end = m.end_of[static_cast<std::size_t>(id)];
  const int uncertain = m.uncertain;
  const bool taken = (decided_integer(m, m.program.operand(n, 0)) != 0) == (n.op == ir::Op::if_region);
  if (taken) execute(m, id + 1, end);
  if (m.uncertain > uncertain) doubt_region(m, id, end);
  m.uncertain = uncertain;
}

// ---- effects
// ---------------------------------------------------------------------------------------------------------

/// check and expects: every lane that exists must be true.
inline void run_check(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const Value& v = m.operand(n, 0);
  std::int64_t first = -1, failed = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (v.words[i] || !m.lane_exists(v.shape, static_cast<std::int64_t>(i), v.gone)) continue;
    if (failed++ == 0) first = static_cast<std::int64_t>(i);
  }
  if (failed == 0) return;
  const bool is_check = n.op == ir::Op::check;
  const std::string why(m.program.str(static_cast<std::int32_t>(n.imm)));
  m.found(is_check ? FindingKind::check : FindingKind::expects, id,
          (is_check ? "check failed: " : "expects: ") + why + m.place(v.shape, first) +
              (failed > 1 ? ", and in " + std::to_string(failed - 1) + " lanes more" : ""))
      .index = failed;
}

inline void run_stop(Machine& m, std::int32_t id) {
  const Value& v = m.operand(m.node(id), 0);
  const bool doubt = v.error_at(0) > 0;
  m.stopped = v.words[0] != 0;
  if (!doubt) return;
  ++m.uncertain;  // until the program ends
  doubt_region(m, id, static_cast<std::int32_t>(m.program.size()));
}

// ---- dispatch
// --------------------------------------------------------------------------------------------------------

inline void run_variable(Machine& m, std::int32_t id) {
  using ir::Op;
  const ir::Node& n = m.node(id);
  switch (n.op) {
    case Op::var: {
      Value& v = m.value(id);
      v.reset(n.type, m.shape_of(n, id));
      const int uncertain = std::exchange(m.uncertain, 0);
      assign(m, v, m.operand(n, 0));
      m.uncertain = uncertain;
      return;
    }
    case Op::get:
      m.value(id) = m.operand(n, 0);
      return;
    case Op::set:
      return assign(m, m.operand(n, 0), m.operand(n, 1));
    default:
      return run_put(m, id);
  }
}

inline void run_node(Machine& m, std::int32_t id) {
  using ir::Op;
  using ir::OpClass;
  const Op op = m.node(id).op;
  switch (ir::info(op).op_class) {
    case OpClass::leaf:
    case OpClass::block:
      return run_leaf(m, id);
    case OpClass::elementwise:
      return run_elementwise(m, id);
    case OpClass::reduction:
      return op == Op::dot ? run_dot(m, id) : op == Op::reduce ? run_custom(m, id) : run_reduction(m, id);
    case OpClass::scan:
      return op == Op::sort      ? run_sort(m, id)
             : op == Op::topk    ? run_topk(m, id)
             : op == Op::scan_by ? run_custom(m, id)
                                 : run_cumulative(m, id);
    case OpClass::variable:
      return run_variable(m, id);
    case OpClass::shape:
      switch (op) {
        case Op::at:
          return run_at(m, id);
        case Op::pad:
          return run_pad(m, id);
        case Op::rename:
          return run_rename(m, id);
        case Op::split:
          return run_split(m, id);
        case Op::merge:
          return run_merge(m, id);
        case Op::join:
          return run_join(m, id);
        default:
          return run_part(m, id);
      }
    case OpClass::memory:
      return op == Op::load ? run_load(m, id) : op == Op::atomic ? run_atomic(m, id) : run_store(m, id);
    case OpClass::effect:
      return op == Op::print ? run_print(m, id) : op == Op::stop_if ? run_stop(m, id) : run_check(m, id);
    case OpClass::control:
      switch (op) {
        case Op::for_blocks:
          return run_for_blocks(m, id);
        case Op::for_range:
          return run_for_range(m, id);
        case Op::while_loop:
          return run_while(m, id);
        case Op::if_region:
        case Op::else_region:
          return run_branch(m, id);
        default:
          return;
      }
  }
}

/// Runs the nodes [first, last); a node that opens a region runs it whole.
inline void execute(Machine& m, std::int32_t first, std::int32_t last) {
  for (std::int32_t id = first; id < last && !m.stopped; ++id) {
    if (!m.ready[static_cast<std::size_t>(id)]) run_node(m, id);
    if (const std::int32_t end = m.end_of[static_cast<std::size_t>(id)]; end > id) id = end;
  }
}

}  // namespace interpreter
TESSERA_END
