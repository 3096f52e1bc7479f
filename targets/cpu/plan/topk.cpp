// Owns topk: what passes the k-th best so far is collected and sorted when the place is full; or, for a few of many
// short rows, each lane keeps the best of its row.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "targets/cpu/plan/sorting.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace cpu {

using L = loop::Op;

namespace {

constexpr std::int64_t most_by_lane = 8, longest_by_lane = 1024;

/// The lowest value of element type t, as its machine type r holds it.
std::int64_t lowest_bits(DType t, DType r) {
  const auto bits = static_cast<std::uint64_t>(max_identity_bits(t));
  const auto& row = info(t);
  if (row.is_floating()) return static_cast<std::int64_t>(t == r ? bits : convert_bits(t, r, bits));
  if (!row.is_signed_integer()) return 0;
  return row.bits == 64 ? INT64_MIN : -(std::int64_t{1} << (row.bits - 1));
}

/// A signed integer of 32 bits (64 for elements of 64) in the order of the elements; NaN is the largest, and zeros of
/// both signs are one.
Value ordered_key(loop::Builder& b, Value x) {
  const DType t = b.type(x).elem;
  const std::uint16_t lanes = b.type(x).lanes;
  const bool wide = info(t).bits == 64;
  const DType k = wide ? DType::i64 : DType::i32;
  const loop::Type type{k, lanes, -1};
  const std::int64_t most = wide ? INT64_MAX : INT32_MAX;
  if (info(t).is_floating()) {
    const Value bits = b.bitcast(b.add(x, b.number(t, lanes, 0.0)), k);
    const Value sign = b.binary(L::shr, bits, b.constant(type, wide ? 63 : 31));
    const Value flipped = b.binary(L::bit_xor, bits, b.binary(L::bit_and, sign, b.constant(type, most)));
    return b.select(b.compare(L::ne, x, x), b.constant(type, most), flipped);
  }
  if (t == DType::b8) return b.select(x, b.constant(type, 1), b.constant(type, 0));
  if (info(t).is_unsigned_integer() && info(t).bits == (wide ? 64 : 32))
    return b.binary(L::bit_xor, b.cast(x, k), b.constant(type, wide ? INT64_MIN : INT32_MIN));
  return b.cast(x, k);
}

}  // namespace

/// The k largest, largest first, and their lanes' positions: the first of ties; NaN is the largest. Missing ones are
/// the lowest value and −1.
void Planner::topk_nest(int id) {
  const Node& n = program_.node(id);
  const int along = static_cast<int>(n.imm), operand = program_.operand(n, 0);
  const Node& on = program_.node(operand);
  std::vector<int> kept;
  int out_axis = -1;
  const std::vector<int> axes(n.axes, n.axes + n.rank), domain(on.axes, on.axes + on.rank);
  for (int a : axes) {
    if (program_.has_axis(on, a))
      kept.push_back(a);
    else
      out_axis = a;
  }
  const AxisState &a = axis_[static_cast<std::size_t>(along)], &out = axis_[static_cast<std::size_t>(out_axis)];
  const DType r = repr(n.type);
  const Target read{nullptr, -1, domain, operand, n.type};
  const int row_axis = kept.empty() ? -1 : choose_vector_axis(kept, {}, read);
  const auto wanted = b_->known(out.hi);
  const int by_lane = machine_.lanes(std::max(4, info(r).bits / 8));
  const bool rows = row_axis >= 0 && wanted && *wanted <= most_by_lane && a.max_known <= longest_by_lane &&
                    axis_[static_cast<std::size_t>(row_axis)].max_known >= by_lane;
  const int inner = rows ? row_axis : out_axis;
  parts_[static_cast<std::size_t>(id)] = {new_slot(axes, n.type, inner), new_slot(axes, DType::i64, inner)};
  const Slot values = parts_[static_cast<std::size_t>(id)][0], positions = parts_[static_cast<std::size_t>(id)][1];
  const auto evaluate = [&](Env& e) {
    return machine(cast_value(eval(operand, e), on.type, n.type, 0, e), e, e.width > 1);
  };
  const auto write = [&](Env& e, Value k, Value value, Value position) {
    Env at = bind(e, out_axis, k);
    write_value({&values, -1, axes, -1, n.type}, at, wrap(value), n.type);
    write_value({&positions, -1, axes, -1, DType::i64}, at, wrap(position), DType::i64);
  };
  const Value lowest = b_->constant({r, 1, -1}, lowest_bits(n.type, r));
  if (rows)
    topk_by_lane(along, row_axis, static_cast<int>(*wanted), by_lane, read, kept, lowest, evaluate, write);
  else
    topk_by_filter(along, out_axis, read, kept, lowest, evaluate, write);
  slots_[static_cast<std::size_t>(id)] = values;
}

/// Each lane keeps the best of its row in order; a new one goes in before the first that it beats.
void Planner::topk_by_lane(int along, int row_axis, int k, int width, const Target& read, const std::vector<int>& kept,
                           Value lowest, const ReadPoint& evaluate, const WriteBest& write) {
  const AxisState& a = axis_[static_cast<std::size_t>(along)];
  const bool floating = info(b_->type(lowest).elem).is_floating();
  const std::vector<int> order = with_last(kept, row_axis);
  Env env = top_;
  env.width = width;
  env.mask_tail = masks_rests(read);
  scoped([&] {
    loops(env, order, row_axis, width, 1, {}, [&](std::span<Env> envs) {
      Env& e = envs[0];
      const loop::Type place{DType::i32, static_cast<std::uint16_t>(e.width), -1};
      const Value none = b_->constant(place, -1), zero = b_->constant(place, 0);
      std::vector<Value> best;
      for (int j = 0; j < k; ++j) best.push_back(b_->broadcast(lowest, e.width)), best.push_back(none);
      best = b_->for_loop(a.lo, a.hi, i64(1), best, [&](Value lane, std::span<const Value> carried) {
        return scoped([&] {
          Env at = bind(e, along, lane);
          const Value here = there(read.root, at);
          Value x = evaluate(at), where = b_->broadcast(b_->cast(lane, DType::i32), e.width), enters = -1;
          std::vector<Value> next;
          for (std::size_t j = 0; j < static_cast<std::size_t>(k); ++j) {
            const Value y = carried[2 * j], there = carried[2 * j + 1];
            Value beats = b_->binary(L::bit_or, b_->compare(L::gt, x, y), b_->compare(L::lt, there, zero));
            if (floating)
              beats = b_->binary(L::bit_or, beats,
                                 b_->binary(L::bit_and, b_->compare(L::ne, x, x), b_->compare(L::eq, y, y)));
            beats = both(beats, here);
            enters = enters < 0 ? beats : b_->binary(L::bit_or, enters, beats);  // those behind it move on
            next.push_back(b_->select(enters, x, y));
            next.push_back(b_->select(enters, where, there));
            x = b_->select(enters, y, x);
            where = b_->select(enters, there, where);
          }
          return next;
        });
      });
      for (std::size_t j = 0; j < static_cast<std::size_t>(k); ++j) {
        const Value lane = best[2 * j + 1], missing = b_->compare(L::lt, lane, zero);
        const Value position = b_->add(b_->cast(lane, DType::i64), b_->broadcast(a.begin, e.width));
        write(e, i64(static_cast<std::int64_t>(j)), best[2 * j],
              b_->select(missing, b_->broadcast(i64(-1), e.width), position));
      }
    });
  });
}

/// Collects what is above the k-th best so far. Items are a key and the lane, packed into 64 bits where both fit.
void Planner::topk_by_filter(int along, int out_axis, const Target& read, const std::vector<int>& kept, Value lowest,
                             const ReadPoint& evaluate, const WriteBest& write) {
  const AxisState &a = axis_[static_cast<std::size_t>(along)], &out = axis_[static_cast<std::size_t>(out_axis)];
  const bool wide = info(b_->type(lowest).elem).bits == 64;
  const bool packed = !wide && a.max_known < UINT32_MAX;
  const DType key = wide ? DType::i64 : DType::i32;
  const int width = std::max(1, vector_width(read)), lanes = std::max(2, machine_.lanes(8));
  std::vector<DType> elems{DType::i64};
  if (!packed) elems.push_back(DType::i64);
  // Packed, the larger goes first and holds the lane's complement; in pairs, ties go by the lane, ascending.
  Sorting sorting(*b_, elems, true, lanes, machine_.l2_bytes);
  const Value block = i64(sorting.block());
  const auto whole_blocks = [&](Value count) { return b_->round_up(count, sorting.block()); };
  const Value room = whole_blocks(b_->add(b_->add(out.max_lanes, out.max_lanes), i64(64)));
  const Value half = b_->add(room, block);
  std::vector<int> items;
  for (std::size_t c = 0; c < elems.size(); ++c) items.push_back(scratch(DType::i64, b_->add(half, half)));
  constexpr std::int64_t low_half = 0xffffffff;
  const auto pack = [&](Value k, Value lane) {  // both i64, of as many lanes
    if (!packed) return std::vector<Value>{k, lane};
    const loop::Type t = b_->type(k);
    return std::vector<Value>{
        b_->binary(L::bit_or, b_->binary(L::shl, k, b_->constant(t, 32)), b_->sub(b_->constant(t, low_half), lane))};
  };
  const auto append = [&](Value passes, const std::vector<Value>& item, int from, Value count) {
    for (int l = 0; l < from; ++l) {
      for (std::size_t c = 0; c < item.size(); ++c) b_->store(items[c], count, b_->extract(item[c], l));
      count = b_->add(count, b_->select(b_->extract(passes, l), i64(1), i64(0)));
    }
    return count;
  };
  scoped([&] {
    loops(top_, kept, -1, 1, 1, {}, [&](std::span<Env> envs) {
      Env& e = envs[0];
      const Value k = out.hi, all = b_->boolean(true);
      // Carried: the next lane, how many items there are, whether fewer than k are known, the k-th key.
      const Value worst = b_->constant({key, 1, -1}, lowest_bits(key, key));
      const auto group = [&](Value lane, Value count, Value open, Value bar, int w) {
        return scoped([&] {
          Env at = e;
          at.width = w;
          at.tail = -1;
          at.lane[static_cast<std::size_t>(along)] =
              affine(lane, w > 1 ? 1 : 0, 0, a.max_known == INT64_MAX ? INT64_MAX : a.max_known - 1);
          const Value x = ordered_key(*b_, evaluate(at));
          const Value passes =
              both(b_->binary(L::bit_or, b_->compare(L::gt, x, b_->broadcast(bar, w)), b_->broadcast(open, w)),
                   there(read.root, at));
          const Value any = w > 1 ? b_->emit(L::reduce_or, {DType::b8, 1, -1}, {passes}) : passes;
          return b_->if_else(
              any,
              [&] {
                Value lane_numbers = b_->broadcast(lane, w);
                if (w > 1) lane_numbers = b_->add(lane_numbers, b_->iota(DType::i64, w));
                return std::vector<Value>{append(passes, pack(b_->cast(x, DType::i64), lane_numbers), w, count)};
              },
              [&] { return std::vector<Value>{count}; })[0];
        });
      };
      const auto fits = [&](std::span<const Value> c, std::int64_t w) {
        return b_->binary(L::bit_and, b_->compare(L::le, b_->add(c[0], i64(w)), a.hi),
                          b_->compare(L::le, b_->add(c[1], i64(w)), room));
      };
      const auto collected = b_->while_loop(
          {a.lo, i64(0), all, worst},
          [&](std::span<const Value> c) {
            const Value more = b_->binary(L::bit_and, b_->compare(L::lt, c[0], a.hi), b_->compare(L::gt, k, i64(0)));
            return std::pair{more, std::vector<Value>(c.begin(), c.end())};
          },
          [&](std::span<const Value> c) {
            const Value open = c[2], bar = c[3];
            std::vector<Value> at{c[0], c[1]};
            for (int w : {width, 1}) {
              if (w == 1) {
                // Lane by lane only what is left of the row.
                const Value rest = b_->compare(L::lt, b_->sub(a.hi, at[0]), i64(width));
                const Value stop = width == 1 ? a.hi : b_->select(rest, a.hi, at[0]);
                at = b_->while_loop(
                    at,
                    [&](std::span<const Value> s) {
                      const Value go = b_->binary(L::bit_and, fits(s, 1), b_->compare(L::lt, s[0], stop));
                      return std::pair{go, std::vector<Value>(s.begin(), s.end())};
                    },
                    [&](std::span<const Value> s) {
                      return std::vector<Value>{b_->add(s[0], i64(1)), group(s[0], s[1], open, bar, 1)};
                    });
                break;
              }
              at = b_->while_loop(
                  at,
                  [&](std::span<const Value> s) {
                    return std::pair{fits(s, w), std::vector<Value>(s.begin(), s.end())};
                  },
                  [&](std::span<const Value> s) {
                    return std::vector<Value>{b_->add(s[0], i64(w)), group(s[0], s[1], open, bar, w)};
                  });
            }
            // What stands behind the last item goes behind all items.
            const Value padded = whole_blocks(at[1]), behind = b_->sub(padded, at[1]);
            b_->fill(items[0], at[1], behind, b_->integer(INT64_MIN));
            if (!packed) b_->fill(items[1], at[1], behind, b_->integer(INT64_MAX));
            const Value from = sorting.sort(items, i64(0), half, padded), count = b_->min(at[1], k);
            b_->if_then(b_->compare(L::gt, from, i64(0)), [&] {
              b_->for_loop(i64(0), count, i64(lanes), [&](Value i) {  // a vector beyond is scratch too
                for (int buffer : items)
                  b_->store(buffer, i,
                            b_->load(buffer, b_->add(from, i), {DType::i64, static_cast<std::uint16_t>(lanes), -1}));
              });
            });
            const Value last = b_->load(items[0], b_->max(b_->sub(count, i64(1)), i64(0)), {DType::i64, 1, -1});
            const Value kth = packed ? b_->binary(L::shr, last, i64(32)) : last;
            return std::vector<Value>{at[0], count, b_->compare(L::lt, count, k), b_->cast(kth, key)};
          });
      b_->for_loop(i64(0), collected[1], i64(1), [&](Value i) {
        scoped([&] {
          const Value item = b_->load(items.back(), i, {DType::i64, 1, -1});
          const Value lane = packed ? b_->sub(i64(low_half), b_->binary(L::bit_and, item, i64(low_half))) : item;
          Env at = bind(e, along, lane);
          write(e, i, evaluate(at), b_->add(a.begin, lane));
        });
      });
      b_->for_loop(collected[1], k, i64(1), [&](Value i) { scoped([&] { write(e, i, lowest, i64(-1)); }); });
    });
  });
}

}  // namespace cpu
TESSERA_END
