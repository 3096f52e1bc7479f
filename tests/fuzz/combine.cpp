// Owns reductions, dots, scans and orders of random programs.
#include <algorithm>

#include "tessera/types/convert.hpp"
#include "tests/fuzz/generator.hpp"

namespace fuzz {

using tessera::info;

// A type that `type` may accumulate.
DType Generator::summand(DType type) {
  if (random_.chance(65)) return type;
  std::vector<DType> fit;
  for (int i = 0; i < tessera::dtype_count; ++i) {
    const DType t = static_cast<DType>(i);
    if (info(t).is_boolean() ? info(type).is_integer()
                             : info(t).is_floating() == info(type).is_floating() && info(t).bits <= info(type).bits)
      fit.push_back(t);
  }
  return random_.of(fit);
}

int Generator::reduction(DType type, const Axes& axes, int depth) {
  Axes kept;
  for (int a : axes)
    if (random_.chance(65)) kept.push_back(a);
  Axes all = kept;
  const int count = random_.chance(20) ? 2 : 1;
  for (int i = 0; i < count; ++i) {
    const int a = another_axis(all, most_tile_ / std::max<std::int64_t>(lanes(all), 1));
    if (a >= 0) all.push_back(a);
  }
  if (all.size() == kept.size()) return leaf(type, axes);
  if (type == DType::b8) return add(random_.of({Op::any, Op::all}), type, {full(type, all, depth)}, kept);
  if (type == DType::i64 && random_.chance(40)) {
    const DType of = number_type();
    const int x = full(of, all, depth);
    const Axes one = without(b_.axes_of(x), all.back());
    return collapse(add(random_.of({Op::argmax, Op::argmin}), type, {x}, one), axes);
  }
  if (random_.chance(35)) {
    const int x = full(type, all, depth);
    return add(random_.of({Op::reduce_max, Op::reduce_min}), type, {x}, kept);
  }
  const DType of = summand(type);
  if (random_.chance(25) && of == type) {  // a sum of products, which may become a dot
    const int x = each(Op::mul, type, {full(type, all, depth), load(type, all)});
    return add(Op::sum, type, {spread(x, all)}, kept);
  }
  return add(random_.chance(85) || of == DType::b8 ? Op::sum : Op::prod, type, {full(of, all, depth)}, kept);
}

int Generator::dot(DType type, const Axes& axes, int depth) {
  DType of = summand(type);
  if (info(of).is_boolean()) of = type;
  Axes a, b, kept;
  for (int axis : axes) {
    const int side = static_cast<int>(random_.weighted({38, 38, 14, 10}));
    if (side == 3) continue;
    if (side != 1) a.push_back(axis);
    if (side != 0) b.push_back(axis);
    kept.push_back(axis);
  }
  const int count = random_.chance(12) ? 2 : 1;
  bool contracts = false;
  for (int i = 0; i < count; ++i) {
    const int c = another_axis(both(a, b), most_tile_ / std::max<std::int64_t>(lanes(both(a, b)), 1));
    if (c < 0) continue;
    a.push_back(c);
    b.push_back(c);
    contracts = true;
  }
  if (!contracts) return leaf(type, axes);
  const int x = full(of, a, depth), y = full(of, b, depth);
  return add(Op::dot, type, {x, y}, kept);
}

int Generator::scan(DType type, const Axes& axes, int depth) {
  if (axes.empty()) return leaf(type, axes);
  const int along = random_.of(axes);
  Axes over = {along};
  for (int a : axes)
    if (a != along && random_.chance(60)) over.push_back(a);
  const DType of = summand(type);
  const int x = full(of, over, depth);
  return add(random_.chance(75) || of == DType::b8 ? Op::cumsum : Op::cumprod, type, {x}, b_.axes_of(x), along);
}

int Generator::sorted(DType type, const Axes& axes, int depth) {
  if (axes.empty()) return leaf(type, axes);
  const int along = random_.of(axes);
  Axes over = {along};
  for (int a : axes)
    if (a != along && random_.chance(60)) over.push_back(a);
  if (lanes(over) > (random_.chance(10) ? 2048 : 512)) return leaf(type, axes);
  const int x = full(type, over, depth);
  return add(Op::sort, type, {x}, b_.axes_of(x), along | random_.below(2) << 32);
}

int Generator::top_k(DType type, const Axes& axes, int depth) {
  std::vector<int> places;
  for (int a : axes)
    if (facts(a).block >= 0 && facts(a).from_zero) places.push_back(a);
  if (places.empty()) return leaf(type, axes);
  const int place = random_.of(places);
  Axes over;
  for (int a : axes)
    if (a != place && random_.chance(50)) over.push_back(a);
  const int from = another_axis(both(over, {place}), 512 / std::max<std::int64_t>(lanes(over), 1));
  if (from < 0) return leaf(type, axes);
  over.push_back(from);
  const bool positions = type == DType::i64 && random_.chance(60);
  const int x = full(positions ? number_type() : type, over, depth);
  Axes to = without(b_.axes_of(x), from);
  if (has(to, place)) return collapse(x, axes);
  to.push_back(place);
  const int values = add(Op::topk, b_.type(x), {x}, to, from);
  return positions ? add(Op::part, DType::i64, {values}, to, 1) : values;
}

// Reductions and scans by a function: sums, extremes, Welford's moments, an arg-maximum, a composition of lines.
int Generator::custom(DType type, const Axes& axes, int depth) {
  const auto& t = info(type);
  const bool scans = !axes.empty() && random_.chance(40);
  Axes over;
  for (int a : axes)
    if (random_.chance(60)) over.push_back(a);
  int along = -1;
  if (scans) {
    along = random_.of(axes);
    over = both(over, {along});
  } else {
    along = another_axis(over, 512 / std::max<std::int64_t>(lanes(over), 1));
    if (along < 0) return leaf(type, axes);
    over.push_back(along);
  }
  if (lanes(over) > 512) return leaf(type, axes);
  enum Kind { extreme, add_up, bits, moments, arg, lines };
  const Kind kind = t.is_boolean()    ? bits
                    : !t.has_zero     ? extreme
                    : t.is_floating() ? random_.of({extreme, add_up, moments, arg, lines})
                                      : random_.of({extreme, add_up, bits, arg, lines});
  // Some are associative, and have identities, over finite numbers only.
  tame_ = t.is_floating() && (kind == moments || kind == lines);
  const int x = full(type, over, tame_ ? 0 : depth);
  const Axes all = b_.axes_of(x), inner = without(all, along);
  const Op op = scans ? Op::scan_by : Op::reduce;
  std::vector<int> tiles, identities;
  const auto zero = [&] { return b_.bits(type, 0); };
  switch (kind) {
    case moments:  // count, mean, sum of squared distances
      tiles = {b_.number(type, 1), x, zero()};
      identities = {zero(), zero(), zero()};
      break;
    case arg:
      tiles = {x, each(Op::cast, DType::i32, {facts(along).block >= 0 ? facts(along).block : b_.integer(0)})};
      identities = {b_.bits(type, tessera::max_identity_bits(type)), b_.bits(DType::i32, 0x7fffffff)};
      break;
    case lines:
      tiles = {x, full(type, over, 0)};
      identities = {b_.number(type, 1), zero()};
      break;
    case extreme:
      tiles = {x};
      identities = {b_.bits(type, tessera::max_identity_bits(type))};
      break;
    default:
      tiles = {x};
      identities = {zero()};
  }
  tame_ = false;
  std::vector<int> in = tiles;
  in.insert(in.end(), identities.begin(), identities.end());
  Axes whole = scans ? all : inner;
  for (int tile : tiles)
    for (int a : b_.axes_of(tile))
      if (scans || a != along) whole = both(whole, {a});
  const Axes param_axes = without(whole, along);
  const int opener = add(op, type, in, whole, along);
  const Scope scope = open();
  std::vector<int> p;
  for (std::size_t i = 0; i < in.size(); ++i)
    p.push_back(b_.add(Op::param, b_.type(in[i]), {}, param_axes, static_cast<std::int64_t>(i)));
  std::vector<int> out;
  const auto op2 = [&](Op o, int a, int b) { return b_.each(o, b_.type(a), {a, b}); };
  switch (kind) {
    case extreme:
      out = {op2(Op::max, p[0], p[1])};
      break;
    case bits:
      out = {op2(Op::bit_xor, p[0], p[1])};
      break;
    case moments: {
      const int n = op2(Op::add, p[0], p[3]), d = op2(Op::sub, p[4], p[1]);
      const int safe = op2(Op::max, n, b_.number(type, 1));
      const int part = op2(Op::div, p[3], safe);
      const int mean = op2(Op::add, p[1], op2(Op::mul, d, part));
      const int weight = op2(Op::mul, op2(Op::mul, d, d), op2(Op::mul, p[0], part));
      out = {n, mean, op2(Op::add, op2(Op::add, p[2], p[5]), weight)};
      break;
    }
    case arg: {
      // NaN stands above all numbers: without that order it would not be associative.
      int later = b_.each(Op::gt, DType::b8, {p[2], p[0]}), same = b_.each(Op::eq, DType::b8, {p[2], p[0]});
      if (t.is_floating()) {
        const int left = b_.each(Op::ne, DType::b8, {p[0], p[0]}), right = b_.each(Op::ne, DType::b8, {p[2], p[2]});
        const int rises = b_.each(Op::bit_and, DType::b8, {right, b_.each(Op::logical_not, DType::b8, {left})});
        later = b_.each(Op::bit_or, DType::b8, {later, rises});
        same = b_.each(Op::bit_or, DType::b8, {same, b_.each(Op::bit_and, DType::b8, {left, right})});
      }
      const int lower = b_.each(Op::lt, DType::b8, {p[3], p[1]});
      const int take = b_.each(Op::bit_or, DType::b8, {later, b_.each(Op::bit_and, DType::b8, {same, lower})});
      out = {b_.each(Op::where, type, {take, p[2], p[0]}), b_.each(Op::where, DType::i32, {take, p[3], p[1]})};
      break;
    }
    case lines:  // first a·x + b, then c·x + d
      out = {op2(Op::mul, p[0], p[2]), op2(Op::add, op2(Op::mul, p[1], p[2]), p[3])};
      break;
    default:
      out = {op2(Op::add, p[0], p[1])};
  }
  b_.add(Op::region_end, DType::i64, out);
  close(scope);
  work_ += 8 * trips_ * lanes(all);
  int result = opener;
  if (tiles.size() > 1 || random_.chance(50)) {
    std::vector<std::int64_t> fit;
    for (std::size_t i = 0; i < tiles.size(); ++i)
      if (b_.type(tiles[i]) == type) fit.push_back(static_cast<std::int64_t>(i));
    result = b_.add(Op::part, type, {opener}, whole, random_.of(fit));
  }
  return collapse(result, axes);
}

}  // namespace fuzz
