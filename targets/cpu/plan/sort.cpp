// Owns sort: rows in scratch by merges of vectors, or many short rows side by side by a network over registers.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "targets/cpu/plan/sorting.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

namespace {

constexpr std::int64_t longest_network = 32;  ///< rows up to this length are sorted in registers, one a lane

/// The type of keys that hold elements of machine type r in order: 16 bits at least, since narrower lanes shuffle
/// badly.
DType key_type(DType r) {
  switch (r) {
    case DType::i8:
    case DType::u8:
    case DType::b8:
      return DType::i16;
    default:
      return r;
  }
}

}  // namespace

/// NaN stands above everything. While sorting it is an infinity; as many of those as there were NaN become NaN again.
void Planner::sort_nest(int id) {
  const Node& n = program_.node(id);
  const int along = static_cast<int>(n.imm & 0xffffffff), operand = program_.operand(n, 0);
  const bool descending = n.imm >> 32;
  const std::vector<int> axes(n.axes, n.axes + n.rank);
  std::vector<int> kept;
  for (int a : axes)
    if (a != along) kept.push_back(a);
  const DType r = repr(n.type), key = key_type(r);
  const bool floating = info(r).is_floating();
  const AxisState& a = axis_[static_cast<std::size_t>(along)];
  const Target read{nullptr, -1, axes, operand, n.type};
  const int lanes = std::clamp(machine_.lanes(info(key).bits / 8), 2, 16);
  const Value not_a_number = floating ? b_->constant({r, 1, -1}, loop::constant_bits(r, __builtin_nan(""))) : -1;
  const Value highest = floating ? b_->constant({r, 1, -1}, loop::constant_bits(r, __builtin_inf())) : -1;
  using L = loop::Op;
  const auto evaluate = [&](Env& e) {
    return machine(cast_value(eval(operand, e), program_.node(operand).type, n.type, 0, e), e, e.width > 1);
  };
  const auto to_key = [&](Value v) {
    if (r != DType::b8) return b_->cast(v, key);
    const loop::Type t{key, b_->type(v).lanes, -1};
    return b_->select(v, b_->constant(t, 1), b_->constant(t, 0));
  };
  const auto to_element = [&](Value v) {
    return r == DType::b8 ? b_->compare(L::ne, v, b_->constant(b_->type(v), 0)) : b_->cast(v, r);
  };

  const auto length = b_->known(a.hi);
  const int row_axis = kept.empty() ? -1 : choose_vector_axis(kept, {}, read);
  if (b_->is(a.lo, 0) && length && has_all(operand) && *length <= longest_network && row_axis >= 0 &&
      axis_[static_cast<std::size_t>(row_axis)].max_known >= lanes) {
    Slot slot = new_slot(axes, n.type, row_axis);
    const Target t{&slot, -1, axes, operand, n.type};
    const int width = std::min(lanes, vector_width(read));
    const std::vector<int> order = with_last(kept, row_axis);
    Env env = top_;
    env.width = width;
    env.mask_tail = masks_rests(read);
    scoped([&] {
      loops(env, order, row_axis, width, 1, {}, [&](std::span<Env> envs) {
        Env& e = envs[0];
        Sorting sorting(*b_, {key}, descending, std::max(2, e.width), machine_.l2_bytes);
        const loop::Type count_type{DType::i32, static_cast<std::uint16_t>(e.width), -1};
        const auto number = [&](std::int64_t v) { return b_->constant(count_type, v); };
        Value missing = number(0);  // NaN of each row
        std::vector<Sorting::Item> items;
        for (std::int64_t l = 0; l < *length; ++l) {
          Env at = bind(e, along, i64(l));
          Value v = evaluate(at);
          if (floating) {
            const Value nan = b_->compare(L::ne, v, v);
            v = b_->select(nan, highest, v);
            missing = b_->add(missing, b_->select(nan, number(1), number(0)));
          }
          items.push_back({to_key(v)});
        }
        sorting.columns(items);
        for (std::int64_t l = 0; l < *length; ++l) {
          Env at = bind(e, along, i64(l));
          Value v = to_element(items[static_cast<std::size_t>(l)][0]);
          if (floating)
            v = b_->select(b_->compare(L::gt, missing, number(descending ? l : *length - 1 - l)), not_a_number, v);
          write_value(t, at, wrap(v), n.type);
        }
      });
    });
    slots_[static_cast<std::size_t>(id)] = slot;
    return;
  }

  Slot slot = new_slot(axes, n.type, along);
  Sorting sorting(*b_, {key}, descending, lanes, machine_.l2_bytes);
  const Value block = i64(sorting.block());
  const auto whole_blocks = [&](Value count) { return b_->round_up(count, sorting.block()); };
  const Value half = b_->add(whole_blocks(a.max_lanes), block);
  const int keys = scratch(key, b_->add(half, half)), missing = floating ? scratch(DType::i64, i64(1)) : -1;
  const Slot line{keys, key, {along}, {i64(1)}};
  const int width = std::max(1, std::min(vector_width(read), lanes));
  scoped([&] {
    loops(top_, kept, -1, 1, 1, {}, [&](std::span<Env> envs) {
      Env e = envs[0];
      e.mask_tail = masks_rests(read);
      if (floating) b_->store(missing, i64(0), i64(0));
      const Value most = b_->max(b_->sub(a.hi, a.lo), i64(0));
      // Where not all lanes exist, those that do move together, and the sorted ones back to them.
      const bool whole = has_all(operand);
      const auto each_there = [&](const std::function<void(Env&, Value lane, Value number, Value here)>& body) {
        return b_->for_loop(a.lo, a.hi, i64(1), {i64(0)}, [&](Value lane, std::span<const Value> before) {
          return scoped([&] {
            Env at = bind(e, along, lane);
            const Value m = there(operand, at), here = m < 0 ? b_->boolean(true) : m;
            body(at, lane, before[0], here);
            return std::vector<Value>{b_->add(before[0], b_->select(here, i64(1), i64(0)))};
          });
        })[0];
      };
      Value count = most;
      if (!whole) {
        count = each_there([&](Env& at, Value, Value number, Value here) {
          Value v = evaluate(at);
          if (floating) {
            const Value nan = both(b_->compare(L::ne, v, v), here);
            const Value before = b_->load(missing, i64(0), {DType::i64, 1, -1});
            b_->store(missing, i64(0), b_->add(before, b_->select(nan, i64(1), i64(0))));
            v = b_->select(nan, highest, v);
          }
          b_->store(keys, b_->add(a.lo, number), to_key(v));
        });
      }
      if (whole)
        ordered_loop(e, along, width, {}, [&](Env& at, std::span<const Value>) {
          Value v = evaluate(at);
          if (floating) {
            const Value nan = b_->logical_and(b_->compare(L::ne, v, v), at.tail);
            const Value any = at.width > 1 ? b_->emit(L::reduce_or, {DType::b8, 1, -1}, {nan}) : nan;
            b_->if_then(any, [&] {
              const loop::Type t{DType::i32, static_cast<std::uint16_t>(at.width), -1};
              Value found = b_->select(nan, b_->constant(t, 1), b_->constant(t, 0));
              if (at.width > 1) found = b_->emit(L::reduce_add, {DType::i32, 1, -1}, {found});
              const Value before = b_->load(missing, i64(0), {DType::i64, 1, -1});
              b_->store(missing, i64(0), b_->add(before, b_->cast(found, DType::i64)));
            });
            v = b_->select(nan, highest, v);
          }
          write_memory(keys, key, offset_in(line, at), wrap(to_key(v)), -1, at, false);
          return std::vector<Value>{};
        });
      const Value padded = whole_blocks(count);
      b_->fill(keys, b_->add(a.lo, count), b_->sub(padded, count),
               b_->constant({key, 1, -1}, worst_bits(key, descending)));
      const Value from = sorting.sort({&keys, 1}, a.lo, b_->add(a.lo, half), padded);
      Value row = a.lo;
      for (std::size_t i = 0; i < axes.size(); ++i)
        if (axes[i] != along)
          row = b_->add(row, b_->mul(scalar(e.lane[static_cast<std::size_t>(axes[i])]), slot.strides[i]));
      const auto copy = [&](Value first, Value last, int w) {
        b_->for_loop(first, last, i64(w), [&](Value i) {
          const Value v = b_->load(keys, b_->add(from, i), {key, static_cast<std::uint16_t>(w), -1});
          b_->store(slot.buffer, b_->add(row, i), to_element(v));
        });
      };
      if (!whole) {
        const Value nans = floating ? b_->load(missing, i64(0), {DType::i64, 1, -1}) : -1;
        each_there([&](Env&, Value lane, Value number, Value here) {
          Value v = to_element(b_->load(keys, b_->add(from, number), {key, 1, -1}));
          if (floating) {
            const Value nan =
                descending ? b_->compare(L::lt, number, nans) : b_->compare(L::ge, number, b_->sub(count, nans));
            v = b_->select(nan, not_a_number, v);
          }
          b_->if_then(here, [&] { b_->store(slot.buffer, b_->add(row, b_->sub(lane, a.lo)), v); });
        });
        return;
      }
      const Value vectors = b_->round_down(count, lanes);
      copy(i64(0), vectors, lanes);
      copy(vectors, count, 1);
      if (floating) {
        const Value nans = b_->load(missing, i64(0), {DType::i64, 1, -1});
        const Value first = descending ? row : b_->add(row, b_->sub(count, nans));
        b_->if_then(b_->compare(L::gt, nans, i64(0)), [&] { b_->fill(slot.buffer, first, nans, not_a_number); });
      }
    });
  });
  slots_[static_cast<std::size_t>(id)] = slot;
}

}  // namespace cpu
TESSERA_END
