// Owns what runs along an axis in order: cumulative sums, custom reductions and scans, arg reductions, sort and top-k.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace cpu {

/// Inclusive: the carry runs along the axis; other axes are vectors where that is contiguous.
void Planner::scan_nest(int id) {
  const Node& n = program_.node(id);
  const int along = static_cast<int>(n.imm), operand = program_.operand(n, 0);
  std::vector<int> kept;
  for (int i = 0; i < n.rank; ++i)
    if (n.axes[i] != along) kept.push_back(n.axes[i]);
  Target t{nullptr, -1, std::vector<int>(n.axes, n.axes + n.rank), operand, n.type};
  const int vector_axis = kept.empty() ? -1 : choose_vector_axis(kept, {}, t);
  Slot slot =
      new_slot(t.axes, n.type,
               vector_axis >= 0 && axis_[static_cast<std::size_t>(vector_axis)].max_known >= 4 ? vector_axis : along);
  const bool vectors =
      slot.strides.size() && vector_axis >= 0 && axis_[static_cast<std::size_t>(vector_axis)].max_known >= 4;
  const int width = vectors ? vector_width(t) : 1;
  t.slot = &slot;
  std::vector<int> order;
  for (int a : kept)
    if (a != vector_axis || !vectors) order.push_back(a);
  if (vectors) order.push_back(vector_axis);
  const DType r = repr(n.type);
  Env env = top_;
  env.width = width;
  env.mask_tail = masks_rests(t);
  scoped([&] {
    loops(env, order, width > 1 ? vector_axis : -1, width, 1, {}, [&](std::span<Env> envs) {
      Env& e = envs[0];
      const loop::Type type{r, static_cast<std::uint16_t>(e.width), -1};
      const Value zero = b_->constant(type, n.op == Op::cumprod ? loop::constant_bits(r, 1.0) : 0);
      const AxisState& a = axis_[static_cast<std::size_t>(along)];
      b_->for_loop(a.lo, a.hi, i64(1), {zero}, [&](Value lane, std::span<const Value> carried) {
        return scoped([&] {
          Env at = bind(e, along, lane);
          const Value x =
              machine(cast_value(eval(operand, at), program_.node(operand).type, n.type, 0, at), at, at.width > 1);
          const Value next = round_to(
              wrap_to(b_->binary(n.op == Op::cumprod ? loop::Op::mul : loop::Op::add, carried[0], x), n.type), n.type);
          write_value(t, at, wrap(next), n.type);
          return std::vector<Value>{next};
        });
      });
    });
  });
  slots_[static_cast<std::size_t>(id)] = slot;
}

/// reduce<"N">({…}, {…}, op) and associative_scan: the region's code once a lane, in order.
void Planner::custom_nest(int id) {
  const Node& n = program_.node(id);
  const int k = n.count / 2, along = static_cast<int>(n.imm), last = region_end(id);
  const Node& end = program_.node(last);
  std::vector<int> params(static_cast<std::size_t>(2 * k), -1), kept;
  for (int i = id + 1; i < last; ++i)
    if (program_.node(i).op == Op::param) params[static_cast<std::size_t>(program_.node(i).imm)] = i;
  for (int i = 0; i < n.rank; ++i)
    if (n.axes[i] != along) kept.push_back(n.axes[i]);
  const bool scan = n.op == Op::scan_by;
  std::vector<DType> types;
  for (int i = 0; i < k; ++i) types.push_back(program_.node(program_.operand(end, i)).type);
  auto& parts = parts_[static_cast<std::size_t>(id)];
  parts.clear();
  const std::vector<int> axes(n.axes, n.axes + n.rank);
  for (int i = 0; i < k; ++i)
    parts.push_back(new_slot(axes, types[static_cast<std::size_t>(i)], axes.empty() ? -1 : axes.back()));
  const auto write = [&](int i, Env& e, Value v) {
    Target t{&parts[static_cast<std::size_t>(i)], -1, axes, -1, types[static_cast<std::size_t>(i)]};
    write_value(t, e, wrap(v), types[static_cast<std::size_t>(i)]);
  };
  scoped([&] {
    loops(top_, kept, -1, 1, 1, {}, [&](std::span<Env> envs) {
      Env& e = envs[0];
      const auto value = [&](int operand, int which, Env& at) {
        const int o = program_.operand(n, operand);
        return machine(cast_value(eval(o, at), program_.node(o).type, types[static_cast<std::size_t>(which)], 0, at),
                       at, false);
      };
      std::vector<Value> accs;
      for (int i = 0; i < k; ++i) accs.push_back(value(k + i, i, e));
      const AxisState& a = axis_[static_cast<std::size_t>(along)];
      accs = b_->for_loop(a.lo, a.hi, i64(1), accs, [&](Value lane, std::span<const Value> carried) {
        return scoped([&] {
          Env at = bind(e, along, lane);
          for (int i = 0; i < k; ++i) {
            // A parameter has the axes of the result: it is remembered where those stand.
            if (params[static_cast<std::size_t>(i)] >= 0)
              remember(params[static_cast<std::size_t>(i)], at, wrap(carried[static_cast<std::size_t>(i)]));
            if (params[static_cast<std::size_t>(k + i)] >= 0)
              remember(params[static_cast<std::size_t>(k + i)], at, wrap(value(i, i, at)));
          }
          std::vector<Value> next;
          for (int i = 0; i < k; ++i) {
            const int o = program_.operand(end, i);
            next.push_back(machine(
                cast_value(eval(o, at), program_.node(o).type, types[static_cast<std::size_t>(i)], 0, at), at, false));
            if (scan) write(i, at, next.back());
          }
          return next;
        });
      });
      if (!scan)
        for (int i = 0; i < k; ++i) write(i, e, accs[static_cast<std::size_t>(i)]);
    });
  });
}

/// argmax, argmin: the position of the first of ties; −1 of nothing. A NaN wins, as it does in max and min.
void Planner::arg_nest(int id) {
  const Node& n = program_.node(id);
  const int operand = program_.operand(n, 0);
  const Node& on = program_.node(operand);
  std::vector<int> kept(n.axes, n.axes + n.rank), reduced;
  for (int i = 0; i < on.rank; ++i)
    if (!program_.has_axis(n, on.axes[i])) reduced.push_back(on.axes[i]);
  Slot slot = new_slot(kept, n.type, kept.empty() ? -1 : kept.back());
  Target t{&slot, -1, kept, operand, n.type};
  const DType r = repr(on.type);
  const bool floating = info(r).is_floating();
  scoped([&] {
    loops(top_, kept, -1, 1, 1, {}, [&](std::span<Env> envs) {
      const Value start = b_->constant({r, 1, -1}, 0);
      const auto accs = reduce_loops(
          envs[0], reduced, -1, 1, 1, {operand}, {start, i64(-1)}, [&](std::span<Env> at, std::span<const Value> c) {
            Env& e = at[0];
            const Value x = machine(eval(operand, e), e, false);
            const AxisState& a = axis_[static_cast<std::size_t>(reduced.back())];
            const Value position = b_->add(a.begin, scalar(e.lane[static_cast<std::size_t>(reduced.back())]));
            Value better = b_->compare(n.op == Op::argmax ? loop::Op::gt : loop::Op::lt, x, c[0]);
            if (floating) {
              const Value nan = b_->compare(loop::Op::ne, x, x), had = b_->compare(loop::Op::eq, c[0], c[0]);
              better = b_->binary(loop::Op::bit_or, better, b_->binary(loop::Op::bit_and, nan, had));
            }
            better = b_->binary(loop::Op::bit_or, better, b_->compare(loop::Op::lt, c[1], i64(0)));
            return std::vector<Value>{b_->select(better, x, c[0]), b_->select(better, position, c[1])};
          });
      write_value(t, envs[0], wrap(accs[1]), DType::i64);
    });
  });
  slots_[static_cast<std::size_t>(id)] = slot;
}

namespace {

/// Whether x goes before y; NaN goes last in ascending and first in descending order, as the largest value would.
Value before(loop::Builder& b, Value x, Value y, bool descending, bool floating) {
  using L = loop::Op;
  Value less = b.compare(descending ? L::gt : L::lt, x, y);
  if (!floating) return less;
  const Value nan = descending ? x : y, number = descending ? y : x;
  const Value last = b.binary(L::bit_and, b.compare(L::ne, nan, nan), b.compare(L::eq, number, number));
  return b.binary(L::bit_or, less, last);
}

}  // namespace

/// Insertion into a growing run: stable, quadratic.
void Planner::sort_nest(int id) {
  const Node& n = program_.node(id);
  const int along = static_cast<int>(n.imm & 0xffffffff), operand = program_.operand(n, 0);
  const bool descending = n.imm >> 32;
  const std::vector<int> axes(n.axes, n.axes + n.rank);
  Slot slot = new_slot(axes, n.type, along);
  Target t{&slot, -1, axes, operand, n.type};
  std::vector<int> kept;
  for (int a : axes)
    if (a != along) kept.push_back(a);
  const bool floating = info(n.type).is_floating();
  scoped([&] {
    loops(top_, kept, -1, 1, 1, {}, [&](std::span<Env> envs) {
      Env& e = envs[0];
      Value base = i64(0), step = i64(1);
      for (std::size_t i = 0; i < axes.size(); ++i) {
        if (axes[i] == along)
          step = slot.strides[i];
        else
          base = b_->add(base, b_->mul(scalar(e.lane[static_cast<std::size_t>(axes[i])]), slot.strides[i]));
      }
      const AxisState& a = axis_[static_cast<std::size_t>(along)];
      const auto place = [&](Value lane) { return b_->add(base, b_->mul(lane, step)); };
      const loop::Type type{slot.elem, 1, -1};
      b_->for_loop(a.lo, a.hi, i64(1), [&](Value lane) {
        scoped([&] {
          Env at = bind(e, along, lane);
          const Value x = machine(eval(operand, at), at, false);
          const auto hole = b_->while_loop(
              {lane},
              [&](std::span<const Value> c) {
                const Value more = b_->compare(loop::Op::gt, c[0], a.lo);
                const Value left = b_->select(more, b_->sub(c[0], i64(1)), a.lo);
                const Value y = b_->load(slot.buffer, place(left), type, more);
                return std::pair{b_->binary(loop::Op::bit_and, more, before(*b_, x, y, descending, floating)),
                                 std::vector<Value>{c[0]}};
              },
              [&](std::span<const Value> c) {
                const Value left = b_->sub(c[0], i64(1));
                b_->store(slot.buffer, place(c[0]), b_->load(slot.buffer, place(left), type));
                return std::vector<Value>{left};
              });
          b_->store(slot.buffer, place(hole[0]), x);
        });
      });
    });
  });
  slots_[static_cast<std::size_t>(id)] = slot;
}

/// The k largest, largest first, and their lanes' positions; missing ones are the lowest value and −1.
void Planner::topk_nest(int id) {
  const Node& n = program_.node(id);
  const int along = static_cast<int>(n.imm), operand = program_.operand(n, 0);
  const Node& on = program_.node(operand);
  std::vector<int> kept;
  int out_axis = -1;
  const std::vector<int> axes(n.axes, n.axes + n.rank);
  for (int a : axes) {
    if (program_.has_axis(on, a))
      kept.push_back(a);
    else
      out_axis = a;
  }
  Slot values = new_slot(axes, n.type, out_axis), positions = new_slot(axes, DType::i64, out_axis);
  const bool floating = info(n.type).is_floating();
  const auto& row = info(repr(n.type));
  std::int64_t lowest = static_cast<std::int64_t>(convert_bits(n.type, repr(n.type), max_identity_bits(n.type)));
  if (row.is_signed_integer()) lowest = lowest << (64 - row.bits) >> (64 - row.bits);
  scoped([&] {
    loops(top_, kept, -1, 1, 1, {}, [&](std::span<Env> envs) {
      Env& e = envs[0];
      Value vbase = i64(0), pbase = i64(0), vstep = i64(1), pstep = i64(1);
      for (std::size_t i = 0; i < axes.size(); ++i) {
        if (axes[i] == out_axis) {
          vstep = values.strides[i], pstep = positions.strides[i];
          continue;
        }
        const Value l = scalar(e.lane[static_cast<std::size_t>(axes[i])]);
        vbase = b_->add(vbase, b_->mul(l, values.strides[i]));
        pbase = b_->add(pbase, b_->mul(l, positions.strides[i]));
      }
      const auto vat = [&](Value k) { return b_->add(vbase, b_->mul(k, vstep)); };
      const auto pat = [&](Value k) { return b_->add(pbase, b_->mul(k, pstep)); };
      const AxisState &out = axis_[static_cast<std::size_t>(out_axis)], &a = axis_[static_cast<std::size_t>(along)];
      const loop::Type type{values.elem, 1, -1};
      b_->for_loop(i64(0), out.hi, i64(1), [&](Value k) {
        b_->store(values.buffer, vat(k), b_->constant(type, lowest));
        b_->store(positions.buffer, pat(k), i64(-1));
      });
      b_->for_loop(a.lo, a.hi, i64(1), {i64(0)}, [&](Value lane, std::span<const Value> filled) {
        return scoped([&] {
          Env at = bind(e, along, lane);
          const Value x = machine(eval(operand, at), at, false);
          // The hole moves up from the end of the run, dropping the last when it is full.
          const Value room = b_->compare(loop::Op::lt, filled[0], out.hi);
          const Value start = b_->select(room, filled[0], b_->sub(out.hi, i64(1)));
          const Value any = b_->compare(loop::Op::gt, out.hi, i64(0));
          const Value last =
              b_->load(values.buffer, vat(start), type, b_->binary(loop::Op::bit_and, any, b_->logical_not(room)));
          const Value enters = b_->binary(loop::Op::bit_and, any,
                                          b_->binary(loop::Op::bit_or, room, before(*b_, x, last, true, floating)));
          b_->if_then(enters, [&] {
            const auto hole = b_->while_loop(
                {start},
                [&](std::span<const Value> c) {
                  const Value more = b_->compare(loop::Op::gt, c[0], i64(0));
                  const Value y = b_->load(values.buffer, vat(b_->select(more, b_->sub(c[0], i64(1)), i64(0))), type);
                  return std::pair{b_->binary(loop::Op::bit_and, more, before(*b_, x, y, true, floating)),
                                   std::vector<Value>{c[0]}};
                },
                [&](std::span<const Value> c) {
                  const Value left = b_->sub(c[0], i64(1));
                  b_->store(values.buffer, vat(c[0]), b_->load(values.buffer, vat(left), type));
                  b_->store(positions.buffer, pat(c[0]), b_->load(positions.buffer, pat(left), {DType::i64, 1, -1}));
                  return std::vector<Value>{left};
                });
            b_->store(values.buffer, vat(hole[0]), x);
            b_->store(positions.buffer, pat(hole[0]), b_->add(a.begin, lane));
          });
          return std::vector<Value>{b_->select(room, b_->add(filled[0], i64(1)), filled[0])};
        });
      });
    });
  });
  slots_[static_cast<std::size_t>(id)] = values;
  parts_[static_cast<std::size_t>(id)] = {values, positions};
}

}  // namespace cpu
TESSERA_END
