// Owns operations that go along axes by name and compute: reductions, dot, scans, sort, top-k, custom combinations.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "tessera/language/math.hpp"

TESSERA_BEGIN
namespace detail {

constexpr DType keeps_type(DType t) { return t; }
constexpr DType gives_position(DType) { return DType::i64; }

/// Reduces the named axes, or all where none is named.
constexpr Tile reduction(ir::Op op, std::string_view what, Wants wants, DType (*gives)(DType), const Operand& a,
                         Axes over, bool cast_first = false, DType accumulate = DType::f32) {
  Recorder* r = recorder_of(a);
  int x = node_of(r, a, what);
  if (x < 0 || !check_kind(r, r->type(x), wants, what, a.line)) return result(r, -1);
  if (cast_first) x = node_as(r, Operand(r, x, a.line), accumulate, what);
  if (x < 0) return result(r, -1);
  ir::Node n = r->node(x);
  n.op = op;
  n.type = cast_first ? accumulate : gives(n.type);
  n.flags = 0;
  n.imm = 0;
  for (int i = 0; i < over.count; ++i) {
    const int axis = r->find_axis(x, over.names[i], what, a.line);
    if (axis < 0) return result(r, -1);
    Recorder::drop_axis(n, axis);
  }
  if (over.count == 0) {
    if (n.rank == 0) return result(r, n.type == r->type(x) ? x : cast_node(r, x, n.type, a.line));
    n.rank = 0;
    for (auto& axis : n.axes) axis = 0;
  }
  return result(r, r->push(n, a.line, &x, 1));
}

/// An operation along one axis that keeps it.
constexpr Tile along(ir::Op op, std::string_view what, Wants wants, DType (*gives)(DType), const Operand& a,
                     std::string_view axis, std::int64_t imm = 0) {
  Recorder* r = recorder_of(a);
  const int x = node_of(r, a, what);
  if (x < 0 || !check_kind(r, r->type(x), wants, what, a.line)) return result(r, -1);
  const int id = r->find_axis(x, axis, what, a.line);
  if (id < 0) return result(r, -1);
  ir::Node n = r->node(x);
  n.op = op;
  n.type = gives(n.type);
  n.flags = 0;
  n.imm = imm | id;
  return result(r, r->push(n, a.line, &x, 1));
}

/// The number of existing lanes along the named axes (or all), as a value of type `t`.
constexpr Tile lanes(Recorder* r, int x, Axes over, DType t, std::uint32_t line) {
  Operand product(1, Here{});
  const ir::Node n = r->node(x);
  for (int i = 0; i < n.rank; ++i) {
    const int axis = n.axes[i];
    bool named = over.count == 0;
    for (int k = 0; k < over.count; ++k) named = named || over.names[k] == r->axis_name(axis);
    if (!named) continue;
    const int block = r->axes[r->axis_meta[axis].root].node;
    if (!r->is_block(block)) {
      // An axis that an operation made may lack lanes in some places only, such as the last piece of a split: count
      // what the tile has, by what is true of every value.
      const Operand value(r, x, line);
      const Tile there = cast_to((value == value) | (value != value), t, Rounding::standard, Saturation::standard);
      return reduction(ir::Op::sum, "mean", Wants::any, keeps_type, there, over);
    }
    ir::Node count;
    count.op = ir::Op::block_count;
    count.type = DType::i64;
    const int id = r->push(count, line, &block, 1);
    const Tile factor = result(r, cast_node(r, id, t, line));
    product = product.is_node() ? Operand(product * factor, Here{}) : Operand(factor, Here{});
  }
  return result(r, node_as(r, product, t, "mean"));
}

constexpr Tile mean_of(const Operand& a, Axes over, bool chosen = false, DType accumulate = DType::f32) {
  Recorder* r = recorder_of(a);
  const OnLine on(r, a.line);
  const int x = node_of(r, a, "mean");
  if (x < 0 || !check_kind(r, r->type(x), Wants::floating, "mean", a.line)) return result(r, -1);
  const Tile total = reduction(ir::Op::sum, "mean", Wants::floating, chosen ? keeps_type : accumulator,
                               Operand(r, x, a.line), over, chosen, accumulate);
  if (r->bad) return total;
  return total / lanes(r, x, over, r->type(total.id()), a.line);
}

/// The contraction of `a` and `b` over the named axes, or over the one that they share.
constexpr Tile contraction(const Operand& a, const Operand& b, Axes over, bool chosen = false,
                           DType accumulate = DType::f32) {
  Recorder* r = recorder_of(a, b);
  int x = node_of(r, a, "dot"), y = node_of(r, b, "dot");
  if (r->bad) return result(r, -1);
  const std::uint32_t line = a.line;
  const DType s = r->type(x), t = r->type(y);
  const bool narrow_integers = info(s).is_integer() && info(t).is_integer() && info(s).bits <= 16 && info(t).bits <= 16;
  if (!check_kind(r, s, Wants::number, "dot", line) || !check_kind(r, t, Wants::number, "dot", line))
    return result(r, -1);
  DType meet = s;
  if (s != t && narrow_integers && !widens(s, t) && !widens(t, s)) {
    // Signed and unsigned meet in the narrowest type of both: i8 and u8 in i16.
    meet = DType::i8;
    for (DType wider : {DType::i16, DType::i32})
      if (!widens(s, meet) || !widens(t, meet)) meet = wider;
  } else if (s != t) {
    meet = common_type(r, Operand(r, x, line), Operand(r, y, b.line), "dot");
  }
  if (r->bad) return result(r, -1);
  x = cast_node(r, x, meet, line);
  y = cast_node(r, y, meet, line);
  DType type = accumulator(meet);
  if (chosen) {
    if (!widens(r->type(x), accumulate) || !widens(r->type(y), accumulate)) {
      r->fail(line) << "dot: " << dtype_name(r->type(x)) << " and " << dtype_name(r->type(y))
                    << " cannot be accumulated in " << dtype_name(accumulate) << ": it is narrower";
      return result(r, -1);
    }
    type = accumulate;
  }
  ir::Node n;
  n.op = ir::Op::dot;
  n.type = type;
  r->add_axes(n, x, line);
  r->add_axes(n, y, line);
  if (r->bad) return result(r, -1);
  if (over.count == 0) {
    int shared = -1, count = 0;
    for (int i = 0; i < n.rank; ++i)
      if (r->has_axis(r->node(x), n.axes[i]) && r->has_axis(r->node(y), n.axes[i])) {
        shared = n.axes[i];
        ++count;
      }
    if (count != 1) {
      Text& text = r->fail(line) << "dot: the operands share ";
      if (count == 0) {
        text << "no axis; there must be one to contract: the first has";
        for (int i = 0; i < r->node(x).rank; ++i) text << (i != 0 ? ", " : " ") << r->axis_name(r->node(x).axes[i]);
        text << ", the second";
        for (int i = 0; i < r->node(y).rank; ++i) text << (i != 0 ? ", " : " ") << r->axis_name(r->node(y).axes[i]);
      } else {
        text << count << " axes: name those to contract, dot<\"" << r->axis_name(shared) << "\">(a, b)";
      }
      return result(r, -1);
    }
    Recorder::drop_axis(n, shared);
  }
  for (int i = 0; i < over.count; ++i) {
    const int first = r->find_axis(x, over.names[i], "dot, first operand", line);
    if (first >= 0) r->find_axis(y, over.names[i], "dot, second operand", line);
    if (r->bad) return result(r, -1);
    Recorder::drop_axis(n, first);
  }
  const int in[] = {x, y};
  return result(r, r->push(n, line, in, 2));
}

}  // namespace detail

// Reductions by name; without names, over all axes. X(name, operation, what it takes, the type it gives)
// clang-format off
#define TESSERA_REDUCTIONS(X)             \
  X(sum, sum, any, accumulator)           \
  X(prod, prod, number, accumulator)      \
  X(max, reduce_max, number, keeps_type)  \
  X(min, reduce_min, number, keeps_type)  \
  X(any, any, boolean, keeps_type)        \
  X(all, all, boolean, keeps_type)
// clang-format on
#define TESSERA_REDUCTION(id, op, wants, gives)                                                              \
  template <name... N>                                                                                       \
  constexpr Tile id(Operand x) {                                                                             \
    using detail::keeps_type;                                                                                \
    return detail::reduction(ir::Op::op, #id, detail::Wants::wants, gives, x, detail::NameList<N...>::axes); \
  }
TESSERA_REDUCTIONS(TESSERA_REDUCTION)
#undef TESSERA_REDUCTION
#undef TESSERA_REDUCTIONS

/// The sum, accumulated in `T`: sum<f64, "N">(x).
template <ElementType T, name... N>
constexpr Tile sum(Operand x) {
  return detail::reduction(ir::Op::sum, "sum", detail::Wants::number, detail::keeps_type, x,
                           detail::NameList<N...>::axes, true, dtype_of<T>);
}
/// The product, accumulated in `T`.
template <ElementType T, name... N>
constexpr Tile prod(Operand x) {
  return detail::reduction(ir::Op::prod, "prod", detail::Wants::number, detail::keeps_type, x,
                           detail::NameList<N...>::axes, true, dtype_of<T>);
}
/// The sum over the existing lanes by their number.
template <name... N>
constexpr Tile mean(Operand x) {
  return detail::mean_of(x, detail::NameList<N...>::axes);
}
/// The same, accumulated in `T`.
template <ElementType T, name... N>
constexpr Tile mean(Operand x) {
  return detail::mean_of(x, detail::NameList<N...>::axes, true, dtype_of<T>);
}
/// The position of the largest value along the axis, the first of ties; −1 where no lane exists.
template <name N>
constexpr Tile argmax(Operand x) {
  return detail::reduction(ir::Op::argmax, "argmax", detail::Wants::number, detail::gives_position, x,
                           detail::NameList<N>::axes);
}
/// The position of the smallest value along the axis, the first of ties; −1 where no lane exists.
template <name N>
constexpr Tile argmin(Operand x) {
  return detail::reduction(ir::Op::argmin, "argmin", detail::Wants::number, detail::gives_position, x,
                           detail::NameList<N>::axes);
}

/// Contracts the one axis that the operands share, or those named; other shared axes are batch.
template <name... N>
constexpr Tile dot(Operand a, Operand b) {
  return detail::contraction(a, b, detail::NameList<N...>::axes);
}
/// The same, accumulated in `T`.
template <ElementType T, name... N>
constexpr Tile dot(Operand a, Operand b) {
  return detail::contraction(a, b, detail::NameList<N...>::axes, true, dtype_of<T>);
}

/// Inclusive prefix sums along the axis.
template <name N>
constexpr Tile cumsum(Operand x) {
  return detail::along(ir::Op::cumsum, "cumsum", detail::Wants::any, accumulator, x, N.view());
}
/// Inclusive prefix products along the axis.
template <name N>
constexpr Tile cumprod(Operand x) {
  return detail::along(ir::Op::cumprod, "cumprod", detail::Wants::number, accumulator, x, N.view());
}

enum class Order : std::uint8_t { ascending, descending };
/// The lanes along the axis in order; those that do not exist come last.
template <name N>
constexpr Tile sort(Operand x, Order order = Order::ascending) {
  return detail::along(ir::Op::sort, "sort", detail::Wants::number, detail::keeps_type, x, N.view(),
                       order == Order::descending ? std::int64_t{1} << 32 : 0);
}

/// What topk gives.
struct TopK {
  Tile values, positions;
};

namespace detail {

constexpr TopK top_k_of(const Operand& a, std::string_view axis, std::string_view kept, const Operand& block) {
  Recorder* r = recorder_of(a, block);
  const int x = node_of(r, a, "topk"), b = node_of(r, block, "topk");
  const TopK dead{result(r, -1), result(r, -1)};
  if (r->bad || !check_kind(r, r->type(x), Wants::number, "topk", a.line)) return dead;
  if (!r->is_block(b)) {
    r->fail(a.line) << "topk: the second argument is the block of the places kept, such as k.all<\"" << kept << "\">()";
    return dead;
  }
  const int to = r->node(b).axes[0], from = r->find_axis(x, axis, "topk", a.line);
  if (from < 0) return dead;
  if (r->axis_name(to) != kept) {
    r->fail(a.line) << "topk: the block runs along " << r->axis_name(to) << ", not along " << kept << ": as<\"" << kept
                    << "\">(block)";
    return dead;
  }
  ir::Node n = r->node(x);
  n.op = ir::Op::topk;
  n.flags = 0;
  n.imm = from;
  Recorder::drop_axis(n, from);
  r->add_axis(n, to, a.line);
  if (r->bad) return dead;
  const int values = r->push(n, a.line, &x, 1);
  n.op = ir::Op::part;
  n.type = DType::i64;
  n.imm = 1;
  return {result(r, values), result(r, r->push(n, a.line, &values, 1))};
}

}  // namespace detail

/// The largest values along axis `From`, in descending order, and their positions, over the lanes of `places`, a block
/// of axis `To`. Places beyond the lanes that exist hold the lowest value and −1.
template <name From, name To>
constexpr TopK topk(Operand x, Operand places) {
  return detail::top_k_of(x, From.view(), To.view(), places);
}

namespace detail {

/// The types of combined tiles: a literal takes that of the first tile of its kind, else its natural one.
constexpr DType combined_type(const Recorder* r, const Operand* tiles, int count, int which) {
  const Operand& o = tiles[which];
  const DType natural = natural_type(r, o);
  if (!adapts(o) || !info(natural).is_floating()) return natural;
  for (int i = 0; i < count; ++i)
    if (!adapts(tiles[i]) && info(natural_type(r, tiles[i])).is_floating()) return natural_type(r, tiles[i]);
  return natural;
}

template <std::size_t K, class F>
constexpr std::array<Tile, K> combine(ir::Op op, std::string_view what, std::string_view axis,
                                      const Operand (&tiles)[K], const Operand (&identities)[K], F f) {
  Recorder* r = nullptr;
  std::uint32_t line = 0;
  for (const Operand& o : tiles) {
    if (o.recorder != nullptr) r = o.recorder;
    if (o.line > line) line = o.line;
  }
  if (r == nullptr) an_operation_on_numbers_only_has_no_kernel_write_k_value_of_one_of_them();
  const auto all = [&]<std::size_t... I>(std::index_sequence<I...>, auto make) {
    return std::array<Tile, K>{make(static_cast<int>(I))...};
  };
  constexpr auto each = std::make_index_sequence<K>{};
  const auto dead = [&](int) { return result(r, -1); };
  if (r->bad) return all(each, dead);

  constexpr int count = static_cast<int>(K);
  int in[2 * K] = {};
  DType types[K] = {};
  ir::Node whole;
  for (int i = 0; i < count; ++i) {
    types[i] = combined_type(r, tiles, count, i);
    in[i] = node_as(r, tiles[i], types[i], what);
    in[count + i] = node_as(r, identities[i], types[i], what);
    if (r->bad) return all(each, dead);
    r->add_axes(whole, in[i], line);
    if (r->node(in[count + i]).rank != 0)
      r->fail(line) << what << ": an identity has axes: it is one number for each value";
  }
  if (r->bad) return all(each, dead);
  int along = -1;
  for (int i = 0; i < whole.rank; ++i)
    if (r->axis_name(whole.axes[i]) == axis) along = whole.axes[i];
  if (along < 0) {
    for (int i = 0; i < count; ++i)
      if (r->node(in[i]).rank != 0 && along < 0) along = r->find_axis(in[i], axis, what, line);
    if (!r->bad) r->find_axis(in[0], axis, what, line);
    return all(each, dead);
  }
  ir::Node inner = whole;
  Recorder::drop_axis(inner, along);
  ir::Node n = op == ir::Op::reduce ? inner : whole;
  n.op = op;
  n.type = types[0];
  n.imm = along;
  Region region;
  region.kind = op;
  region.line = line;
  region.when_grid = r->when_grid;
  region.node = r->push(n, line, in, 2 * count);
  const int id = r->enter_after(region);
  int number = 0;
  const auto param = [&](int i) {
    ir::Node p = inner;
    p.op = ir::Op::param;
    p.type = types[i];
    p.imm = number++;
    return result(r, r->push(p, line));
  };
  const std::array<Tile, K> left = all(each, param), right = all(each, param);
  auto combined = f(left, right);
  int out[K] = {};
  const auto take = [&](int i, const Operand& o) {
    if (r->bad) return;
    out[i] = node_as(r, o, types[i], what);
    if (r->bad) return;
    for (int a = 0; a < r->node(out[i]).rank; ++a)
      if (!r->has_axis(inner, r->node(out[i]).axes[a]))
        r->fail(line) << what << ": result " << i + 1 << " of the function has axis "
                      << r->axis_name(r->node(out[i]).axes[a]) << ", which the combined values have not";
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    using std::get;
    (take(static_cast<int>(I), Operand(get<I>(combined), Here{})), ...);
  }(each);
  if (r->bad) return all(each, dead);
  ir::Node end;
  end.op = ir::Op::region_end;
  r->push(end, line, out, count);
  r->leave(id, false);
  const auto part = [&](int i) {
    ir::Node p = n;
    p.op = ir::Op::part;
    p.type = types[i];
    p.imm = i;
    return result(r, r->push(p, line, &region.node, 1));
  };
  return r->bad ? all(each, dead) : all(each, part);
}

}  // namespace detail

/// Combines along the axis by an associative function of two arrays of tiles, which gives one: LANGUAGE.md rule 18.
template <name N, std::size_t K, class F>
constexpr std::array<Tile, K> reduce(const Operand (&tiles)[K], const Operand (&identities)[K], F f) {
  return detail::combine(ir::Op::reduce, "reduce", N.view(), tiles, identities, f);
}
/// The same for one tile and a function of two tiles.
template <name N, class F>
constexpr Tile reduce(Operand x, Operand identity, F f) {
  const Operand tiles[] = {x}, identities[] = {identity};
  return detail::combine(ir::Op::reduce, "reduce", N.view(), tiles, identities,
                         [&](auto a, auto b) { return std::array<Tile, 1>{f(a[0], b[0])}; })[0];
}
/// The inclusive scan along the axis by an associative function of two arrays of tiles.
template <name N, std::size_t K, class F>
constexpr std::array<Tile, K> associative_scan(const Operand (&tiles)[K], const Operand (&identities)[K], F f) {
  return detail::combine(ir::Op::scan_by, "associative_scan", N.view(), tiles, identities, f);
}
/// The same for one tile and a function of two tiles.
template <name N, class F>
constexpr Tile associative_scan(Operand x, Operand identity, F f) {
  const Operand tiles[] = {x}, identities[] = {identity};
  return detail::combine(ir::Op::scan_by, "associative_scan", N.view(), tiles, identities,
                         [&](auto a, auto b) { return std::array<Tile, 1>{f(a[0], b[0])}; })[0];
}

TESSERA_END
