// Owns the recipes of arrays and variables: loads, stores, additions into memory, atomics, Vars.
#include "tessera/ir/fields.hpp"
#include "tests/conformance/recipe.hpp"

namespace conformance {

using namespace tessera;

namespace {

Recipe over(Op op, std::string how, Types types, std::function<void(Kernel, DType)> body, Shape shape = Shape::line) {
  return {op, std::move(how), types, shape, std::move(body)};
}

Recipe by_lanes(Recipe r, double cycles) {
  r.bound = Bound::lanes;
  r.work = [cycles](DType) { return cycles; };
  return r;
}

// Each element of r meets one of x: lanes are atomic by themselves, and the result does not hang on their order.
Recipe atomic(ir::AtomicKind kind, Types types) {
  Recipe r = over(Op::atomic, std::string(ir::atomic_names[static_cast<int>(kind)]), types, [kind](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), y = in(k, t, "y", {"N"});
    const Array c = inout(k, t, "z", {"N"}), old = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    const auto value = [&]() -> Tile {
      switch (kind) {
        case ir::AtomicKind::min:
          return atomic_min(c(n), x(n));
        case ir::AtomicKind::max:
          return atomic_max(c(n), x(n));
        case ir::AtomicKind::exchange:
          return atomic_exchange(c(n), x(n));
        case ir::AtomicKind::compare_exchange:
          return atomic_compare_exchange(c(n), y(n), x(n));
        case ir::AtomicKind::bit_and:
          return atomic_and(c(n), x(n));
        case ir::AtomicKind::bit_or:
          return atomic_or(c(n), x(n));
        case ir::AtomicKind::bit_xor:
          return atomic_xor(c(n), x(n));
        case ir::AtomicKind::add:
          return atomic_add(c(n), x(n));
      }
      return x(n);
    };
    old(n) = value();
  });
  return by_lanes(std::move(r), 20);
}

void add_loads(std::vector<Recipe>& all) {
  all.push_back(over(Op::load, "in order", any_type, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), r = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    r(n) = x(n);
  }));
  all.push_back(over(Op::load, "every second", any_type, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), r = out(k, t, {"N/2"});
    const Block n = k.block("N/2", BN);
    r(n) = x(n * 2);
  }));
  all.push_back(over(
      Op::load, "across rows", any_type,
      [](Kernel k, DType t) {
        const Array x = in(k, t, "x", {"M", "N"}), r = out(k, t, {"N", "M"});
        const Block m = k.block("M", BM), n = k.block("N", BN);
        r(n, m) = x(m, n);
      },
      Shape::rows));
  all.push_back(by_lanes(over(Op::load, "by an index", any_type,
                              [](Kernel k, DType t) {
                                const Array x = in(k, t, "x", {"N"}), i = in(k, DType::i32, "g", {"N"});
                                const Array r = out(k, t, {"N"});
                                const Block n = k.block("N", BN);
                                r(n) = x(i(n));
                              }),
                         1));
  all.push_back(over(Op::load, "padded", any_type, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), r = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    r(n) = x.pad(unit(t))(n - 1);
  }));
  all.push_back(over(Op::load, "masked", any_type, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), c = in(k, DType::b8, "c", {"N"}), r = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    r(n) = x(n).where(c(n), unit(t));
  }));
}

void add_stores(std::vector<Recipe>& all) {
  all.push_back(over(Op::store, "in order", any_type, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), y = in(k, t, "y", {"N"}), r = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    r(n) = node(k, Op::max, t, {x(n), y(n)});
  }));
  all.push_back(over(Op::store, "masked", any_type, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), c = in(k, DType::b8, "c", {"N"});
    const Array r = inout(k, t, "z", {"N"});
    const Block n = k.block("N", BN);
    r(n).where(c(n)) = x(n);
  }));
  all.push_back(by_lanes(over(Op::store, "by an index", any_type,
                              [](Kernel k, DType t) {
                                const Array x = in(k, t, "x", {"N"}), i = in(k, DType::i32, "i", {"N"});
                                const Array r = out(k, t, {"N"});
                                const Block n = k.block("N", BN);
                                r(i(n)) = x(n);
                              }),
                         1));
  all.push_back(over(Op::accumulate, "in order", numbers, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), r = inout(k, t, "z", {"N"});
    const Block n = k.block("N", BN);
    r(n) += x(n);
  }));
  all.push_back(by_lanes(over(Op::accumulate, "at 256 places", numbers,
                              [](Kernel k, DType t) {
                                const Array h = in(k, DType::u8, "h", {"N"}), x = in(k, t, "x", {"N"});
                                const Array r = out(k, t, {"B"});
                                const Block n = k.block("N", BN);
                                r(cast<i32>(h(n))) += x(n);
                              }),
                         2));
  all.back().x = Data::rare;
}

void add_variables(std::vector<Recipe>& all) {
  // A Var that a loop changes by a value of its own: the larger of itself and a row.
  const auto body = [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"M", "N"}), r = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    Var v = x(0, n);
    for (const Tile& m : k.range(1, k.extent("M"))) v = node(k, Op::max, t, {v, x(m, n)});
    r(n) = v;
  };
  for (Op op : {Op::var, Op::get, Op::set}) all.push_back(over(op, "changed in a loop", any_type, body, Shape::rows));
  all.push_back(over(
      Op::put, "column after column", any_type,
      [](Kernel k, DType t) {
        const Array x = in(k, t, "x", {"N", "M"}), r = out(k, t, {"M", "N"});
        const Block m = k.block("M", BM), n = k.all("N");
        const Operand axes[] = {m, n};
        Var v = k.full(t, unit(t), axes, 2);
        for (const Tile& j : k.range(0, k.extent("N"))) at<"N">(v, j) = x(j, m);
        r(m, n) = v;
      },
      Shape::shorts));
}

}  // namespace

std::vector<Recipe> memory_recipes() {
  std::vector<Recipe> all;
  add_loads(all);
  add_stores(all);
  using ir::AtomicKind;
  for (AtomicKind kind : {AtomicKind::add, AtomicKind::min, AtomicKind::max}) all.push_back(atomic(kind, numbers));
  for (AtomicKind kind : {AtomicKind::exchange, AtomicKind::compare_exchange}) all.push_back(atomic(kind, any_type));
  for (AtomicKind kind : {AtomicKind::bit_and, AtomicKind::bit_or, AtomicKind::bit_xor})
    all.push_back(atomic(kind, not_floats));
  add_variables(all);
  return all;
}

}  // namespace conformance
