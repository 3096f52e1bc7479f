// Owns arrays, indices and reads of random programs.
#include <algorithm>

#include "tests/fuzz/data.hpp"
#include "tests/fuzz/generator.hpp"

namespace fuzz {

int Generator::argument(ir::Effect effect, DType type, const std::vector<int>& extents, const Given& given) {
  ir::Arg a;
  a.name = b_.name("x" + std::to_string(b_.s.args.size()));
  a.type = type;
  a.effect = effect;
  a.rank = static_cast<std::uint8_t>(extents.size());
  a.first_extent = static_cast<int>(b_.s.arg_extents.size());
  b_.s.arg_extents.insert(b_.s.arg_extents.end(), extents.begin(), extents.end());
  b_.s.args.push_back(a);
  sample_.given.push_back(given);
  return static_cast<int>(b_.s.args.size()) - 1;
}

Given Generator::any_given(DType type, bool written) {
  Given g;
  const auto& t = tessera::info(type);
  const std::vector<int> weights = t.is_floating()         ? std::vector<int>{52, 14, 16, 5, 13}
                                   : t.is_signed_integer() ? std::vector<int>{52, 20, 22, 3, 3}
                                                           : std::vector<int>{40, 18, 18, 12, 12};
  g.content = tame_ ? random_.of({Content::ordinary, Content::positive, Content::whole})
                    : static_cast<Content>(random_.weighted(weights));
  g.layout = static_cast<Layout>(
      random_.weighted(written ? std::vector<int>{60, 14, 12, 8, 0, 0, 6} : std::vector<int>{50, 14, 14, 7, 4, 4, 7}));
  g.at_start = random_.chance(25);
  g.seed = random_.next();
  return g;
}

int Generator::scalar(DType type) {
  Given g = any_given(type, false);
  g.scalar = value_bits(random_, type, g.content == Content::any ? Content::ordinary : g.content, 0);
  const int arg = argument(ir::Effect::scalar, type, {}, g);
  return b_.add(Op::scalar, type, {}, {}, arg, ir::flag_uniform);
}

int Generator::literal(DType type) {
  const auto& t = tessera::info(type);
  const Content content = random_.chance(12) && !t.is_signed_integer() ? Content::special
                          : random_.chance(50)                         ? Content::whole
                                                                       : Content::ordinary;
  return b_.bits(type, value_bits(random_, type, content, 0));
}

// An index that is read from memory: positions of another axis's array, or bins.
Generator::Index Generator::gathered(int axis) {
  Index i;
  i.extent = extent_of_at_least(1);
  if (i.extent < 0) return i;
  Given given = any_given(DType::i32, false);
  given.content = random_.chance(15) ? Content::outside : Content::index;
  given.limit = value_of(i.extent);
  i.outside = given.content == Content::outside;
  const Index at = index_along(axis, true);
  if (at.node < 0) return {};
  const bool narrow = given.limit <= 120;
  const DType type = narrow && random_.chance(20) ? DType::i8 : random_.chance(60) ? DType::i32 : DType::i64;
  const int arg = argument(ir::Effect::in, type, {at.extent}, given);
  const Axes axes = b_.axes_of(at.node);
  i.node = add(Op::load, type, {at.node}, axes, arg);
  return i;
}

Generator::Index Generator::index_along(int axis, bool store) {
  const AxisFacts& f = facts(axis);
  Index i;
  if (f.block < 0) return i;
  if (f.extent < 0) {  // lanes index what is long enough
    i.extent = extent_of_at_least(f.lanes);
    if (i.extent < 0 && store) return i;
    if (i.extent < 0) i.extent = any_extent(), i.outside = true;
    i.node = f.block;
    return i;
  }
  i.node = f.block;
  i.extent = f.extent;
  const bool base = has(bases_, f.extent);
  switch (random_.weighted({72, base ? 7 : 0, 8, store || !base ? 0 : 5, store ? 0 : 5, store ? 0 : 3})) {
    case 1: {
      const auto more = static_cast<int>(random_.between(1, 3));
      i.extent = derived(f.extent, more);
      i.node = each(Op::add, DType::i64, {f.block, b_.integer(random_.between(0, more))});
      break;
    }
    case 2: {
      const int n = b_.add(Op::extent, DType::i64, {}, {}, f.extent, ir::flag_uniform);
      const int last = b_.each(Op::sub, DType::i64, {n, b_.integer(1)});
      i.node = each(Op::sub, DType::i64, {last, f.block});
      break;
    }
    case 3: {
      const auto by = static_cast<int>(random_.between(2, 5));
      i.extent = derived(f.extent, 0, by);
      i.node = each(Op::div, DType::i64, {f.block, b_.integer(by)});
      break;
    }
    case 4:
      i.node = each(Op::add, DType::i64, {f.block, b_.integer(random_.of({-3, -2, -1, 1, 2}))});
      i.outside = true;
      break;
    case 5: {
      i.extent = extent_of_at_least(1);
      if (i.extent < 0) return {};
      const int n = b_.add(Op::extent, DType::i64, {}, {}, i.extent, ir::flag_uniform);
      const int scaled = each(Op::mul, DType::i64, {f.block, b_.integer(random_.between(1, 3))});
      i.node = each(Op::mod, DType::i64, {scaled, n});
      break;
    }
    default:
      break;
  }
  return i;
}

Generator::Index Generator::index_anywhere() {
  if (!numbers_.empty() && random_.chance(70)) {
    const auto [node, bound] = random_.of(numbers_);
    const int e = extent_of_at_least(bound);
    if (e >= 0) return {node, e, false};
  }
  const int e = extent_of_at_least(1);
  if (e < 0) return {};
  return {b_.integer(random_.below(value_of(e))), e, false};
}

int Generator::load(DType type, Axes axes) {
  axes.erase(std::remove_if(axes.begin(), axes.end(), [&](int a) { return facts(a).block < 0; }), axes.end());
  for (std::size_t i = axes.size(); i > 1; --i)
    std::swap(axes[i - 1], axes[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(i)))]);
  std::vector<int> in, extents;
  Axes got;
  bool outside = false;
  std::int64_t elements = 1;
  const auto take = [&](const Index& i) {
    if (i.node < 0) return;
    const std::int64_t n = std::max<std::int64_t>(value_of(i.extent), 1);
    if (elements * n > 40000 || in.size() >= 5) return;
    elements *= n;
    in.push_back(i.node);
    extents.push_back(i.extent);
    got = both(got, b_.axes_of(i.node));
    outside |= i.outside;
  };
  if (random_.chance(10)) take(index_anywhere());
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const int a = axes[k];
    if (k + 1 < axes.size() && facts(a).extent >= 0 && random_.chance(5)) {  // a window: two axes in one index
      Index i{each(Op::add, DType::i64, {facts(a).block, facts(axes[k + 1]).block}), facts(a).extent, true};
      take(i);
      ++k;
    } else {
      take(random_.chance(7) ? gathered(a) : index_along(a, false));
    }
  }
  if (random_.chance(4)) take(index_anywhere());
  int arg = -1;
  if (random_.chance(35))
    for (std::size_t i = 0; i < b_.s.args.size(); ++i) {
      const ir::Arg& a = b_.s.args[i];
      if (a.effect == ir::Effect::in && a.type == type &&
          sample_.given[i].content < (tame_ ? Content::any : Content::index) &&
          std::equal(extents.begin(), extents.end(), b_.s.arg_extents.begin() + a.first_extent,
                     b_.s.arg_extents.begin() + a.first_extent + a.rank))
        arg = static_cast<int>(i);
    }
  if (arg < 0) arg = argument(ir::Effect::in, type, extents, any_given(type, false));
  int flags = 0;
  if (outside ? random_.chance(92) : random_.chance(4)) {
    flags |= ir::flag_padded;
    in.push_back(literal(type));
  }
  if (random_.chance(6) && !tired()) {
    flags |= ir::flag_masked;
    const int mask = condition(got, 0), other = random_.chance(70) ? literal(type) : leaf(type, got);
    in.push_back(mask);
    in.push_back(other);
    got = both(both(got, b_.axes_of(mask)), b_.axes_of(other));
  }
  return keep(add(Op::load, type, in, got, arg, flags));
}

}  // namespace fuzz
