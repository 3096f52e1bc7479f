// Owns argmax and argmin: an extreme and its place by lane, joined so that the first of ties wins.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

std::int64_t worst_bits(DType t, bool high) {
  const auto& row = info(t);
  if (row.is_floating()) return loop::constant_bits(t, high ? -__builtin_inf() : __builtin_inf());
  if (row.is_boolean()) return high ? 0 : 1;
  if (row.is_unsigned_integer()) return high ? 0 : row.bits == 64 ? -1 : (std::int64_t{1} << row.bits) - 1;
  const std::int64_t lowest = row.bits == 64 ? INT64_MIN : -(std::int64_t{1} << (row.bits - 1));
  return high ? lowest : ~lowest;
}

/// The position of the first of ties; −1 of nothing. A NaN wins, as it does in max and min. A lane starts at its first
/// place with the worst value, which that place has or beats; where it has no place, a lane before it wins the tie.
/// Where not all lanes exist, a row starts at no place, which every lane that exists beats.
void Planner::arg_nest(int id) {
  const Node& n = program_.node(id);
  const int operand = program_.operand(n, 0);
  const Node& on = program_.node(operand);
  const std::vector<int> kept(n.axes, n.axes + n.rank);
  std::vector<int> reduced;
  for (int i = 0; i < on.rank; ++i)
    if (!program_.has_axis(n, on.axes[i])) reduced.push_back(on.axes[i]);
  if (reduced.size() != 1) refuse(id, "argmax and argmin go over one axis");
  const int along = reduced[0];
  const AxisState& a = axis_[static_cast<std::size_t>(along)];
  const Target read{nullptr, -1, kept, operand, on.type};
  const bool whole = has_all(operand);
  const int vector_axis = whole          ? choose_vector_axis(kept, reduced, read)
                          : kept.empty() ? -1
                                         : choose_vector_axis(kept, {}, read);
  // Lanes are counted in i32 where that is certain to hold them; narrow elements use vectors of 32-bit lanes.
  const DType r = repr(on.type);
  const DType counter = a.max_known < INT32_MAX ? DType::i32 : DType::i64;
  const int bytes = std::max(info(counter).bits / 8, vector_axis < 0 ? 1 : machine_.vector_bytes / vector_width(read));
  const int width = vector_axis < 0 ? 1 : std::max(1, machine_.vector_bytes / bytes);
  const bool inside = vector_axis == along && width > 1;
  Slot slot = new_slot(kept, n.type, inside || vector_axis < 0 ? (kept.empty() ? -1 : kept.back()) : vector_axis);
  const Target t{&slot, -1, kept, operand, n.type};
  const bool floating = info(r).is_floating(), high = n.op == Op::argmax;
  using L = loop::Op;
  const auto either = [&](Value x, Value y) { return b_->binary(L::bit_or, x, y); };
  const auto nan = [&](Value x) { return b_->compare(L::ne, x, x); };
  const auto number = [&](Value x) { return b_->compare(L::eq, x, x); };
  const auto beats = [&](Value x, Value best) {
    const Value better = b_->compare(high ? L::gt : L::lt, x, best);
    return floating ? either(better, b_->binary(L::bit_and, nan(x), number(best))) : better;
  };
  const auto places = [&](int lanes) {  // 0, 1, 2 … from the first lane that exists
    return lanes > 1 ? b_->iota(counter, lanes) : b_->constant({counter, 1, -1}, 0);
  };
  const auto count_by = [&](int lanes, std::int64_t step) {
    return b_->constant({counter, static_cast<std::uint16_t>(lanes), -1}, step);
  };
  const Value worst = b_->constant({r, 1, -1}, worst_bits(r, high));
  const auto finish = [&](Env& e, Value place) {
    const Value position = b_->add(b_->cast(place, DType::i64), b_->broadcast(b_->add(a.begin, a.lo), e.width));
    Value any = b_->compare(L::lt, a.lo, a.hi);
    if (!whole) any = b_->compare(L::ge, place, count_by(e.width, 0));
    write_value(t, e, wrap(b_->select(b_->broadcast(any, e.width), position, b_->broadcast(i64(-1), e.width))),
                DType::i64);
  };
  const std::vector<int> order = with_last(kept, vector_axis == along ? -1 : vector_axis);
  Env env = top_;
  env.mask_tail = masks_rests(read);
  scoped([&] {
    if (inside) {
      constexpr std::size_t unroll = 2;
      loops(env, order, -1, 1, 1, {}, [&](std::span<Env> envs) {
        std::vector<Value> start;
        for (std::size_t g = 0; g < unroll; ++g) {
          start.push_back(b_->broadcast(worst, width));
          start.push_back(places(width));
        }
        start.push_back(places(width));
        auto state = reduce_loops(envs[0], reduced, along, width, unroll, {operand}, start,
                                  [&](std::span<Env> at, std::span<const Value> carried) {
                                    std::vector<Value> next(carried.begin(), carried.end());
                                    for (std::size_t g = 0; g < at.size(); ++g) {
                                      const Value x = machine(eval(operand, at[g]), at[g], true);
                                      const Value better = b_->logical_and(beats(x, carried[2 * g]), at[g].tail);
                                      next[2 * g] = b_->select(better, x, carried[2 * g]);
                                      next[2 * g + 1] = b_->select(better, next.back(), carried[2 * g + 1]);
                                      next.back() = b_->add(next.back(), count_by(width, width));
                                    }
                                    return next;
                                  });
        // y beats x, or is its equal and stands before it.
        const auto join = [&](Value& x, Value& i, Value y, Value j) {
          Value tie = b_->compare(L::eq, x, y);
          if (floating) tie = either(tie, b_->binary(L::bit_and, nan(x), nan(y)));
          const Value better = either(beats(y, x), b_->binary(L::bit_and, tie, b_->compare(L::lt, j, i)));
          x = b_->select(better, y, x);
          i = b_->select(better, j, i);
        };
        for (std::size_t g = 1; g < unroll; ++g) join(state[0], state[1], state[2 * g], state[2 * g + 1]);
        for (int lanes = width / 2; lanes >= 1; lanes /= 2) {
          std::vector<int> low, top;
          for (int l = 0; l < lanes; ++l) low.push_back(l), top.push_back(l + lanes);
          const Value y = b_->shuffle(state[0], state[0], top), j = b_->shuffle(state[1], state[1], top);
          state[0] = b_->shuffle(state[0], state[0], low), state[1] = b_->shuffle(state[1], state[1], low);
          join(state[0], state[1], y, j);
        }
        finish(envs[0], state[1]);
      });
      return;
    }
    env.width = width;
    loops(env, order, width > 1 ? vector_axis : -1, width, 4, {}, [&](std::span<Env> chunks) {
      std::vector<Value> start;
      for (const Env& e : chunks) {
        start.push_back(b_->broadcast(worst, e.width));
        start.push_back(count_by(e.width, whole ? 0 : -1));
      }
      const auto state =
          reduce_loops(chunks[0], reduced, -1, 1, 1, {}, start, [&](std::span<Env> at, std::span<const Value> carried) {
            std::vector<Value> next;
            const Val lane = at[0].lane[static_cast<std::size_t>(along)];
            const Value place = b_->cast(b_->sub(scalar(lane), a.lo), counter);
            for (std::size_t g = 0; g < chunks.size(); ++g) {
              Env e = chunks[g];
              e.lane[static_cast<std::size_t>(along)] = lane;
              const Value x = machine(eval(operand, e), e, e.width > 1);
              Value better = beats(x, carried[2 * g]);
              if (!whole)
                better = both(there(operand, e),
                              either(better, b_->compare(L::lt, carried[2 * g + 1], count_by(e.width, 0))));
              next.push_back(b_->select(better, x, carried[2 * g]));
              next.push_back(b_->select(better, b_->broadcast(place, e.width), carried[2 * g + 1]));
            }
            return next;
          });
      for (std::size_t g = 0; g < chunks.size(); ++g) finish(chunks[g], state[2 * g + 1]);
    });
  });
  slots_[static_cast<std::size_t>(id)] = slot;
}

}  // namespace cpu
TESSERA_END
