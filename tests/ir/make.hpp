// Owns a small constexpr builder of Tile IR programs for these tests, and some kernels built with it by hand.
#pragma once

#include <initializer_list>
#include <string_view>

#include "tessera/ir/tile.hpp"

namespace ir_test {

using namespace tessera;
using ir::Op;

struct Make {
  ir::Storage s;

  constexpr explicit Make(std::string_view kernel) {
    for (char c : kernel) s.kernel_name.push_back(c);
  }
  constexpr int name(std::string_view text) {
    for (std::size_t i = 0; i < s.names.size(); ++i)
      if (s.view().str(static_cast<int>(i)) == text) return static_cast<int>(i);
    s.names.push_back({static_cast<int>(s.text.size()), static_cast<int>(text.size())});
    for (char c : text) s.text.push_back(c);
    return static_cast<int>(s.names.size()) - 1;
  }
  constexpr int extent(std::string_view base, int plus = 0, int divide = 1) {
    const ir::Extent e{name(base), plus, divide};
    for (std::size_t i = 0; i < s.extents.size(); ++i)
      if (s.extents[i] == e) return static_cast<int>(i);
    s.extents.push_back(e);
    return static_cast<int>(s.extents.size()) - 1;
  }
  constexpr int arg(ir::Effect effect, DType type, std::string_view text, std::initializer_list<int> extents = {}) {
    ir::Arg a;
    a.name = text.empty() ? -1 : name(text);
    a.type = type;
    a.effect = effect;
    a.rank = static_cast<std::uint8_t>(extents.size());
    a.first_extent = static_cast<int>(s.arg_extents.size());
    for (int e : extents) s.arg_extents.push_back(e);
    s.args.push_back(a);
    return static_cast<int>(s.args.size()) - 1;
  }
  constexpr int tunable(std::string_view text) {
    s.tunables.push_back({name(text)});
    return static_cast<int>(s.tunables.size()) - 1;
  }
  constexpr int node(Op op, DType type, std::initializer_list<int> operands = {}, std::initializer_list<int> axes = {},
                     std::int64_t imm = 0, int flags = 0) {
    ir::Node n;
    n.op = op;
    n.type = type;
    n.flags = static_cast<std::uint8_t>(flags);
    n.imm = imm;
    n.first = static_cast<int>(s.operands.size());
    n.count = static_cast<std::uint16_t>(operands.size());
    for (int o : operands) s.operands.push_back(o);
    for (int a : axes) n.axes[n.rank++] = static_cast<std::uint8_t>(a);
    s.nodes.push_back(n);
    s.lines.push_back(static_cast<std::uint32_t>(10 + s.nodes.size()));
    return static_cast<int>(s.nodes.size()) - 1;
  }
  constexpr int plain(Op op, std::initializer_list<int> operands = {}) { return node(op, DType::i64, operands); }
  constexpr int axis(std::string_view text, ir::AxisKind kind, int extent, int at, int parent = -1) {
    s.axes.push_back({name(text), extent, at, parent, kind});
    return static_cast<int>(s.axes.size()) - 1;
  }
  /// A block node with an axis of its own; the axis is `axis_of(block)`.
  constexpr int block(Op op, ir::AxisKind kind, std::string_view text, int extent, std::initializer_list<int> operands,
                      int parent = -1, std::int64_t imm = 0) {
    const int a = axis(text, kind, extent, static_cast<int>(s.nodes.size()), parent);
    return node(op, DType::i64, operands, {a}, imm);
  }
  constexpr int axis_of(int block) const { return s.nodes[static_cast<std::size_t>(block)].axes[0]; }
  constexpr int f32(std::uint32_t bits) { return node(Op::literal, DType::f32, {}, {}, bits); }
  constexpr int i64(std::int64_t value) { return node(Op::literal, DType::i64, {}, {}, value); }
  constexpr int tune(int tunable) { return node(Op::tunable, DType::i64, {}, {}, tunable, ir::flag_uniform); }
};

/// Names of one kernel: two that differ only in these are the same program.
struct Names {
  std::string_view kernel = "gemm", a = "a", b = "b", c = "c", m = "M", n = "N", k = "K", bm = "BM", bk = "BK";
};

/// c = a·b by blocks of K, with a check and a print; `swap` records pure nodes and reads in another order.
constexpr ir::Storage gemm(const Names& t = {}, bool swap = false) {
  Make p(t.kernel);
  using enum DType;
  const int em = p.extent(t.m), ek = p.extent(t.k), en = p.extent(t.n);
  const int a = p.arg(ir::Effect::in, f32, t.a, {em, ek}), b = p.arg(ir::Effect::in, f32, t.b, {ek, en});
  const int c = p.arg(ir::Effect::out, f32, t.c, {em, en});
  const int bm = p.tunable(t.bm), bk = p.tunable(t.bk);
  const int cut_m = p.tune(bm), m = p.block(Op::grid_block, ir::AxisKind::grid, t.m, em, {cut_m});
  const int cut_n = p.i64(32), n = p.block(Op::grid_block, ir::AxisKind::grid, t.n, en, {cut_n});
  const int am = p.axis_of(m), an = p.axis_of(n);
  const int zero = p.f32(0);
  const int zeros = p.node(Op::broadcast, f32, {zero}, {am, an});
  const int acc = p.node(Op::var, f32, {zeros}, {am, an});
  const int cut_k = p.tune(bk);
  p.plain(Op::for_blocks);
  const int k = p.block(Op::loop_block, ir::AxisKind::loop, t.k, ek, {cut_k}), ak = p.axis_of(k);
  int x, y, old;
  if (swap) {
    y = p.node(Op::load, f32, {k, n}, {ak, an}, b);
    x = p.node(Op::load, f32, {m, k}, {am, ak}, a);
    old = -1;
  } else {
    old = p.node(Op::get, f32, {acc}, {am, an});
    x = p.node(Op::load, f32, {m, k}, {am, ak}, a);
    y = p.node(Op::load, f32, {k, n}, {ak, an}, b);
  }
  const int product = p.node(Op::dot, f32, {x, y}, {am, an});
  if (swap) old = p.node(Op::get, f32, {acc}, {am, an});
  const int next = p.node(Op::add, f32, {old, product}, {am, an});
  p.node(Op::set, f32, {acc, next}, {am, an});
  p.plain(Op::end);
  const int result = p.node(Op::get, f32, {acc}, {am, an});
  const int fine = p.node(Op::eq, b8, {result, result}, {am, an});
  p.node(Op::check, b8, {fine}, {}, p.name("no NaN"));
  p.node(Op::store, f32, {m, n, result}, {am, an}, c);
  return p.s;
}

/// v and w are Vars set crosswise from values read before: reads must not slip behind the writes. `swap` records the
/// declarations, and the reads, in the other order.
constexpr ir::Storage exchange(bool swap = false) {
  Make p("exchange");
  using enum DType;
  const int en = p.extent("N");
  const int x = p.arg(ir::Effect::inout, f32, "x", {en}), y = p.arg(ir::Effect::inout, f32, "y", {en});
  const int cut = p.i64(64), i = p.block(Op::grid_block, ir::AxisKind::grid, "N", en, {cut}), an = p.axis_of(i);
  const int one = p.f32(0x3f800000), two = p.f32(0x40000000);
  const auto var = [&](int value) { return p.node(Op::var, f32, {value}); };
  const auto get = [&](int v) { return p.node(Op::get, f32, {v}); };
  const auto load = [&](int array) { return p.node(Op::load, f32, {i}, {an}, array); };
  int v, w, gv, gw, lx, ly;
  if (swap)
    w = var(two), v = var(one), gw = get(w), gv = get(v), ly = load(y), lx = load(x);
  else
    v = var(one), w = var(two), gv = get(v), gw = get(w), lx = load(x), ly = load(y);
  p.node(Op::set, f32, {v, gw});
  p.node(Op::set, f32, {w, gv});
  const int sum = p.node(Op::add, f32, {get(v), get(w)});
  const int left = p.node(Op::add, f32, {ly, sum}, {an});
  p.node(Op::store, f32, {i, left}, {an}, x);
  p.node(Op::store, f32, {i, lx}, {an}, y);
  return p.s;
}

/// Reductions by a function, conditions with else, a while, joins, top-k, atomics, private arrays, and dead nodes.
constexpr ir::Storage medley(bool dead = false) {
  Make p("medley");
  using enum DType;
  const int em = p.extent("M"), en = p.extent("N"), ek = p.extent("K"), half = p.extent("N", 1, 2);
  const int x = p.arg(ir::Effect::in, f32, "x", {em, en}), at = p.arg(ir::Effect::in, i32, "at", {half});
  const int limit = p.arg(ir::Effect::scalar, i32, "limit"), best = p.arg(ir::Effect::out, f32, "best", {em, ek});
  const int total = p.arg(ir::Effect::inout, i32, "total", {en}), scratch = p.arg(ir::Effect::shared, f32, "", {em});
  p.s.args[static_cast<std::size_t>(total)].accumulated = true;
  const int lim = p.node(Op::scalar, i32, {}, {}, limit, ir::flag_uniform);
  const int none = p.node(Op::literal, i32, {}, {}, 0, ir::flag_uniform);
  const int good = p.node(Op::gt, b8, {lim, none}, {}, 0, ir::flag_uniform);
  p.node(Op::expects, b8, {good}, {}, p.name("limit is \"positive\"\n"));
  const int cut = p.i64(8), m = p.block(Op::grid_block, ir::AxisKind::grid, "M", em, {cut}), am = p.axis_of(m);
  const int extent = p.node(Op::extent, i64, {}, {}, half, ir::flag_uniform), b = p.node(Op::grid_index, i64, {extent});
  if (dead) {
    const int unused = p.block(Op::all_block, ir::AxisKind::all, "M", em, {});
    p.node(Op::neg, i64, {unused}, {p.axis_of(unused)});
    p.node(Op::load, i32, {b}, {}, at);
  }
  const int n = p.block(Op::all_block, ir::AxisKind::all, "N", en, {}), an = p.axis_of(n);
  const int c = p.block(Op::all_block, ir::AxisKind::all, "K", ek, {}), ac = p.axis_of(c);
  const int grown = p.block(Op::grow, ir::AxisKind::grown, "N", en, {n}, an, (std::int64_t{1} << 32) | 2);
  const int outside = p.f32(0xbf800000);
  const int halo = p.node(Op::load, f32, {m, grown, outside}, {am, p.axis_of(grown)}, x, ir::flag_padded);
  const int v = p.node(Op::at, f32, {halo, n}, {am, an}, p.axis_of(grown));
  const int one = p.f32(0x3f800000), zero = p.f32(0);
  const int reduced = p.node(Op::reduce, f32, {one, v, zero, zero}, {am}, an);
  const int l0 = p.node(Op::param, f32, {}, {am}, 0), l1 = p.node(Op::param, f32, {}, {am}, 1);
  const int r0 = p.node(Op::param, f32, {}, {am}, 2), r1 = p.node(Op::param, f32, {}, {am}, 3);
  const int s0 = p.node(Op::add, f32, {l0, r0}, {am}), s1 = p.node(Op::max, f32, {l1, r1}, {am});
  p.plain(Op::region_end, {s0, s1});
  const int count = p.node(Op::part, f32, {reduced}, {am}, 0), top = p.node(Op::part, f32, {reduced}, {am}, 1);
  p.node(Op::store, f32, {m, count}, {am}, scratch);
  const int old = p.node(Op::load, f32, {m}, {am}, scratch);
  const int both = p.axis("C", ir::AxisKind::made, -1, static_cast<int>(p.s.nodes.size()), an);
  const int joined = p.node(Op::join, f32, {v, v}, {am, both}, an | an << 20 | std::int64_t{both} << 40);
  const int chosen = p.node(Op::topk, f32, {joined}, {am, ac}, both);
  const int places = p.node(Op::part, i64, {chosen}, {am, ac}, 1);
  const int where = p.node(Op::cast, i32, {places}, {am, ac}, 2 << 8 | 1);
  const int step = p.node(Op::var, i32, {none});
  p.plain(Op::while_loop);
  const int now = p.node(Op::get, i32, {step});
  p.plain(Op::loop_condition, {p.node(Op::lt, b8, {now, lim})});
  const int add_one = p.node(Op::literal, i32, {}, {}, 1);
  p.node(Op::set, i32, {step, p.node(Op::add, i32, {p.node(Op::get, i32, {step}), add_one})});
  p.plain(Op::end);
  const int steps = p.node(Op::get, i32, {step}), many = p.node(Op::gt, b8, {steps, add_one < 0 ? none : lim});
  p.plain(Op::if_region, {many});
  p.node(Op::print, i64, {steps, where}, {}, p.name("steps"));
  p.plain(Op::end);
  p.plain(Op::else_region, {many});
  const int mask = p.node(Op::ne, b8, {where, none}, {am, ac});
  p.node(Op::accumulate, i32, {where, steps, mask}, {am, ac}, total, ir::flag_masked);
  p.node(Op::atomic, i32, {b, steps}, {}, total | std::int64_t{2} << 32);
  p.plain(Op::end);
  const int shift = p.node(Op::sub, f32, {chosen, top}, {am, ac});
  p.node(Op::store, f32, {m, c, p.node(Op::mul, f32, {shift, old}, {am, ac})}, {am, ac}, best);
  return p.s;
}

}  // namespace ir_test
