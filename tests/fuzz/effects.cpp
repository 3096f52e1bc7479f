// Owns the statements of random programs: stores, Vars, loops, branches, atomics, private arrays.
#include <algorithm>

#include "tests/fuzz/generator.hpp"

namespace fuzz {

using tessera::info;

// Indices that place every program and every lane apart: all of the grid, and some axes more.
bool Generator::place(std::vector<Index>& index, Axes& axes, bool whole_grid, const Axes& wanted) {
  std::int64_t elements = 1;
  const auto take = [&](const Index& i) {
    if (i.node < 0 || i.extent < 0) return false;
    elements *= std::max<std::int64_t>(value_of(i.extent), 1);
    index.push_back(i);
    axes = both(axes, b_.axes_of(i.node));
    return elements <= 40000;
  };
  for (const auto& [number, extent] : grid_numbers_)
    if (!take({number, extent, false})) return false;
  for (int a : grid_blocks_)
    if (!take(index_along(a, true)) && whole_grid) return false;
  const Axes more = both(wanted, some_axes(static_cast<int>(random_.weighted({20, 50, 25, 5})), most_tile_));
  for (int a : more) {
    if (has(grid_blocks_, a) || !facts(a).store || has(axes, a)) continue;
    if (lanes(both(axes, {a})) > most_tile_) continue;
    const Index i = index_along(a, true);
    if (i.node < 0 || i.extent < 0 || index.size() >= 5) continue;
    if (elements * std::max<std::int64_t>(value_of(i.extent), 1) > 40000) continue;
    take(i);
  }
  for (std::size_t i = index.size(); i > 1; --i)
    std::swap(index[i - 1], index[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(i)))]);
  return true;
}

void Generator::store(int depth) {
  const DType type = any_type();
  if (!written_.empty() && random_.chance(25)) {  // again, at the same places
    const Written w = random_.of(written_);
    const ir::Arg a = b_.s.args[static_cast<std::size_t>(w.arg)];
    std::vector<int> in = w.index;
    int v = 0;
    if (a.effect == ir::Effect::inout && random_.chance(60)) {
      const int old = add(Op::load, a.type, w.index, w.axes, w.arg);
      v = leaf(a.type, w.axes);
      v = info(a.type).is_boolean() ? each(Op::bit_xor, a.type, {old, v})
                                    : each(random_.of({Op::add, Op::max}), a.type, {old, v});
    } else {
      v = value(a.type, w.axes, 1);
    }
    in.push_back(v);
    add(Op::store, a.type, in, w.axes, w.arg);
    return;
  }
  std::vector<Index> index;
  Axes axes;
  if (!place(index, axes, true)) return;
  if (lanes(axes) > 4 * most_tile_) return;
  std::vector<int> in, extents;
  for (const Index& i : index) {
    in.push_back(i.node);
    extents.push_back(i.extent);
  }
  const bool inout = random_.chance(30);
  const int arg = argument(inout ? ir::Effect::inout : ir::Effect::out, type, extents, any_given(type, true));
  const Written w{arg, in, axes};
  int v = -1;
  if (inout && random_.chance(60)) {
    const int old = add(Op::load, type, in, axes, arg);
    v = info(type).is_boolean() ? each(Op::bit_xor, type, {old, value(type, axes, 2)})
                                : each(random_.of({Op::add, Op::sub, Op::max}), type, {old, value(type, axes, 2)});
  } else {
    v = value(type, axes, static_cast<int>(random_.between(1, 3)) - (depth > 1 ? 1 : 0));
  }
  in.push_back(v);
  int flags = 0;
  if (random_.chance(10)) flags = ir::flag_masked, in.push_back(condition(axes, 1));
  add(Op::store, type, in, axes, arg, flags);
  ++effects_;
  written_.push_back(w);
}

// What was computed into a Var is seen.
void Generator::store_var(const VarFacts& var) {
  std::vector<Index> index;
  Axes axes;
  if (!place(index, axes, true, var.axes)) return;
  std::vector<int> in, extents;
  for (const Index& i : index) {
    in.push_back(i.node);
    extents.push_back(i.extent);
  }
  in.push_back(collapse(add(Op::get, var.type, {var.node}, var.axes), axes));
  const int arg = argument(ir::Effect::out, var.type, extents, any_given(var.type, true));
  add(Op::store, var.type, in, axes, arg);
  ++effects_;
}

void Generator::accumulate(int depth) {
  const DType type = random_.chance(90) ? random_.of({DType::f32, DType::f32, DType::i32, DType::i32, DType::i64,
                                                      DType::f64, DType::u32, DType::f16, DType::u8, DType::i16})
                                        : number_type();
  Axes over;
  for (int a : some_axes(static_cast<int>(random_.between(0, 2)), most_tile_)) over.push_back(a);
  for (int a : grid_blocks_)
    if (!has(over, a) && lanes(both(over, {a})) <= most_tile_ && random_.chance(60)) over.push_back(a);
  std::vector<int> in, extents;
  Axes axes;
  std::int64_t elements = 1;
  for (int a : over) {
    Index i = random_.chance(50) ? gathered(a) : index_along(a, false);
    if (i.node < 0 || i.extent < 0 || elements * std::max<std::int64_t>(value_of(i.extent), 1) > 40000) continue;
    if (i.outside && random_.chance(90)) continue;
    elements *= std::max<std::int64_t>(value_of(i.extent), 1);
    in.push_back(i.node);
    extents.push_back(i.extent);
    axes = both(axes, b_.axes_of(i.node));
  }
  const int arg =
      argument(random_.chance(60) ? ir::Effect::out : ir::Effect::inout, type, extents, any_given(type, true));
  b_.s.args[static_cast<std::size_t>(arg)].accumulated = true;
  in.push_back(value(type, axes, depth > 1 ? 0 : 1));
  int flags = 0;
  if (random_.chance(12)) flags = ir::flag_masked, in.push_back(condition(axes, 1));
  add(Op::accumulate, type, in, axes, arg, flags);
  work_ += trips_ * lanes(axes) * 2;
  ++effects_;
}

void Generator::atomic(int) {
  const auto kind = static_cast<ir::AtomicKind>(random_.below(8));
  const bool exchanges = kind == ir::AtomicKind::exchange || kind == ir::AtomicKind::compare_exchange;
  const bool logical =
      kind == ir::AtomicKind::bit_and || kind == ir::AtomicKind::bit_or || kind == ir::AtomicKind::bit_xor;
  const DType type = logical              ? random_.of({DType::i32, DType::u64, DType::u8})
                     : exchanges          ? random_.of({DType::i32, DType::f32, DType::i64})
                     : random_.chance(10) ? number_type()
                                          : random_.of({DType::i32, DType::i64, DType::u32, DType::f32});
  std::vector<int> in, extents;
  Axes axes;
  std::vector<Index> index;
  if (exchanges) {
    if (!place(index, axes, true)) return;
  } else {
    for (int a : some_axes(static_cast<int>(random_.between(0, 2)), 256)) {
      const Index i = gathered(a);
      if (i.node >= 0 && i.extent >= 0 && !i.outside && index.size() < 3) index.push_back(i);
    }
  }
  axes.clear();
  std::int64_t elements = 1;
  for (const Index& i : index) {
    in.push_back(i.node);
    extents.push_back(i.extent);
    elements *= std::max<std::int64_t>(value_of(i.extent), 1);
    axes = both(axes, b_.axes_of(i.node));
  }
  if (elements > 40000 || lanes(axes) > most_tile_) return;
  const int arg = argument(ir::Effect::inout, type, extents, any_given(type, true));
  const int v = leaf(type, axes);
  in.push_back(v);
  axes = both(axes, b_.axes_of(v));
  if (kind == ir::AtomicKind::compare_exchange) {
    const int c = leaf(type, axes);
    in.push_back(c);
  }
  int flags = 0;
  if (random_.chance(12)) flags = ir::flag_masked, in.push_back(condition(axes, 0));
  const int old = add(Op::atomic, type, in, axes, arg | static_cast<std::int64_t>(kind) << 32, flags);
  if (exchanges) keep(old);
  work_ += trips_ * lanes(axes) * 2;
  ++effects_;
}

// Written in full at the positions of blocks, read elsewhere.
void Generator::private_array(int depth) {
  const DType type = any_type();
  Axes over;
  for (int a : some_axes(2, 512))
    if (facts(a).extent >= 0 && facts(a).store && b_.s.axes[static_cast<std::size_t>(a)].kind != ir::AxisKind::grown &&
        (over.empty() || random_.chance(50)))
      over.push_back(a);
  if (over.empty()) return;
  std::vector<int> in, extents, mirrored;
  for (int a : over) {
    in.push_back(facts(a).block);
    extents.push_back(facts(a).extent);
  }
  const int arg = argument(random_.of({ir::Effect::shared, ir::Effect::registers}), type, extents, Given{});
  std::vector<int> stored = in;
  stored.push_back(value(type, over, 1));
  add(Op::store, type, stored, over, arg);
  for (std::size_t k = 0; k < over.size(); ++k) {
    const int block = in[k];
    if (random_.chance(50)) {
      mirrored.push_back(block);
      continue;
    }
    const int begin = b_.add(Op::block_begin, DType::i64, {block}), end = b_.add(Op::block_end, DType::i64, {block});
    const int last = b_.each(Op::sub, DType::i64, {b_.each(Op::add, DType::i64, {begin, end}), b_.integer(1)});
    mirrored.push_back(each(Op::sub, DType::i64, {last, block}));
  }
  keep(add(Op::load, type, mirrored, over, arg));
  if (depth == 0) store(depth);
}

void Generator::declare_var(int) {
  const DType type = random_.chance(8) ? DType::b8 : random_.chance(60) ? DType::f32 : number_type();
  const Axes axes = some_axes(static_cast<int>(random_.weighted({25, 45, 30})), most_tile_, false);
  const int initial = random_.chance(50) ? literal(type) : leaf(type, axes);
  const int full_initial = within(axes, b_.axes_of(initial))
                               ? initial
                               : add(Op::broadcast, type, {initial}, both(b_.axes_of(initial), axes));
  vars_.push_back({add(Op::var, type, {full_initial}, b_.axes_of(full_initial)), type, b_.axes_of(full_initial)});
}

void Generator::set_var(int depth) {
  std::vector<int> free;
  for (std::size_t i = 0; i < vars_.size(); ++i)
    if (!vars_[i].counter) free.push_back(static_cast<int>(i));
  if (free.empty()) return declare_var(depth);
  const VarFacts v = vars_[static_cast<std::size_t>(random_.of(free))];
  int x = value(v.type, v.axes, 2);
  if (random_.chance(70)) {
    const int old = add(Op::get, v.type, {v.node}, v.axes);
    x = info(v.type).is_boolean()
            ? each(random_.of({Op::bit_or, Op::bit_and, Op::bit_xor}), v.type, {old, x})
            : each(random_.of({Op::add, Op::add, Op::add, Op::max, Op::min, Op::sub}), v.type, {old, x});
  }
  add(Op::set, v.type, {v.node, x}, v.axes);
}

void Generator::put_var(int depth) {
  std::vector<std::pair<int, int>> fit;
  for (std::size_t i = 0; i < vars_.size(); ++i)
    for (int a : vars_[i].axes)
      if (!vars_[i].counter && facts(a).from_zero && facts(a).lanes > 0) fit.emplace_back(static_cast<int>(i), a);
  if (fit.empty()) return set_var(depth);
  const auto [which, axis] = random_.of(fit);
  const VarFacts v = vars_[static_cast<std::size_t>(which)];
  int index = b_.integer(random_.below(facts(axis).lanes));
  for (const auto& [node, bound] : numbers_)
    if (bound <= facts(axis).lanes && random_.chance(60)) index = node;
  const int x = value(v.type, without(v.axes, axis), 1);
  add(Op::put, v.type, {v.node, index, x}, v.axes, axis);
}

void Generator::loop_blocks(int depth) {
  AxisFacts f;
  f.extent = any_extent();
  const std::int64_t extent = value_of(f.extent);
  std::int64_t size = 0;
  int n = cut(size);
  if (extent / size > 8) {
    size = std::max<std::int64_t>((extent + 3) / 4, 1);
    n = b_.integer(size);
  }
  f.lanes = size;
  std::vector<int> in = {n};
  if (random_.chance(25)) {  // a range of the axis
    const std::int64_t from = random_.below(extent + 1);
    in.push_back(random_.chance(30) && !numbers_.empty() ? random_.of(numbers_).first : b_.integer(from));
    in.push_back(random_.chance(70) ? b_.integer(random_.between(from, extent))
                                    : b_.add(Op::extent, DType::i64, {}, {}, f.extent, ir::flag_uniform));
  } else if (const int bound = random_.chance(15) ? block_bound(f.extent, true) : -1;
             bound >= 0) {  // as attention does
    in.push_back(b_.integer(0));
    in.push_back(bound);
  }
  if (vars_.empty() || random_.chance(40)) declare_var(depth);
  control(Op::for_blocks);
  const Scope scope = open();
  trips_ *= std::max<std::int64_t>((extent + size - 1) / size, 1);
  make_block(Op::loop_block, ir::AxisKind::loop, in, f);
  for (int k = 0; k < 2 && (k == 0 || random_.chance(40)); ++k)
    if (random_.chance(75))
      set_var(depth + 1);
    else
      statement(depth + 1);
  control(Op::end);
  close(scope);
}

void Generator::loop_range(int depth) {
  const std::int64_t from = random_.below(3), count = random_.of({0, 1, 2, 3, 4, 6});
  const int first = b_.integer(from);
  int last = b_.integer(from + count);
  std::int64_t bound = from + count;
  if (random_.chance(25) && value_of(bases_[0]) <= 12) {
    last = b_.add(Op::extent, DType::i64, {}, {}, bases_[0], ir::flag_uniform);
    bound = value_of(bases_[0]);
  }
  if (vars_.empty() || random_.chance(40)) declare_var(depth);
  control(Op::for_range);
  const Scope scope = open();
  trips_ *= std::max<std::int64_t>(bound - from, 1);
  const int index = add(Op::loop_index, DType::i64, {first, last});
  numbers_.emplace_back(index, std::max<std::int64_t>(bound, 1));
  for (int k = 0; k < 2 && (k == 0 || random_.chance(40)); ++k)
    if (random_.chance(60))
      set_var(depth + 1);
    else if (random_.chance(30))
      put_var(depth + 1);
    else
      statement(depth + 1);
  control(Op::end);
  close(scope);
}

void Generator::while_loop(int depth) {
  const DType type = random_.of({DType::i32, DType::i64});
  const int start = b_.bits(type, 0), most = b_.bits(type, static_cast<std::uint64_t>(random_.between(0, 5)));
  const int counter = add(Op::var, type, {start});
  vars_.push_back({counter, type, {}, true});
  if (random_.chance(50)) declare_var(depth);
  control(Op::while_loop);
  const Scope scope = open();
  trips_ *= 5;
  int go = each(Op::lt, DType::b8, {add(Op::get, type, {counter}), most});
  if (random_.chance(50) && vars_.size() > 1) {
    const VarFacts v = random_.of(vars_);
    if (!info(v.type).is_boolean()) {
      const int now = add(Op::get, v.type, {v.node}, v.axes);
      int small = each(Op::lt, DType::b8, {now, literal(v.type)});
      if (!v.axes.empty()) small = add(random_.of({Op::any, Op::all}), DType::b8, {small}, {});
      go = each(Op::bit_and, DType::b8, {go, small});
    }
  }
  control(Op::loop_condition, {go});
  if (random_.chance(60))
    set_var(depth + 1);
  else
    statement(depth + 1);
  const int next = each(Op::add, type, {add(Op::get, type, {counter}), b_.bits(type, 1)});
  add(Op::set, type, {counter, next}, {});
  control(Op::end);
  close(scope);
}

void Generator::branch(int depth) {
  const int c = random_.chance(60) ? condition({}, 1) : collapse(condition(some_axes(1, 64), 1), {});
  if (b_.node(c).rank != 0) return;
  const int halves = random_.chance(45) ? 2 : 1;
  for (int half = 0; half < halves; ++half) {
    control(half == 0 ? Op::if_region : Op::else_region, {c});
    const Scope scope = open();
    if (random_.chance(60))
      set_var(depth + 1);
    else
      statement(depth + 1);
    control(Op::end);
    close(scope);
  }
}

void Generator::checks(int depth) {
  switch (random_.below(4)) {
    case 3:
      return print_numbers();
    case 0: {
      const int extent = b_.add(Op::extent, DType::i64, {}, {}, any_extent(), ir::flag_uniform);
      const int good = b_.each(random_.of({Op::ge, Op::ne}), DType::b8, {extent, b_.integer(-1)});
      if (depth == 0) control(Op::expects, {good}, b_.name("an extent is not negative"));
      return;
    }
    case 1: {
      const int c = condition(some_axes(1, 256), 1);
      control(Op::check, {c}, b_.name("what a program checks"));
      return;
    }
    default: {
      const int c = condition({}, 1);
      if (b_.node(c).rank == 0) control(Op::stop_if, {c});
    }
  }
}

void Generator::statement(int depth) {
  if (tired()) return;
  const int flat = depth < 3 ? 1 : 0;
  switch (random_.weighted({46, 9, 5, 4, 10, flat * 16, flat * 8, flat * 6, flat * 9, 5, 3})) {
    case 0:
      return store(depth);
    case 1:
      return accumulate(depth);
    case 2:
      return atomic(depth);
    case 3:
      return private_array(depth);
    case 4:
      return set_var(depth);
    case 5:
      return loop_blocks(depth);
    case 6:
      return loop_range(depth);
    case 7:
      return while_loop(depth);
    case 8:
      return branch(depth);
    case 9:
      return put_var(depth);
    default:
      return checks(depth);
  }
}

void Generator::statements(int count, int depth) {
  for (int i = 0; i < count; ++i) statement(depth);
  for (std::size_t i = 0; i < vars_.size() && i < 3; ++i) store_var(VarFacts(vars_[i]));
  if (effects_ == 0) store(depth);
}

}  // namespace fuzz
