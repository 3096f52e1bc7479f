// Owns the values of random programs: leaves, elementwise operations, and the choice among all kinds.
#include <algorithm>

#include "tests/fuzz/generator.hpp"

namespace fuzz {

using tessera::info;

DType Generator::float_type() {
  return random_.of({DType::f32, DType::f32, DType::f32, DType::f32, DType::f32, DType::f32, DType::f64, DType::f64,
                     DType::f16, DType::f16, DType::bf16, DType::bf16, DType::e4m3, DType::e5m2, DType::e2m3,
                     DType::e3m2, DType::e2m1, DType::e8m0});
}
DType Generator::integer_type() {
  return random_.of({DType::i32, DType::i32, DType::i32, DType::i32, DType::i64, DType::i64, DType::i8, DType::u8,
                     DType::i16, DType::u16, DType::u32, DType::u32, DType::u64, DType::i4, DType::u4});
}
DType Generator::number_type() { return random_.chance(66) ? float_type() : integer_type(); }
DType Generator::any_type() { return random_.chance(6) ? DType::b8 : number_type(); }

int Generator::block_number(DType type) {
  std::vector<int> nodes;
  switch (random_.below(5)) {
    case 0:
      if (!grid_blocks_.empty()) {
        const int block = facts(random_.of(grid_blocks_)).block;
        return b_.cast(b_.add(random_.of({Op::block_id, Op::block_number}), DType::i64, {block}), type);
      }
      [[fallthrough]];
    case 1:
      return b_.cast(b_.add(random_.of({Op::linear_id, Op::group_id}), DType::i64, {}), type);
    case 2: {
      for (int a : scope_)
        if (b_.s.axes[static_cast<std::size_t>(a)].kind == ir::AxisKind::loop && random_.chance(25))
          return b_.cast(b_.add(Op::block_number, DType::i64, {facts(a).block}), type);
        else if (facts(a).block >= 0 && facts(a).extent >= 0)
          nodes.push_back(facts(a).block);
      if (!nodes.empty())
        return b_.cast(
            b_.add(random_.of({Op::block_begin, Op::block_end, Op::block_count}), DType::i64, {random_.of(nodes)}),
            type);
      [[fallthrough]];
    }
    case 3:
      return b_.cast(b_.add(Op::extent, DType::i64, {}, {}, any_extent(), ir::flag_uniform), type);
    default:
      if (b_.s.tunables.empty()) return b_.cast(b_.integer(random_.between(0, 9)), type);
      return b_.cast(b_.add(Op::tunable, DType::i64, {}, {}, random_.below(static_cast<std::int64_t>(tunables_.size())),
                            ir::flag_uniform),
                     type);
  }
}

int Generator::position(DType type, const Axes& axes) {
  std::vector<int> nodes;
  for (int a : axes)
    if (facts(a).block >= 0) nodes.push_back(facts(a).block);
  for (const auto& [node, bound] : numbers_) nodes.push_back(node);
  if (nodes.empty()) return block_number(type);
  int x = random_.of(nodes);
  if (nodes.size() > 1 && random_.chance(40))
    x = each(random_.of({Op::add, Op::sub, Op::mul, Op::max, Op::min}), DType::i64, {x, random_.of(nodes)});
  return type == DType::i64 ? x : each(Op::cast, type, {x});
}

int Generator::random_bits(DType type, const Axes& axes) {
  const int seed = random_.chance(50) ? b_.bits(DType::u64, random_.next()) : scalar(DType::u64);
  const int counter = each(Op::cast, DType::u64, {position(DType::i64, axes)});
  const int word = each(Op::random, DType::u32, {seed, counter}, random_.below(4));
  if (info(type).bits == 32 && random_.chance(40)) return type == DType::u32 ? word : each(Op::bitcast, type, {word});
  return b_.cast(word, type);
}

int Generator::leaf(DType type, const Axes& axes) {
  std::vector<int> pool, vars;
  for (int v : pool_)
    if (b_.type(v) == type && within(b_.axes_of(v), axes)) pool.push_back(v);
  for (std::size_t i = 0; i < vars_.size(); ++i)
    if (vars_[i].type == type && within(vars_[i].axes, axes)) vars.push_back(static_cast<int>(i));
  switch (random_.weighted({52, pool.empty() ? 0 : 25, vars.empty() ? 0 : 30, 10, 4, info(type).is_integer() ? 8 : 2,
                            info(type).is_integer() ? 4 : 1})) {
    case 1:
      return random_.of(pool);
    case 2: {
      const VarFacts& v = vars_[static_cast<std::size_t>(random_.of(vars))];
      return add(Op::get, type, {v.node}, v.axes);
    }
    case 3:
      return literal(type);
    case 4:
      return scalar(type);
    case 5:
      return position(type, axes);
    case 6:
      return block_number(type);
    default: {
      Axes some;
      for (int a : axes)
        if (random_.chance(80)) some.push_back(a);
      return load(type, some);
    }
  }
}

int Generator::spread(int value, const Axes& axes) {
  const Axes has_axes = b_.axes_of(value);
  Axes missing;
  for (int a : axes)
    if (!has(has_axes, a)) missing.push_back(a);
  if (missing.empty()) return value;
  const DType type = b_.type(value);
  bool positions = true;
  for (int a : missing) positions = positions && facts(a).block >= 0;
  if (!positions || random_.chance(25)) return add(Op::broadcast, type, {value}, both(has_axes, missing));
  const int other = load(type, missing);
  const int mixed = info(type).is_boolean()
                        ? each(random_.of({Op::bit_and, Op::bit_or, Op::bit_xor}), type, {value, other})
                        : each(random_.of({Op::add, Op::mul, Op::sub, Op::max}), type, {value, other});
  if (within(axes, b_.axes_of(mixed))) return mixed;
  return add(Op::broadcast, type, {mixed}, both(b_.axes_of(mixed), axes));
}

int Generator::full(DType type, const Axes& axes, int depth) {
  if (depth <= 0 || random_.chance(55)) {
    const int x = load(type, axes);
    return spread(x, axes);
  }
  return spread(value(type, axes, depth), axes);
}

int Generator::condition(const Axes& axes, int depth) {
  const DType type = random_.chance(50) ? DType::i64 : number_type();
  const Op op = random_.of({Op::lt, Op::le, Op::gt, Op::ge, Op::eq, Op::ne});
  if (type == DType::i64) {
    const int p = position(type, axes);
    return each(op, DType::b8, {p, random_.chance(60) ? b_.integer(random_.between(0, 12)) : position(type, axes)});
  }
  const int a = depth > 0 ? value(type, axes, depth - 1) : leaf(type, axes);
  return each(op, DType::b8, {a, random_.chance(40) ? literal(type) : leaf(type, axes)});
}

int Generator::elementwise(DType type, const Axes& axes, int depth) {
  const auto& t = info(type);
  const auto more = [&] { return value(type, axes, depth - 1); };
  if (t.is_boolean()) {
    switch (random_.below(5)) {
      case 0:
        return each(Op::logical_not, type, {more()});
      case 1: {
        const int a = more();
        return each(random_.of({Op::bit_and, Op::bit_or, Op::bit_xor, Op::eq, Op::ne}), type, {a, more()});
      }
      default:
        return condition(axes, depth);
    }
  }
  const int a = more();
  switch (random_.weighted({26, 36, 6, 14, 12, 4})) {
    case 0: {
      if (t.is_floating())
        return each(random_.of({Op::neg,   Op::abs,   Op::sqrt,  Op::rsqrt, Op::exp, Op::exp2, Op::expm1, Op::log,
                                Op::log2,  Op::log1p, Op::sin,   Op::cos,   Op::tan, Op::tanh, Op::erf,   Op::sigmoid,
                                Op::floor, Op::ceil,  Op::trunc, Op::round, Op::neg, Op::abs}),
                    type, {a});
      return each(random_.of({Op::neg, Op::abs, Op::logical_not, Op::floor, Op::round}), type, {a});
    }
    case 1: {
      const int b = more();
      if (t.is_floating())
        return each(random_.of({Op::add, Op::add, Op::sub, Op::sub, Op::mul, Op::mul, Op::div, Op::max, Op::min,
                                Op::max_number, Op::min_number, Op::pow}),
                    type, {a, b});
      if (random_.chance(12))  // by a power of two, as offsets are computed
        return each(random_.of({Op::div, Op::mod, Op::cdiv}), type, {a, b_.number(type, random_.of({1, 2, 4, 3, 5}))});
      return each(
          random_.of({Op::add, Op::add, Op::sub, Op::sub, Op::mul, Op::mul, Op::div, Op::mod, Op::cdiv, Op::max,
                      Op::min, Op::max_number, Op::min_number, Op::bit_and, Op::bit_or, Op::bit_xor, Op::shl, Op::shr}),
          type, {a, b});
    }
    case 2: {
      const int b = leaf(type, axes);
      return each(Op::fma, type, {a, b, leaf(type, axes)});
    }
    case 3: {
      const DType from = random_.chance(90) ? number_type() : DType::b8;
      const int x = value(from, axes, depth - 1);
      const std::int64_t rounding = random_.chance(70) ? 0 : random_.between(1, 2),
                         saturation = random_.chance(80) ? 0 : random_.between(1, 2);
      return each(Op::cast, type, {x}, rounding | saturation << 8);
    }
    case 4: {
      const int c = condition(axes, depth - 1);
      return each(Op::where, type, {c, a, leaf(type, axes)});
    }
    default: {
      std::vector<DType> same;
      for (int i = 1; i < tessera::dtype_count; ++i)
        if (info(static_cast<DType>(i)).bits == t.bits) same.push_back(static_cast<DType>(i));
      const DType from = random_.of(same);
      // Which zero an extreme of both is, and which NaN an operation gives, nobody says: bits of floats are read only
      // as they were loaded, and not those of NaN.
      tame_ = info(from).is_floating();
      const int x = tame_ ? load(from, axes) : value(from, axes, depth - 1);
      tame_ = false;
      return each(Op::bitcast, type, {x});
    }
  }
}

int Generator::collapse(int value, const Axes& axes) {
  for (int steps = 0; steps < 8; ++steps) {
    const Axes now = b_.axes_of(value);
    Axes left;
    for (int a : now)
      if (!has(axes, a)) left.push_back(a);
    if (left.empty()) return value;
    const DType type = b_.type(value);
    if (random_.chance(20) || left.size() == 1) left = {random_.of(left)};
    Axes kept = now;
    for (int a : left) kept = without(kept, a);
    const bool pick = left.size() == 1 && facts(left[0]).from_zero && facts(left[0]).lanes > 0 && random_.chance(15);
    if (pick)
      value = add(Op::at, type, {value, b_.integer(random_.below(facts(left[0]).lanes))}, kept, left[0]);
    else if (info(type).is_boolean())
      value = add(random_.of({Op::any, Op::all}), type, {value}, kept);
    else
      value = add(random_.of({Op::sum, Op::sum, Op::reduce_max, Op::reduce_min, Op::prod}), type, {value}, kept);
  }
  return value;
}

int Generator::value(DType type, const Axes& axes, int depth) {
  if (depth <= 0 || tired()) return leaf(type, axes);
  const bool number = !info(type).is_boolean();
  const int n = number ? 1 : 0;
  switch (random_.weighted(
      {24, 34, 13, n * 11, n * 6, n * 4, n * 3, 4, 8, 4, 4, 3, 3, n * 2, n * 3, type == DType::f32 ? 4 : 0})) {
    case 0:
      return leaf(type, axes);
    case 1:
      return keep(elementwise(type, axes, depth));
    case 2:
      return keep(reduction(type, axes, depth - 1));
    case 3:
      return keep(dot(type, axes, depth - 1));
    case 4:
      return keep(scan(type, axes, depth - 1));
    case 5:
      return keep(sorted(type, axes, depth - 1));
    case 6:
      return keep(top_k(type, axes, depth - 1));
    case 7:
      return keep(custom(type, axes, depth - 1));
    case 8:
      return keep(at(type, axes, depth - 1));
    case 9:
      return keep(halo(type, axes));
    case 10:
      return keep(split_merge(type, axes, depth - 1));
    case 11:
      return keep(join(type, axes, depth - 1));
    case 12:
      return keep(renamed(type, axes, depth - 1));
    case 14:
      return keep(window(type, axes));
    case 15:
      return keep(scaled(axes));
    default:
      return keep(random_bits(type, axes));
  }
}

}  // namespace fuzz
