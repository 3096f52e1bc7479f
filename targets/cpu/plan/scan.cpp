// Owns what runs along an axis in order: cumulative sums and products, custom reductions and scans.
#include <algorithm>
#include <array>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

namespace {

/// Lanes 0, 0, 0 … or last, last, last …: what broadcasts one lane.
std::vector<int> all_of(int lane, int width) { return std::vector<int>(static_cast<std::size_t>(width), lane); }

}  // namespace

/// Runs `step` along an axis in order: by vectors of `width` lanes, then the rest under a mask, or lane by lane. What
/// is carried is the same in all lanes.
void Planner::ordered_loop(const Env& env, int axis, int width, std::vector<Value> carried, const OrderedStep& step) {
  const AxisState& a = axis_[static_cast<std::size_t>(axis)];
  const Value count = b_->max(b_->sub(a.hi, a.lo), i64(0));
  Value from = a.lo;
  if (width > 1) {
    const Value to = b_->add(a.lo, b_->round_down(count, width));
    carried = b_->for_loop(from, to, i64(width), carried, [&](Value lane, std::span<const Value> c) {
      return scoped([&] {
        Env e = bind_vector(env, axis, lane, width);
        return step(e, c);
      });
    });
    from = to;
    if (b_->known(from) && b_->known(a.hi) && *b_->known(from) >= *b_->known(a.hi)) return;
    if (env.mask_tail) {
      b_->if_then(b_->compare(loop::Op::lt, from, a.hi), [&] {
        scoped([&] {
          Env e = bind_part(env, axis, from, width, b_->sub(a.hi, from));
          step(e, carried);
        });
      });
      return;
    }
    for (Value& v : carried) v = b_->extract(v, 0);
  }
  b_->for_loop(from, a.hi, i64(1), carried, [&](Value lane, std::span<const Value> c) {
    return scoped([&] {
      Env e = bind_vector(env, axis, lane, 1);
      return step(e, c);
    });
  });
}

/// Lane i becomes the combination of lanes 0 … i, in log2(width) steps; `first` is what changes nothing. Within 16
/// bytes lanes move on by 1, 2, 4 …; across them, the last lane of what stands before is spread over what follows: one
/// instruction each.
std::vector<Value> Planner::prefix_in_vector(std::vector<Value> x, std::span<const Value> first, int width,
                                             const Join& join) {
  int group = 16;
  for (Value v : x) group = std::min(group, 16 / std::max(1, info(b_->type(v).elem).bits / 8));
  for (int step = 1; step < width; step *= 2) {
    std::vector<int> lanes;
    for (int i = 0; i < width; ++i) {
      int from = -1;
      if (step < group)
        from = i % group < step ? -1 : i - step;
      else if ((i & step) != 0)
        from = (i & -(2 * step)) + step - 1;
      lanes.push_back(from < 0 ? i : width + from);
    }
    std::vector<Value> before;
    for (std::size_t k = 0; k < x.size(); ++k)
      before.push_back(b_->shuffle(b_->broadcast(first[k], width), x[k], lanes));
    x = join(before, x);
  }
  return x;
}

/// cumsum, cumprod, and what is computed of them in the same nest. Along a contiguous axis a vector's prefix is made in
/// its register and a carry added; otherwise another axis is the vector.
void Planner::scan_nest(Target target, int core, Slot* slot) {
  const Node& n = program_.node(core);
  const int along = static_cast<int>(n.imm), operand = program_.operand(n, 0);
  std::vector<int> kept;
  for (int a : target.axes)
    if (a != along) kept.push_back(a);
  const int vector_axis = choose_vector_axis(kept, one_order(core) ? std::vector<int>{} : std::vector{along}, target);
  if (slot) {
    *slot = new_slot(target.axes, target.type, vector_axis);
    target.slot = slot;
  }
  const int width = vector_axis >= 0 ? vector_width(target) : 1;
  const bool product = n.op == Op::cumprod, inside = vector_axis == along;
  const DType r = repr(n.type);
  const std::vector<int> order = with_last(kept, inside ? -1 : vector_axis);
  const Value first = b_->constant({r, 1, -1}, product ? loop::constant_bits(r, 1.0) : 0);
  const auto combine = [&](std::span<const Value> x, std::span<const Value> y) {
    return std::vector<Value>{
        round_to(wrap_to(b_->binary(product ? loop::Op::mul : loop::Op::add, x[0], y[0]), n.type), n.type)};
  };
  const auto value = [&](Env& e) {
    const Value x = machine(cast_value(eval(operand, e), program_.node(operand).type, n.type, 0, e), e, e.width > 1);
    const Value here = there(operand, e);
    return here < 0 ? x : b_->select(here, x, first);
  };
  const auto write = [&](Env& e, Value v) {
    remember(core, e, wrap(v));
    write_point(target, e);
  };
  Env env = top_;
  env.mask_tail = masks_rests(target);
  scoped([&] {
    if (inside) {
      loops(env, order, -1, 1, 1, {}, [&](std::span<Env> envs) {
        ordered_loop(envs[0], along, width, {b_->broadcast(first, width)}, [&](Env& e, std::span<const Value> carry) {
          const std::vector<Value> x = prefix_in_vector({value(e)}, {&first, 1}, e.width, combine);
          write(e, combine(carry, x)[0]);
          // The sum of the vector does not wait for the carry: only one addition a vector stands in a row.
          return combine(carry, std::array{b_->shuffle(x[0], x[0], all_of(e.width - 1, e.width))});
        });
      });
      return;
    }
    env.width = width;
    const int chunks = 4;
    loops(env, order, width > 1 ? vector_axis : -1, width, chunks, {}, [&](std::span<Env> envs) {
      std::vector<Value> carry;
      for (const Env& e : envs) carry.push_back(b_->broadcast(first, e.width));
      const AxisState& a = axis_[static_cast<std::size_t>(along)];
      b_->for_loop(a.lo, a.hi, i64(1), carry, [&](Value lane, std::span<const Value> carried) {
        return scoped([&] {
          std::vector<Value> next;
          for (std::size_t g = 0; g < envs.size(); ++g) {
            Env at = bind(envs[g], along, lane);
            const Value x = value(at);
            next.push_back(combine({&carried[g], 1}, {&x, 1})[0]);
            write(at, next.back());
          }
          return next;
        });
      });
    });
  });
}

/// Whether everything that `root` reads along an axis lies there element by element.
bool Planner::runs_along(int root, int axis) {
  std::vector<std::int64_t> steps(program_.axes.size(), 0);
  steps[static_cast<std::size_t>(axis)] = 1;
  bool runs = true;
  for_each_fused(root, [&](int id) {
    const Node& n = program_.node(id);
    if (n.op != Op::load && !slots_[static_cast<std::size_t>(id)]) return;
    if (program_.has_axis(n, axis)) runs &= access_step(id, steps) == 1;
  });
  return runs;
}

/// reduce<"N">({…}, {…}, op) and associative_scan. The operation is associative and need not commute: lanes along the
/// axis stand for consecutive parts of it, which are joined in order; or another axis is the vector.
void Planner::custom_nest(int id) {
  if (analysis_.combines_in_steps(id)) return combine_in_steps(id);
  const Node& n = program_.node(id);
  const std::size_t k = n.count / 2u;
  const int along = static_cast<int>(n.imm), last = region_end(id);
  const Node& end = program_.node(last);
  std::vector<int> params(2 * k, -1), kept;
  for (int i = id + 1; i < last; ++i)
    if (program_.node(i).op == Op::param) params[static_cast<std::size_t>(program_.node(i).imm)] = i;
  for (int i = 0; i < n.rank; ++i)
    if (n.axes[i] != along) kept.push_back(n.axes[i]);
  const bool scan = n.op == Op::scan_by;
  std::vector<DType> types;
  for (std::size_t i = 0; i < k; ++i) types.push_back(program_.node(program_.operand(end, static_cast<int>(i))).type);
  const std::vector<int> axes(n.axes, n.axes + n.rank);

  // The vector axis, by how the first tile lies; the width, by the widest value that is carried or combined.
  Target first{nullptr, -1, axes, program_.operand(n, 0), types[0]};
  // What combines in vectors along the axis needs a value of each lane, and has an order of its own.
  bool whole =
      !machine_.ordered() || std::none_of(types.begin(), types.end(), [](DType t) { return info(t).is_floating(); });
  for (std::size_t i = 0; i < k; ++i) whole &= has_all(program_.operand(n, static_cast<int>(i)));
  const int vector_axis = whole          ? choose_vector_axis(kept, {along}, first)
                          : kept.empty() ? -1
                                         : choose_vector_axis(kept, {}, first);
  int width = vector_axis < 0 ? 1 : vector_width(first);
  bool narrow = masks_rests(first);
  for (std::size_t i = 0; i < k && vector_axis >= 0; ++i) {
    const Target each{nullptr, -1, axes, program_.operand(n, static_cast<int>(i)), types[i]};
    width = std::min({width, vector_width(each),
                      vector_width({nullptr, -1, axes, program_.operand(end, static_cast<int>(i)), types[i]})});
    narrow = narrow && masks_rests(each);
  }
  const bool inside = vector_axis == along;
  auto& parts = parts_[static_cast<std::size_t>(id)];
  parts.clear();
  for (std::size_t i = 0; i < k; ++i)
    parts.push_back(new_slot(axes, types[i], scan || !inside ? vector_axis : axes.empty() ? -1 : axes.back()));

  const auto write = [&](Env& e, const std::vector<Value>& v) {
    for (std::size_t i = 0; i < k; ++i) write_value({&parts[i], -1, axes, -1, types[i]}, e, wrap(v[i]), types[i]);
  };
  const auto values = [&](std::size_t from, Env& e, int lanes) {
    std::vector<Value> v;
    for (std::size_t i = 0; i < k; ++i) {
      const int o = program_.operand(n, static_cast<int>(from + i));
      v.push_back(machine(cast_value(eval(o, e), program_.node(o).type, types[i], 0, e), e, lanes > 1));
    }
    return v;
  };
  // The region's code on two states; a parameter is remembered where the axes of the result stand.
  const auto combine = [&](const Env& place, std::span<const Value> x, std::span<const Value> y) {
    return scoped([&] {
      Env e = place;
      e.tail = -1;
      e.width = b_->lanes(x[0]);
      for (std::size_t i = 0; i < k; ++i) {
        if (params[i] >= 0) remember(params[i], e, wrap(x[i]));
        if (params[k + i] >= 0) remember(params[k + i], e, wrap(y[i]));
      }
      std::vector<Value> next;
      for (std::size_t i = 0; i < k; ++i) {
        const int o = program_.operand(end, static_cast<int>(i));
        next.push_back(machine(cast_value(eval(o, e), program_.node(o).type, types[i], 0, e), e, e.width > 1));
      }
      return next;
    });
  };

  const AxisState& a = axis_[static_cast<std::size_t>(along)];
  const std::vector<int> order = with_last(kept, inside ? -1 : vector_axis);
  Env env = top_;
  env.mask_tail = narrow;
  if (!inside) env.width = width;
  const auto one_by_one = [&](const Env& e, Value from, const std::vector<Value>& start) {
    return b_->for_loop(from, a.hi, i64(1), start, [&](Value lane, std::span<const Value> carried) {
      return scoped([&] {
        Env at = bind(e, along, lane);
        std::vector<Value> next = combine(at, carried, values(0, at, at.width));
        Value here = -1;
        for (std::size_t i = 0; i < k; ++i) here = both(here, there(program_.operand(n, static_cast<int>(i)), at));
        for (std::size_t i = 0; i < k && here >= 0; ++i) next[i] = b_->select(here, next[i], carried[i]);
        if (scan) write(at, next);
        return next;
      });
    });
  };
  scoped([&] {
    loops(env, order, !inside && width > 1 ? vector_axis : -1, width, 1, {}, [&](std::span<Env> envs) {
      Env& e = envs[0];
      const std::vector<Value> identity = values(k, e, inside ? 1 : e.width);
      if (!inside || width == 1) {
        const std::vector<Value> total = one_by_one(e, a.lo, identity);
        if (!scan) write(e, total);
        return;
      }
      std::vector<Value> wide;
      for (Value v : identity) wide.push_back(b_->broadcast(v, width));
      if (scan) {
        ordered_loop(e, along, width, wide, [&](Env& at, std::span<const Value> carried) {
          const auto join = [&](std::span<const Value> x, std::span<const Value> y) { return combine(at, x, y); };
          std::vector<Value> x = prefix_in_vector(values(0, at, at.width), identity, at.width, join);
          const auto last_lane = [&](std::vector<Value> v) {
            for (Value& y : v) y = b_->shuffle(y, y, all_of(at.width - 1, at.width));
            return v;
          };
          const std::vector<Value> y = combine(at, carried, x);
          write(at, y);
          // A short operation is done once more, so that the carry does not wait for lanes to move.
          return last - id < 16 ? combine(at, carried, last_lane(x)) : last_lane(y);
        });
        return;
      }
      // Lane l takes the l-th of `width` consecutive parts of the axis; what is left over stands at the end.
      const Value count = b_->max(b_->sub(a.hi, a.lo), i64(0));
      const Value part = b_->binary(loop::Op::floor_div, count, i64(width));
      const std::int64_t most = a.max_known == INT64_MAX ? INT64_MAX : a.max_known - 1;
      const auto known_part = b_->known(part);
      std::vector<bool> varies;
      bool turns = width >= 4 && width <= 32;
      for (std::size_t i = 0; i < k; ++i) {
        const int o = program_.operand(n, static_cast<int>(i));
        varies.push_back(program_.has_axis(program_.node(o), along));
        turns = turns && runs_along(o, along);
      }
      const Value turned = turns ? b_->round_down(part, width) : i64(0);
      std::vector<Value> acc = wide;
      if (turns)  // the next `width` lanes of every part, turned, so that memory is read in order
        acc = b_->for_loop(i64(0), turned, i64(width), acc, [&](Value step, std::span<const Value> carried) {
          return scoped([&] {
            std::vector<std::vector<Value>> rows(k);
            for (int l = 0; l < width; ++l) {
              Env at = bind_vector(e, along, b_->add(b_->add(a.lo, step), b_->mul(part, i64(l))), width);
              const std::vector<Value> row = values(0, at, width);
              for (std::size_t i = 0; i < k; ++i)
                if (l == 0 || varies[i]) rows[i].push_back(row[i]);
            }
            for (std::size_t i = 0; i < k; ++i)
              if (varies[i]) turn(*b_, rows[i]);
            std::vector<Value> next(carried.begin(), carried.end());
            for (std::size_t j = 0; j < static_cast<std::size_t>(width); ++j) {
              std::vector<Value> x;
              for (std::size_t i = 0; i < k; ++i) x.push_back(rows[i][varies[i] ? j : 0]);
              next = combine(e, next, x);
            }
            return next;
          });
        });
      acc = b_->for_loop(turned, part, i64(1), acc, [&](Value step, std::span<const Value> carried) {
        return scoped([&] {
          Env at = e;
          at.width = width;
          const Value lane = b_->add(a.lo, step);
          Val& v = at.lane[static_cast<std::size_t>(along)];
          if (known_part) {
            v = affine(lane, *known_part, 0, most);
          } else {
            v = wrap(b_->add(b_->mul(b_->iota(DType::i64, width), part), b_->broadcast(lane, width)));
            v.lo = 0, v.hi = most;
          }
          return combine(at, carried, values(0, at, width));
        });
      });
      for (int lanes = width; lanes > 1; lanes /= 2) {
        std::vector<int> even, odd;
        for (int i = 0; i < lanes; i += 2) even.push_back(i), odd.push_back(i + 1);
        std::vector<Value> x, y;
        for (Value v : acc) x.push_back(b_->shuffle(v, v, even)), y.push_back(b_->shuffle(v, v, odd));
        acc = combine(e, x, y);
      }
      write(e, one_by_one(e, b_->add(a.lo, b_->mul(part, i64(width))), acc));
    });
  });
}

}  // namespace cpu
TESSERA_END
