// Owns what random programs combine from several parts: block scales, windows, and printing.
#include <algorithm>

#include "tests/fuzz/generator.hpp"

namespace fuzz {

using tessera::info;

// A new array read at the positions of blocks themselves; along `divided` at every `by`-th. Axes that run over no
// extent are left out.
int Generator::plain(DType type, const Axes& axes, int divided, int by) {
  std::vector<int> in, extents;
  Axes got;
  std::int64_t elements = 1;
  for (int a : axes) {
    const AxisFacts& f = facts(a);
    const std::int64_t n = f.extent < 0 ? 0 : std::max<std::int64_t>(value_of(f.extent), 1);
    if (f.block < 0 || f.extent < 0 || elements * n > 40000) continue;
    elements *= n;
    const bool divides = a == divided;
    in.push_back(divides ? each(Op::div, DType::i64, {f.block, b_.integer(by)}) : f.block);
    extents.push_back(divides ? derived(f.extent, 0, by) : f.extent);
    got = both(got, {a});
  }
  const int arg = argument(ir::Effect::in, type, extents, any_given(type, false));
  return add(Op::load, type, in, got, arg);
}

// Narrow floats with a scale for each block along an axis, summed up along it, or multiplied with others.
int Generator::scaled(const Axes& axes) {
  Axes fit;
  for (int a : axes)
    if (facts(a).extent >= 0 && facts(a).block >= 0 && random_.chance(60)) fit.push_back(a);
  const int along = another_axis(fit, most_tile_ / std::max<std::int64_t>(lanes(fit), 1));
  if (along < 0 || facts(along).block < 0 || !has(bases_, facts(along).extent)) return leaf(DType::f32, axes);
  const Axes over = both(fit, {along});
  const DType narrow = random_.of({DType::e4m3, DType::e5m2, DType::e2m3, DType::e3m2, DType::e2m1, DType::i8});
  const DType scale = random_.of({DType::e8m0, DType::e8m0, DType::e4m3, DType::f16});
  const auto widened = [&](int x) { return each(Op::cast, DType::f32, {x}); };
  const int x = widened(plain(narrow, over));
  const int s = widened(plain(scale, over, along, static_cast<int>(random_.of({2, 3, 4, 8, 16, 32}))));
  const int value = each(Op::mul, DType::f32, {x, s});
  const Axes all = b_.axes_of(value);
  if (!has(all, along)) return collapse(value, axes);
  if (random_.chance(35)) return collapse(add(Op::sum, DType::f32, {value}, without(all, along)), axes);
  const int y = plain(DType::f32, {along});
  return has(b_.axes_of(y), along) ? collapse(add(Op::dot, DType::f32, {value, y}, without(all, along)), axes)
                                   : collapse(value, axes);
}

// The sum of products over a window that moves, by a stride, along an axis.
int Generator::window(DType type, const Axes& axes) {
  std::vector<int> moves;
  for (int a : axes)
    if (facts(a).block >= 0) moves.push_back(a);
  if (moves.empty()) return leaf(type, axes);
  const int along = random_.of(moves), inner = another_axis(axes, 12);
  if (inner < 0 || facts(inner).block < 0) return leaf(type, axes);
  int stride = b_.integer(random_.between(1, 3));
  if (random_.chance(30)) {
    stride = each(Op::cast, DType::i64, {scalar(DType::i32)});
    sample_.given.back().scalar = static_cast<std::uint64_t>(random_.between(1, 3));
  }
  int place = each(Op::mul, DType::i64, {facts(along).block, stride});
  place = each(Op::add, DType::i64, {place, facts(inner).block});
  place = each(Op::sub, DType::i64, {place, b_.integer(random_.below(3))});
  DType of = summand(type);
  if (info(of).is_boolean()) of = type;
  std::vector<int> in = {place}, extents = {facts(along).extent >= 0 ? facts(along).extent : any_extent()};
  Axes over = {along, inner};
  for (int a : axes)  // channels
    if (a != along && over.size() < 4 && facts(a).block >= 0 && facts(a).extent >= 0 && random_.chance(30) &&
        value_of(extents[0]) * std::max<std::int64_t>(value_of(facts(a).extent), 1) <= 40000 && in.size() < 2) {
      in.push_back(facts(a).block);
      extents.push_back(facts(a).extent);
      over.push_back(a);
    }
  if (lanes(over) > most_tile_) return leaf(type, axes);
  const int arg = argument(ir::Effect::in, of, extents, any_given(of, false));
  in.push_back(b_.bits(of, 0));
  const int x = add(Op::load, of, in, over, arg, ir::flag_padded);
  Axes weights = {inner};
  for (int a : axes)
    if (!has(over, a) && lanes(both(over, {a})) <= most_tile_ && random_.chance(50)) weights.push_back(a);
  const int w = spread(plain(of, weights), {inner});
  const Axes all = both(b_.axes_of(x), b_.axes_of(w));
  return collapse(add(Op::dot, type, {w, x}, without(all, inner)), axes);
}

// Whole numbers that no order of computing changes: positions, or elements as they lie in memory.
void Generator::print_numbers() {
  const Axes axes = some_axes(random_.chance(60) ? 1 : 0, 16);
  const int x = random_.chance(50) ? position(DType::i64, axes) : plain(integer_type(), axes);
  control(Op::print, {x}, b_.name(random_.chance(50) ? "now {} is printed" : "printed:"));
  work_ += trips_ * lanes(axes) * 4;
  ++effects_;
}

}  // namespace fuzz
