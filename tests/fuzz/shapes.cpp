// Owns what moves lanes in random programs: slices, flips, gathers, halos, split, merge, join, other names.
#include <algorithm>

#include "tests/fuzz/generator.hpp"

namespace fuzz {

int Generator::at(DType type, const Axes& axes, int depth) {
  std::vector<int> own;  // axes of the result whose positions may be turned or moved
  for (int a : axes)
    if (facts(a).block >= 0) own.push_back(a);
  if (!own.empty() && random_.chance(55)) {
    const int a = random_.of(own), block = facts(a).block;
    Axes over = {a};
    for (int other : axes)
      if (other != a && random_.chance(50)) over.push_back(other);
    int x = full(type, over, depth);
    if (random_.chance(45)) {  // flip
      int last = b_.integer(facts(a).lanes - 1);
      if (facts(a).extent >= 0) {
        const int begin = b_.add(Op::block_begin, DType::i64, {block}),
                  end = b_.add(Op::block_end, DType::i64, {block});
        last = b_.each(Op::sub, DType::i64, {b_.each(Op::add, DType::i64, {begin, end}), b_.integer(1)});
      }
      return add(Op::at, type, {x, each(Op::sub, DType::i64, {last, block})}, b_.axes_of(x), a);
    }
    x = add(Op::pad, type, {x, literal(type)}, b_.axes_of(x));
    const int moved = each(Op::add, DType::i64, {block, b_.integer(random_.of({-2, -1, 1, 2, 3}))});
    return add(Op::at, type, {x, moved}, b_.axes_of(x), a);
  }
  // A gather along an axis of its own.
  Axes over;
  for (int a : axes)
    if (random_.chance(40)) over.push_back(a);
  const int from = another_axis(axes, most_tile_ / std::max<std::int64_t>(lanes(over), 1));
  if (from < 0 || !facts(from).from_zero || facts(from).lanes == 0) return leaf(type, axes);
  over.push_back(from);
  int x = full(type, over, depth);
  const bool pads = random_.chance(40);
  if (pads) x = add(Op::pad, type, {x, literal(type)}, b_.axes_of(x));
  int index = b_.integer(random_.below(facts(from).lanes));
  Axes to = without(b_.axes_of(x), from);
  if (!own.empty() && random_.chance(80)) {
    const int a = random_.of(own);
    const Index place = index_along(a, true);
    if (place.node >= 0) {
      Given given = any_given(DType::i32, false);
      given.content = pads && random_.chance(60) ? Content::outside : Content::index;
      given.limit = facts(from).lanes;
      const DType of = random_.of({DType::i32, DType::i64});
      const int arg = argument(ir::Effect::in, of, {place.extent}, given);
      index = add(Op::load, of, {place.node}, b_.axes_of(place.node), arg);
      if (of != DType::i64 && random_.chance(50)) index = b_.cast(index, DType::i64);
    }
  }
  to = both(to, b_.axes_of(index));
  return collapse(add(Op::at, type, {x, index}, to, from), axes);
}

// A grown block, read with padding, sliced at shifted positions.
int Generator::halo(DType type, const Axes& axes) {
  std::vector<int> fit;
  for (int a : axes)
    if (facts(a).block >= 0 && facts(a).extent >= 0 &&
        b_.s.axes[static_cast<std::size_t>(a)].kind != ir::AxisKind::grown)
      fit.push_back(a);
  if (fit.empty()) return leaf(type, axes);
  const int a = random_.of(fit);
  const std::int64_t before = random_.below(3), after = random_.below(3);
  AxisFacts f = facts(a);
  f.lanes += before + after;
  f.grid = false;
  f.from_zero = false;
  f.store = false;
  const std::size_t here = scope_.size();
  const int grown = make_block(Op::grow, ir::AxisKind::grown, {f.block}, f, a, before << 32 | after);
  scope_.resize(here);
  Axes over = {a};
  for (int other : axes)
    if (other != a && random_.chance(50)) over.push_back(other);
  std::vector<int> in, extents;
  Axes got;
  std::int64_t elements = 1;
  for (int other : over) {
    const Index i = other == a ? Index{facts(grown).block, f.extent, true} : index_along(other, true);
    if (i.node < 0 || elements * std::max<std::int64_t>(value_of(i.extent), 1) > 40000) continue;
    elements *= std::max<std::int64_t>(value_of(i.extent), 1);
    in.push_back(i.node);
    extents.push_back(i.extent);
    got = both(got, b_.axes_of(i.node));
  }
  const int arg = argument(ir::Effect::in, type, extents, any_given(type, false));
  int flags = 0;
  if (random_.chance(80)) flags = ir::flag_padded, in.push_back(literal(type));
  int x = add(Op::load, type, in, got, arg, flags);
  if (random_.chance(40)) x = each(random_.of({Op::max, Op::min}), type, {x, literal(type)});
  const bool twice = random_.chance(60);
  int sum = -1;
  for (int k = 0; k < (twice ? 2 : 1); ++k) {
    const int place = each(Op::add, DType::i64, {facts(a).block, b_.integer(random_.between(-before, after))});
    const int slice = add(Op::at, type, {x, place}, both(without(got, grown), {a}), grown);
    sum = sum < 0 ? slice : each(tessera::info(type).is_boolean() ? Op::bit_xor : Op::max, type, {sum, slice});
  }
  return sum;
}

int Generator::split_merge(DType type, const Axes& axes, int depth) {
  std::int64_t size = 0;
  const Axes some = axes.empty() || random_.chance(50) ? Axes{} : Axes{random_.of(axes)};
  const std::int64_t most = most_tile_ / std::max<std::int64_t>(lanes(some), 1);
  const int from = another_axis(axes, most);
  if (from < 0 || facts(from).lanes == 0) return leaf(type, axes);
  const std::int64_t n = facts(from).lanes;
  if (random_.chance(55)) {
    int part = cut(size);
    if (random_.chance(60) && n % size != 0) {  // a part of which the length is a multiple
      std::vector<std::int64_t> divisors;
      for (std::int64_t d = 1; d <= n; ++d)
        if (n % d == 0) divisors.push_back(d);
      size = random_.of(divisors);
      part = b_.integer(size);
    }
    const int x = full(type, both(some, {from}), depth);
    AxisFacts o, i;
    i.lanes = size;
    o.lanes = (n + size - 1) / size;
    i.from_zero = o.from_zero = true;
    int outer = -1, inner = -1;
    if (random_.chance(35)) {  // the axes are given as blocks
      outer = make_block(Op::lanes_block, ir::AxisKind::lanes, {b_.integer(o.lanes)}, o);
      inner = make_block(Op::lanes_block, ir::AxisKind::lanes, {part}, i);
    } else {
      outer = b_.axis(b_.name("O" + std::to_string(b_.s.axes.size())), ir::AxisKind::made, -1, from);
      facts_.push_back(o);
      inner = b_.axis(b_.name("I" + std::to_string(b_.s.axes.size())), ir::AxisKind::made, -1, from);
      facts_.push_back(i);
    }
    Axes to = without(b_.axes_of(x), from);
    to.push_back(outer);
    to.push_back(inner);
    const int made = add(Op::split, type, {x, part}, to, from | std::int64_t{outer} << 20 | std::int64_t{inner} << 40);
    return collapse(made, axes);
  }
  const int second = another_axis(both(axes, {from}), most / n);
  if (second < 0) return leaf(type, axes);
  const int x = full(type, both(some, {from, second}), depth);
  AxisFacts f;
  f.lanes = n * facts(second).lanes;
  f.from_zero = true;
  const int merged = b_.axis(b_.name("M" + std::to_string(b_.s.axes.size())), ir::AxisKind::made, -1, from);
  facts_.push_back(f);
  Axes to = without(without(b_.axes_of(x), from), second);
  to.push_back(merged);
  const int made = add(Op::merge, type, {x}, to, from | std::int64_t{second} << 20 | std::int64_t{merged} << 40);
  if (!tessera::info(type).is_boolean() && random_.chance(30))
    return collapse(add(random_.of({Op::sort, Op::cumsum}), type, {made}, to, merged), axes);
  return collapse(made, axes);
}

int Generator::join(DType type, const Axes& axes, int depth) {
  const Axes some = axes.empty() || random_.chance(50) ? Axes{} : Axes{random_.of(axes)};
  const std::int64_t most = most_tile_ / 2 / std::max<std::int64_t>(lanes(some), 1);
  const int a = another_axis(axes, most);
  if (a < 0) return leaf(type, axes);
  const int b = random_.chance(40) ? a : another_axis(both(axes, {a}), most);
  if (b < 0) return leaf(type, axes);
  const int x = full(type, both(some, {a}), depth), y = full(type, both(some, {b}), depth);
  AxisFacts f;
  f.lanes = facts(a).lanes + facts(b).lanes;
  f.from_zero = true;
  Axes to = both(without(b_.axes_of(x), a), without(b_.axes_of(y), b));
  const int joined = b_.axis(b_.name("J" + std::to_string(b_.s.axes.size())), ir::AxisKind::made, -1, a);
  facts_.push_back(f);
  to.push_back(joined);
  const int made = add(Op::join, type, {x, y}, to, a | std::int64_t{b} << 20 | std::int64_t{joined} << 40);
  if (!tessera::info(type).is_boolean() && random_.chance(30))
    return collapse(add(random_.of({Op::sort, Op::cumsum, Op::cumprod}), type, {made}, to, joined), axes);
  return collapse(made, axes);
}

int Generator::renamed(DType type, const Axes& axes, int depth) {
  std::vector<int> fit;
  for (int a : axes)
    if (facts(a).block >= 0) fit.push_back(a);
  if (fit.empty()) return leaf(type, axes);
  const int a = random_.of(fit);
  Axes over = {a};
  for (int other : axes)
    if (other != a && random_.chance(50)) over.push_back(other);
  const int x = full(type, over, depth);
  AxisFacts f = facts(a);
  f.block = -1;
  f.grid = false;
  const ir::Axis from = b_.s.axes[static_cast<std::size_t>(a)];
  const int named = b_.axis(b_.name("R" + std::to_string(b_.s.axes.size())), ir::AxisKind::alias, from.extent,
                            from.kind == ir::AxisKind::alias && from.parent >= 0 ? from.parent : a);
  facts_.push_back(f);
  Axes to = without(b_.axes_of(x), a);
  to.push_back(named);
  const int y = add(Op::rename, type, {x}, to, a | std::int64_t{named} << 32);
  if (random_.chance(40) && !tessera::info(type).is_boolean()) {  // against itself: x(i) with x(j)
    const int pair = each(random_.of({Op::sub, Op::mul, Op::max}), type, {x, y});
    if (lanes(b_.axes_of(pair)) <= most_tile_) return collapse(pair, axes);
  }
  return collapse(y, axes);
}

}  // namespace fuzz
