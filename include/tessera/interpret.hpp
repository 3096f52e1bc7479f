// Owns `interpret`: running a program of Tile IR as the language defines it, without any library.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tessera/call/frame.hpp"
#include "tessera/interpret/compare.hpp"
#include "tessera/interpret/custom.hpp"
#include "tessera/interpret/report.hpp"
#include "tessera/version.hpp"

// LANGUAGE.md is what the interpreter keeps to. What it leaves open is decided so, here and for every backend:
//
//   round        ties go to even. Float % has the sign of the divisor, as integers' % has.
//   shifts       counts of the width and more give 0, or the sign of a signed value shifted right.
//   x / 0, x % 0 of integers give 0; signed overflow wraps. Both are findings where the lane exists.
//   order        sort and topk put NaN above every number; ties keep their order. argmax finds the first NaN.
//   loops        blocks of a range are cut from `from`, even where that is below 0, while they begin before `to` and
//   the
//                extent; those of no lane run, and begin() … count() are clipped to the range within the extent.
//   ragged       what is beyond from + longest does not exist.
//   at           reads lanes that do not exist as outside; pad passes on through at and as.
//   joined axes  count all lanes, those in the middle that do not exist too. The last piece of a split may be short.
//   one store    two lanes that write one element with different values are a race.
//   random       philox.hpp tells how a seed and a counter become words.
//   group_id     a group is one program: it is linear_id.

TESSERA_BEGIN
namespace interpreter {

/// Where each region closes.
inline void match_regions(Machine& m) {
  using ir::Op;
  m.end_of.assign(m.program.size(), -1);
  std::vector<std::int32_t> open;
  for (std::int32_t id = 0; id < static_cast<std::int32_t>(m.program.size()); ++id) {
    switch (m.node(id).op) {
      case Op::for_blocks:
      case Op::for_range:
      case Op::while_loop:
      case Op::if_region:
      case Op::else_region:
      case Op::reduce:
      case Op::scan_by:
        open.push_back(id);
        break;
      case Op::end:
      case Op::region_end:
        if (open.empty()) m.limit(id, "the program closes a region that is not open");
        m.end_of[static_cast<std::size_t>(open.back())] = id;
        open.pop_back();
        break;
      default:
        break;
    }
  }
  if (!open.empty()) m.limit(open.back(), "the program leaves a region open");
}

/// Reads arguments and extents from a Frame; sets accumulated Outs to 0.
inline void take_arguments(Machine& m, const std::uint64_t* frame) {
  const call::FrameView view{frame, call::frame_layout(m.program)};
  for (std::size_t i = 0; i < m.program.extents.size(); ++i) m.extents.push_back(view.extent(i));
  for (std::size_t i = 0; i < m.program.args.size(); ++i) {
    const ir::Arg& arg = m.program.args[i];
    Array& a = m.arrays.emplace_back();
    a.type = arg.type;
    a.effect = arg.effect;
    a.accumulated = arg.accumulated;
    if (arg.effect == ir::Effect::scalar) {
      a.scalar = canonical(arg.type, view.scalar(i));
      continue;
    }
    a.rank = arg.rank;
    a.elements = 1;
    for (int k = 0; k < arg.rank; ++k) {
      const auto entry = static_cast<std::size_t>(arg.first_extent + k);
      a.extent[k] = m.extents[static_cast<std::size_t>(m.program.arg_extents[entry])];
      a.elements *= a.extent[k];
      if (!is_private(a)) a.stride[k] = view.stride(entry);
    }
    if (!is_private(a)) a.data = view.pointer(i);
    if (arg.effect != ir::Effect::out || !arg.accumulated) continue;
    for (std::int64_t e = 0; e < a.elements; ++e) {
      std::int64_t left = e, offset = 0;
      for (int k = a.rank - 1; k >= 0; --k) {
        offset += left % a.extent[k] * a.stride[k];
        left /= a.extent[k];
      }
      write_element(a, offset, 0);
    }
  }
}

/// Computes what is known before the launch, checks what the kernel expects, and sizes the grid. False: nothing may
/// run.
inline bool prepare(Machine& m) {
  using ir::Op;
  const auto size = static_cast<std::int32_t>(m.program.size());
  m.ready.assign(m.program.size(), 0);
  bool fits = true;
  int depth = 0;
  for (std::int32_t id = 0; id < size; ++id) {
    const ir::Node& n = m.node(id);
    const ir::OpClass op_class = ir::info(n.op).op_class;
    if (m.end_of[static_cast<std::size_t>(id)] > id) ++depth;
    if (n.op == Op::end || n.op == Op::region_end) --depth;
    const auto known = [&] {
      for (const std::int32_t operand : m.program.operands_of(n))
        if (!m.ready[static_cast<std::size_t>(operand)]) return false;
      return true;
    };
    // Elementwise nodes inside regions wait: an overflow there counts only when the region runs.
    const bool leaf = n.op == Op::literal || n.op == Op::extent || n.op == Op::tunable || n.op == Op::scalar;
    if (leaf || (depth == 0 && n.rank == 0 && op_class == ir::OpClass::elementwise && known())) {
      run_node(m, id);
      m.ready[static_cast<std::size_t>(id)] = 1;
    } else if (n.op == Op::expects && known()) {
      const std::size_t before = m.report.finding_count;
      run_check(m, id);
      fits = fits && m.report.finding_count == before;
      m.ready[static_cast<std::size_t>(id)] = 1;
    } else if (n.op == Op::grid_block || n.op == Op::grid_index) {
      const std::int32_t first = m.program.operand(n, 0);
      GridAxis g;
      g.node = id;
      if (n.op == Op::grid_index)
        g.size = std::max<std::int64_t>(m.integer(first), 0);
      else if (fits)
        g.size = ceil_div(n.count > 3 ? m.integer(m.program.operand(n, 3)) : extent_of_axis(m, n), m.cut(first, id));
      m.grid.push_back(g);
    }
  }
  return fits;
}

inline void run_grid(Machine& m) {
  std::int64_t programs = 1;
  for (const GridAxis& g : m.grid) {
    m.report.grid.push_back(g.size);
    if (__builtin_mul_overflow(programs, g.size, &programs)) m.limit(g.node, "the grid has too many programs");
  }
  m.report.programs = programs;
  for (std::int64_t p = 0; p < programs; ++p) {
    m.number = p;
    std::int64_t left = p;
    for (std::size_t k = m.grid.size(); k-- > 0;) {
      m.grid[k].number = left % m.grid[k].size;
      left /= m.grid[k].size;
    }
    for (Array& a : m.arrays) a.memory.clear();
    m.stopped = false;
    m.uncertain = 0;
    execute(m, 0, static_cast<std::int32_t>(m.program.size()));
  }
}

}  // namespace interpreter

/// Runs a program over its whole grid, one program after the other, and writes its arguments: the definition of the
/// language. `frame` is laid out by call/frame.hpp and must have been checked (tessera::call does): the interpreter
/// checks indices against extents, not extents against memory. Everything else that is wrong in the kernel or its data
/// is reported, never fatal: indices outside, overflow, division by 0, races, failed checks … After a failed `expects`,
/// or a tile size that is not positive, nothing has run.
///
/// Values are exact: each operation rounds once, correctly, in its element type (functions like exp are computed
/// in a wider type and rounded); integers wrap; reductions and dot go in ascending order, dot by fused multiply-adds.
/// `configuration` holds the tunables' values by index; missing ones are 16. Programs run in the order of their linear
/// numbers: the grid's axes in node order, the last one fastest.
///
/// Throws std::bad_alloc only.
inline interpreter::Report interpret(const ir::Program& program, std::span<const std::uint64_t> frame,
                                     const interpreter::Configuration& configuration = {},
                                     const interpreter::Options& options = {}) {
  interpreter::Report report;
  interpreter::Machine m(program, options, report);
  m.values.resize(program.size());
  m.parts.resize(program.size());
  m.axes.resize(program.axes.size());
  m.tunables = configuration;
  m.tunables.resize(program.tunables.size(), interpreter::default_tunable);
  try {
    interpreter::match_regions(m);
    interpreter::take_arguments(m, frame.data());
    if (interpreter::prepare(m)) interpreter::run_grid(m);
  } catch (const interpreter::Stopped&) {
  }
  report.bounds.resize(program.args.size());
  for (std::size_t i = 0; i < m.arrays.size(); ++i)
    if (call::is_written(program.args[i])) report.bounds[i].of_element = std::move(m.arrays[i].error);
  return report;
}

TESSERA_END
