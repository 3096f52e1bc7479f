// Owns the recipes of what goes along axes: reductions, dot, scans, sort, topk, combining functions.
#include <limits>

#include "tests/conformance/recipe.hpp"

namespace conformance {

using namespace tessera;

namespace {

using Along = Tile (*)(Operand);

// A program for each row of an array, or a block of columns, reduced to one element each.
Recipe reduction(Op op, Types types, bool columns, Along along, DType (*gives)(DType), Data data = Data::ordinary) {
  Recipe r{op, columns ? "down columns" : "along rows", types, Shape::rows, {}};
  r.body = [=](Kernel k, DType t) {
    const Array x = in(k, t, "x", columns ? Names{"N", "M"} : Names{"M", "N"});
    const Array y = out(k, gives(t), {"M"});
    const Block m = k.block("M", BM), n = k.all("N");
    y(m) = along(columns ? Operand(x(n, m)) : Operand(x(m, n)));
  };
  r.x = data;
  return r;
}

Recipe scan(Op op, Types types, bool columns, Along along, DType (*gives)(DType), Data data = Data::ordinary,
            std::string how = "along rows", Shape shape = Shape::rows) {
  Recipe r{op, columns ? "down columns" : std::move(how), types, shape, {}};
  r.body = [=](Kernel k, DType t) {
    const Names dims = columns ? Names{"N", "M"} : Names{"M", "N"};
    const Array x = in(k, t, "x", dims), y = out(k, gives(t), dims);
    const Block m = k.block("M", BM), n = k.all("N");
    if (columns)
      y(n, m) = along(x(n, m));
    else
      y(m, n) = along(x(m, n));
  };
  r.x = data;
  return r;
}

DType same(DType t) { return t; }
DType position(DType) { return DType::i64; }

/// The lowest value of a type, as a literal.
Operand lowest(DType t) {
  const DTypeInfo& i = info(t);
  if (i.is_boolean()) return Operand(false);
  if (i.is_unsigned_integer()) return Operand(0);
  if (i.is_signed_integer()) return Operand(std::numeric_limits<std::int64_t>::min() >> (64 - i.bits));
  if (!i.has_sign) return Operand(to_double(t, 0));  // e8m0: the smallest
  if (i.has_inf) return Operand(-inf);
  return Operand(-to_double(t, bits_from_double(t, inf, Rounding::nearest_even, Saturation::saturate)));
}
Tile larger(Kernel k, DType t, const Tile& a, const Tile& b) { return node(k, Op::max, t, {a, b}); }

// The kernel of a combining function's operation: of one tile, the larger; of two, the larger of each.
Recipe combining(Op op, bool scans, std::string how, bool columns) {
  Recipe r{op, std::move(how), any_type, Shape::rows, {}};
  r.body = [=](Kernel k, DType t) {
    const Names dims = columns ? Names{"N", "M"} : Names{"M", "N"};
    const Array x = in(k, t, "x", dims);
    const Array y = scans ? out(k, t, dims) : out(k, t, {"M"});
    const Block m = k.block("M", BM), n = k.all("N");
    const auto max_of = [&](Tile a, Tile b) { return larger(k, t, a, b); };
    const Tile v = columns ? Tile(x(n, m)) : Tile(x(m, n));
    if (!scans)
      y(m) = reduce<"N">(v, lowest(t), max_of);
    else if (columns)
      y(n, m) = associative_scan<"N">(v, lowest(t), max_of);
    else
      y(m, n) = associative_scan<"N">(v, lowest(t), max_of);
  };
  return r;
}

// The largest and the smallest at once.
Recipe two_results(Op op) {
  Recipe r{op, op == Op::part ? "of reduce" : "of two tiles", any_type, Shape::rows, {}};
  r.body = [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"M", "N"}), y = in(k, t, "y", {"M", "N"});
    const Array a = out(k, t, {"M"}, "a"), b = out(k, t, {"M"}, "b");
    const Block m = k.block("M", BM), n = k.all("N");
    auto both = reduce<"N">({x(m, n), y(m, n)}, {lowest(t), lowest(t)}, [&](auto l, auto r) {
      return std::array{larger(k, t, l[0], r[0]), larger(k, t, l[1], r[1])};
    });
    a(m) = both[0];
    b(m) = both[1];
  };
  return r;
}

Recipe product(std::string how, bool transposed, bool vector) {
  Recipe r{Op::dot, std::move(how), numbers, Shape::product, {}};
  r.body = [=](Kernel k, DType t) {
    const Array a = in(k, t, "x", {"M", "K"});
    const Array b = vector ? in(k, t, "y", {"K"}) : in(k, t, "y", transposed ? Names{"N", "K"} : Names{"K", "N"});
    const Array c = vector ? out(k, accumulator(t), {"M"}) : out(k, accumulator(t), {"M", "N"});
    const Block m = k.block("M", BM);
    const Block i = k.all("K");
    if (vector) {
      c(m) = dot(a(m, i), b(i));
      return;
    }
    const Block n = k.block("N", BN);
    c(m, n) = dot(a(m, i), transposed ? Operand(b(n, i)) : Operand(b(i, n)));
  };
  r.bound = vector ? Bound::copy : Bound::products;
  return r;
}

Recipe topk_recipe(Op op, std::string how, Shape shape) {
  Recipe r{op, std::move(how), numbers, shape, {}};
  r.body = [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"M", "N"}), v = out(k, t, {"M", "T"}, "v");
    const Array p = out(k, DType::i64, {"M", "T"}, "p");
    const Block m = k.block("M", BM), n = k.all("N"), c = k.all("T");
    auto [values, places] = topk<"N", "T">(x(m, n), c);
    v(m, c) = values;
    p(m, c) = places;
  };
  return r;
}

}  // namespace

std::vector<Recipe> axis_recipes() {
  std::vector<Recipe> all;
  for (bool columns : {false, true}) {
    all.push_back(reduction(Op::sum, any_type, columns, [](Operand x) { return sum<"N">(x); }, accumulator));
    all.push_back(
        reduction(Op::prod, numbers, columns, [](Operand x) { return prod<"N">(x); }, accumulator, Data::ones));
    all.push_back(reduction(Op::reduce_max, numbers, columns, [](Operand x) { return max<"N">(x); }, same));
    all.push_back(reduction(Op::reduce_min, numbers, columns, [](Operand x) { return min<"N">(x); }, same));
    all.push_back(reduction(Op::argmax, numbers, columns, [](Operand x) { return argmax<"N">(x); }, position));
    all.push_back(reduction(Op::argmin, numbers, columns, [](Operand x) { return argmin<"N">(x); }, position));
    all.push_back(reduction(Op::any, one(DType::b8), columns, [](Operand x) { return any<"N">(x); }, same));
    all.push_back(reduction(Op::all, one(DType::b8), columns, [](Operand x) { return tessera::all<"N">(x); }, same));
    all.push_back(scan(Op::cumsum, any_type, columns, [](Operand x) { return cumsum<"N">(x); }, accumulator));
    all.push_back(
        scan(Op::cumprod, numbers, columns, [](Operand x) { return cumprod<"N">(x); }, accumulator, Data::ones));
    all.push_back(combining(Op::reduce, false, columns ? "down columns" : "along rows", columns));
    all.push_back(combining(Op::scan_by, true, columns ? "down columns" : "along rows", columns));
  }
  all.push_back(product("matrices", false, false));
  all.push_back(product("second transposed", true, false));
  all.push_back(product("matrix and vector", false, true));
  all.push_back(two_results(Op::reduce));
  all.push_back(two_results(Op::part));
  all.push_back(two_results(Op::param));
  all.push_back(two_results(Op::region_end));
  const auto sorted = [](Operand x) { return sort<"N">(x); };
  const auto falling = [](Operand x) { return sort<"N">(x, Order::descending); };
  all.push_back(scan(Op::sort, numbers, false, sorted, same));
  all.push_back(scan(Op::sort, numbers, false, falling, same, Data::ordinary, "short rows, falling", Shape::shorts));
  all.push_back(scan(Op::sort, numbers, true, sorted, same));
  for (Recipe& r : all)
    if (r.op == Op::sort) r.bound = Bound::passes;
  all.push_back(topk_recipe(Op::topk, "of rows", Shape::rows));
  all.push_back(topk_recipe(Op::topk, "of short rows", Shape::shorts));
  all.push_back(topk_recipe(Op::part, "of topk", Shape::rows));
  return all;
}

}  // namespace conformance
