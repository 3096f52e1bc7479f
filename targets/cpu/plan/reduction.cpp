// Owns reductions: vector accumulators over reduced or kept axes, horizontal steps, and what is computed of the result.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace cpu {

namespace {

/// The value that changes nothing: what a reduction of no lanes gives (LANGUAGE rule 4).
/// The value of a reduction of nothing, in type `of`, as bits of the machine type `t`.
std::int64_t identity_bits(ir::Op op, DType of, DType t) {
  const auto machine = [&](std::uint64_t bits) {  // integers extended
    const std::uint64_t wide = convert_bits(of, t, bits);
    const int shift = 64 - info(t).bits;
    return info(t).is_signed_integer() ? static_cast<std::int64_t>(wide << shift) >> shift
                                       : static_cast<std::int64_t>(wide);
  };
  switch (op) {
    case ir::Op::prod:
      return loop::constant_bits(t, 1.0);
    case ir::Op::all:
      return 1;
    case ir::Op::reduce_max:
      return machine(max_identity_bits(of));
    case ir::Op::reduce_min:
      return machine(min_identity_bits(of));
    default:
      return 0;
  }
}

struct Combine {
  loop::Op lanewise, across;
};

Combine combine_of(ir::Op op) {
  switch (op) {
    case ir::Op::prod:
      return {loop::Op::mul, loop::Op::reduce_mul};
    case ir::Op::reduce_max:
      return {loop::Op::max, loop::Op::reduce_max};
    case ir::Op::reduce_min:
      return {loop::Op::min, loop::Op::reduce_min};
    case ir::Op::any:
      return {loop::Op::bit_or, loop::Op::reduce_or};
    case ir::Op::all:
      return {loop::Op::bit_and, loop::Op::reduce_and};
    default:
      return {loop::Op::add, loop::Op::reduce_add};
  }
}

}  // namespace

std::vector<Value> Planner::reduce_loops(
    const Env& env, std::span<const int> axes, int vector_axis, int width, int unroll, const std::vector<int>& roots,
    std::vector<Value> accs, const std::function<std::vector<Value>(std::span<Env>, std::span<const Value>)>& step) {
  Env here = env;
  for (int r : roots) hoist(here, r);
  if (axes.empty()) return step({&here, 1}, accs);
  const int axis = axes.front();
  const AxisState& a = axis_[static_cast<std::size_t>(axis)];
  if (axis != vector_axis || axes.size() > 1) {
    return b_->for_loop(a.lo, a.hi, i64(1), accs, [&](Value lane, std::span<const Value> carried) {
      return scoped([&] {
        return reduce_loops(bind(here, axis, lane), axes.subspan(1), vector_axis, width, unroll, roots,
                            {carried.begin(), carried.end()}, step);
      });
    });
  }
  const Value count = b_->max(b_->sub(a.hi, a.lo), i64(0));
  Value from = a.lo;
  for (int group : {unroll, 1}) {
    const std::int64_t by = static_cast<std::int64_t>(group) * width;
    const Value to = b_->add(a.lo, b_->round_down(count, by));
    accs = b_->for_loop(from, to, i64(by), accs, [&](Value lane, std::span<const Value> carried) {
      return scoped([&] {
        std::vector<Env> envs;
        for (int g = 0; g < group; ++g)
          envs.push_back(bind_vector(here, axis, b_->add(lane, i64(static_cast<std::int64_t>(g) * width)), width));
        return step(envs, carried);
      });
    });
    from = to;
    if (unroll == 1) break;
  }
  if (width == 1 || (b_->known(from) && b_->known(a.hi) && *b_->known(from) >= *b_->known(a.hi))) return accs;
  return b_->if_else(
      b_->compare(loop::Op::lt, from, a.hi),
      [&] {
        return scoped([&] {
          Env e = bind_part(here, axis, from, width, b_->sub(a.hi, from));
          return step({&e, 1}, accs);
        });
      },
      [&] { return accs; });
}

/// What the two ways of writing a reduction share.
struct Planner::Reduction {
  int operand;
  std::function<Value(Env&)> start;         ///< what the sum begins with
  std::function<Value(Env&, Value)> term;   ///< an accumulator with one more lane of the reduced axes in it
  std::function<void(Env&, Value)> finish;  ///< rounds a sum no more; writes what is computed of it
  std::vector<int> read;                    ///< what `term` evaluates
};

/// Whether something that `root` reads moves by more than a page when `axis` steps by one.
bool Planner::far_apart(int root, int axis, int depth) {
  std::vector<std::int64_t> steps(program_.axes.size(), 0);
  steps[static_cast<std::size_t>(axis)] = 1;
  bool far = false;
  for_each_fused(root, [&](int id) {
    const Node& n = program_.node(id);
    if (n.rank < depth || (n.op != Op::load && !slots_[static_cast<std::size_t>(id)])) return;
    const auto step = access_step(id, steps);
    far |= step && std::abs(*step) * std::max<int>(8, info(n.type).bits) / 8 >= 2048;
  });
  return far;
}

/// Sums along an axis whose lanes lie far apart: a run of results waits in the first cache while rows pass by, several
/// at a time, each read in order.
void Planner::reduce_row_by_row(const Target& target, int core, const Reduction& r, std::vector<int> kept,
                                std::vector<int> reduced, int vector_axis, int width) {
  const DType t = repr(program_.node(core).type);
  const std::int64_t run = machine_.l1_bytes / 4 / std::max(1, info(t).bits / 8) / width * width;
  const int rows = analysis_.cost(r.operand) >= 12 ? 2 : 8, row_axis = reduced.back();
  const AxisState &lanes = axis_[static_cast<std::size_t>(vector_axis)],
                  &row = axis_[static_cast<std::size_t>(row_axis)];
  const int sums = scratch(t, i64(run + width));
  const loop::Type vector{t, static_cast<std::uint16_t>(width), -1};
  reduced.pop_back();

  Env env = top_;
  env.mask_tail = masks_rests(target);
  env.width = width;
  loops(env, kept, -1, 1, 1, roots_of(target), [&](std::span<Env> outer) {
    b_->for_loop(lanes.lo, lanes.hi, i64(run), [&](Value begin) {
      scoped([&] {
        const Value end = b_->min(b_->add(begin, i64(run)), lanes.hi);
        const auto place = [&](const Env& e) {
          return b_->sub(e.lane[static_cast<std::size_t>(vector_axis)].base, begin);
        };
        const auto across = [&](const Env& at, const std::function<void(Env&)>& body) {
          vector_loop(at, vector_axis, begin, end, width, 1, [&](std::span<Env> envs) { body(envs[0]); });
        };
        across(outer[0], [&](Env& e) { b_->store(sums, place(e), r.start(e)); });
        loops(outer[0], reduced, -1, 1, 1, r.read, [&](std::span<Env> at) {
          const Value whole = b_->add(row.lo, b_->round_down(b_->max(b_->sub(row.hi, row.lo), i64(0)), rows));
          const auto pass = [&](Value from, Value to, int count) {
            b_->for_loop(from, to, i64(count), [&](Value lane) {
              scoped([&] {
                std::vector<Env> of_row;
                for (int k = 0; k < count; ++k) {
                  of_row.push_back(bind(at[0], row_axis, b_->add(lane, i64(k))));
                  for (int root : r.read) hoist(of_row.back(), root);
                }
                across(at[0], [&](Env& e) {
                  const loop::Type type = e.width > 1 ? vector : loop::Type{t, 1, -1};
                  Value sum = b_->load(sums, place(e), type);
                  for (const Env& o : of_row) {
                    Env both = e;
                    both.lane[static_cast<std::size_t>(row_axis)] = o.lane[static_cast<std::size_t>(row_axis)];
                    sum = r.term(both, sum);
                  }
                  b_->store(sums, place(e), sum);
                });
              });
            });
          };
          pass(row.lo, whole, rows);
          pass(whole, row.hi, 1);
        });
        across(outer[0],
               [&](Env& e) { r.finish(e, b_->load(sums, place(e), e.width > 1 ? vector : loop::Type{t, 1, -1})); });
      });
    });
  });
}

Planner::GoesOn Planner::goes_on_from(const Target& target, int core) const {
  const Node& c = program_.node(core);
  const auto& users = analysis_.users[static_cast<std::size_t>(core)];
  if (!one_order(core) || (c.op != Op::dot && c.op != Op::sum) || target.root == core || users.size() != 1) return {};
  const Node& sum = program_.node(users[0]);
  if (sum.op != Op::add || sum.type != c.type || sum.rank != c.rank) return {};
  const int a = program_.operand(sum, 0), b = program_.operand(sum, 1), other = a == core ? b : a;
  if (a == b || program_.node(other).type != c.type) return {};
  return {users[0], other};
}

void Planner::reduction_nest(const Target& target, int core, int vector_axis) {
  const Node& c = program_.node(core);
  const int operand = program_.operand(c, 0);
  std::vector<int> kept, reduced;
  for (int a : target.axes)
    if (a != vector_axis) kept.push_back(a);
  for (std::int32_t o : program_.operands_of(c)) {
    const Node& on = program_.node(o);
    for (int i = 0; i < on.rank; ++i)
      if (!program_.has_axis(c, on.axes[i]) && on.axes[i] != vector_axis &&
          std::find(reduced.begin(), reduced.end(), on.axes[i]) == reduced.end())
        reduced.push_back(on.axes[i]);
  }
  const bool across = std::find(target.axes.begin(), target.axes.end(), vector_axis) == target.axes.end();
  const DType t = repr(c.type);
  int width = vector_axis >= 0 ? vector_width(target) : 1;
  if (!across && target.store >= 0 && collides_along(target.store, vector_axis)) width = 1;
  const auto [lanewise, sideways] = combine_of(c.op);
  const bool product =
      c.op == Op::dot ||
      (c.op == Op::sum && !one_order(core) && program_.node(operand).op == Op::mul && info(c.type).is_floating() &&
       program_.node(operand).type == c.type && analysis_.form[static_cast<std::size_t>(operand)] == Form::point &&
       !slots_[static_cast<std::size_t>(operand)]);
  const int left = product && c.op == Op::sum ? program_.operand(program_.node(operand), 0) : operand;
  const int right = c.op == Op::dot ? program_.operand(c, 1)
                    : product       ? program_.operand(program_.node(operand), 1)
                                    : -1;
  std::vector<int> read{left};
  if (right >= 0) read.push_back(right);

  const auto identity = [&](int lanes) {
    return b_->constant({t, static_cast<std::uint16_t>(lanes), -1}, identity_bits(c.op, c.type, t));
  };
  // Extremes are values of the type: rounding would saturate infinities.
  const bool rounds = c.op == Op::sum || c.op == Op::prod || c.op == Op::dot;
  const auto term = [&](Env& e, Value acc) {
    const auto value = [&](int id) {
      const Val v = eval(id, e);
      return machine(cast_value(v, program_.node(id).type, c.type, 0, e), e, e.width > 1);
    };
    Value next, here = there(operand, e);
    if (c.op == Op::dot) here = both(here, there(right, e));
    if (right >= 0) {
      const Value x = value(left), y = value(right);
      next = info(t).is_floating() ? mul_add(x, y, acc) : b_->add(acc, b_->mul(x, y));
    } else {
      next = b_->binary(lanewise, acc, value(left));
    }
    if (rounds) next = round_to(next, c.type);
    return here < 0 ? next : b_->select(here, next, acc);
  };
  const GoesOn on = goes_on_from(target, core);
  const auto start = [&](Env& e) {
    return on.from < 0 ? identity(e.width) : b_->broadcast(machine(eval(on.from, e), e, e.width > 1), e.width);
  };
  const auto finish = [&](Env& e, Value acc) {
    if (rounds && c.type == DType::e8m0) acc = round_to(acc, c.type);  // of nothing: its least value, it has no zero
    scoped([&] {
      remember(on.from < 0 ? core : on.sum, e, wrap(wrap_to(acc, c.type)));
      write_point(target, e);
    });
  };

  Env env = top_;
  env.mask_tail = masks_rests(target);
  scoped([&] {
    if (across && vector_axis >= 0) {
      reduced.push_back(vector_axis);
      // Long terms keep the machine busy by themselves; many at a time would only need more registers.
      const int unroll = filling_ >= 0 && analysis_.cost(operand) >= 12 ? 1 : 4;
      loops(env, kept, -1, 1, 1, roots_of(target), [&](std::span<Env> outer) {
        const std::vector<Value> accs =
            reduce_loops(outer[0], reduced, vector_axis, width, unroll, read,
                         std::vector<Value>(static_cast<std::size_t>(unroll), identity(width)),
                         [&](std::span<Env> envs, std::span<const Value> carried) {
                           std::vector<Value> next(carried.begin(), carried.end());
                           for (std::size_t g = 0; g < envs.size(); ++g) {
                             const Value sum = term(envs[g], next[g]);
                             next[g] = envs[g].tail >= 0 ? b_->select(envs[g].tail, sum, next[g]) : sum;
                           }
                           return next;
                         });
        Value sum = accs[0];
        if (unroll == 4)
          sum = b_->binary(lanewise, b_->binary(lanewise, accs[0], accs[1]), b_->binary(lanewise, accs[2], accs[3]));
        if (width > 1) sum = b_->emit(sideways, {t, 1, -1}, {sum});
        finish(outer[0], rounds ? round_to(sum, c.type) : sum);
      });
      return;
    }
    if (vector_axis >= 0 && width > 1 && !reduced.empty() && filling_ < 0 &&
        axis_[static_cast<std::size_t>(vector_axis)].max_known > 4 * width &&
        far_apart(operand, reduced.back(), static_cast<int>(target.axes.size() + reduced.size())))
      return reduce_row_by_row(target, core, {operand, start, term, finish, read}, kept, reduced, vector_axis, width);
    if (vector_axis >= 0) kept.push_back(vector_axis);
    env.width = width;
    loops(env, kept, width > 1 ? vector_axis : -1, width, 4, roots_of(target), [&](std::span<Env> chunks) {
      std::vector<Value> accs;
      for (Env& e : chunks) accs.push_back(start(e));
      accs = reduce_loops(chunks[0], reduced, -1, 1, 1, {}, accs,
                          [&](std::span<Env> envs, std::span<const Value> carried) {
                            std::vector<Value> next;
                            for (std::size_t g = 0; g < chunks.size(); ++g) {
                              Env e = chunks[g];
                              for (int r : reduced)
                                e.lane[static_cast<std::size_t>(r)] = envs[0].lane[static_cast<std::size_t>(r)];
                              // Lanes that are not there add up what nobody writes.
                              next.push_back(term(e, carried[g]));
                            }
                            return next;
                          });
      for (std::size_t g = 0; g < chunks.size(); ++g) finish(chunks[g], accs[g]);
    });
  });
}

}  // namespace cpu
TESSERA_END
