// Owns contractions: any dot as register blocks over packed or direct operands, cache blocks around them, and what is
// computed of the result as each block ends (the structure of Goto and van de Geijn, 2008). Over 600 lines because one
// state, the roles of the axes and the blocks chosen, runs through all of it.
#include <algorithm>

#include "targets/cpu/plan/dot_group.hpp"
#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

/// One contraction: C[m, n] = Σ_k S[m, k] × V[k, n]. S is broadcast lane by lane, V is read by vectors along n.
struct Contraction {
  Planner& p;
  loop::Builder& b;
  const Planner::Target& target;
  const int core;
  const ir::Node& node;
  const DType t;    ///< the accumulator's machine type
  const int width;  ///< lanes of a vector of t

  int s_operand = -1, v_operand = -1;
  int m_axis = -1, n_axis = -1;
  std::vector<int> k_axes;    ///< those that panels hold, outermost first
  std::vector<int> k_turns;   ///< further axes of K: each of their places is a turn of its own, over all panels
  Value k_guard = -1;         ///< whether those axes have any places, where that is not known
  std::vector<int> outer;     ///< loops around everything: batch axes, further axes of m and n
  int n_outer = -1;           ///< the axis that n_axis is collapsed with: both together are one long axis
  bool outer_inside = false;  ///< the loops over `outer` stand inside those over K and n
  Value m_count = -1, n_count = -1;
  int mr = 6, nv = 2;
  std::int64_t kc = 256, mc = 240, nc = 4096;
  bool pack_s = true, pack_v = true;
  bool s_along_k = false, v_along_k = false;  ///< the operand is consecutive along k, not along m or n
  int s_buffer = -1, v_buffer = -1, block_buffer = -1;
  DotGroup group;               ///< narrow elements of consecutive k in one lane of a panel: both operands are packed
  int shift_buffer = -1;        ///< per column −128 Σ_k V: makes good that S is packed 128 higher
  Value group_left = -1;        ///< in a last group of K: how many of its elements there are
  Planner::GoesOn on;           ///< what the sums start from, where they have one order
  bool heavy = false;           ///< the epilogue has many operations
  std::optional<Slot> partial;  ///< sums between cuts of K, where the target cannot hold them

  Contraction(Planner& planner, const Planner::Target& tgt, int core_node)
      : p(planner),
        b(*planner.b_),
        target(tgt),
        core(core_node),
        node(planner.program_.node(core_node)),
        t(Planner::repr(node.type)),
        width(planner.machine_.lanes(std::max(1, info(t).bits / 8))) {}

  Value i64(std::int64_t v) { return b.integer(v); }
  const AxisState& axis(int a) const { return p.axis_[static_cast<std::size_t>(a)]; }
  Value length(int a) { return b.max(b.sub(axis(a).hi, axis(a).lo), i64(0)); }
  std::int64_t guess(Value v) const { return p.known_or(v, 1024); }
  int nr() const { return nv * width; }

  bool in(int operand, int a) const { return p.program_.has_axis(p.program_.node(operand), a); }

  /// Sorts the axes into roles; false where this is no matrix product (no axis of its own for one operand).
  bool sort_axes() {
    const int a = p.program_.operand(node, 0), c = p.program_.operand(node, 1);
    const auto own = [&](int operand, int other) {
      std::vector<int> r;
      for (int x : target.axes)
        if (in(operand, x) && !in(other, x)) r.push_back(x);
      return r;
    };
    std::vector<int> of_a = own(a, c), of_c = own(c, a);
    if (of_a.empty() || of_c.empty()) return false;
    // Vectors run along the axis in which the target is consecutive.
    int along = -1;
    for (int x : target.axes) {
      std::vector<std::int64_t> steps(p.program_.axes.size(), 0);
      steps[static_cast<std::size_t>(x)] = 1;
      std::optional<std::int64_t> s;
      if (target.slot) {
        for (std::size_t i = 0; i < target.slot->axes.size(); ++i)
          if (target.slot->axes[i] == x) s = p.known_or(target.slot->strides[i], 4096);
      } else {
        s = p.access_step(target.store, steps);
      }
      if (s == 1) along = x;
    }
    const auto total = [&](const std::vector<int>& axes) {
      std::int64_t n = 1;
      for (int x : axes) n *= std::min<std::int64_t>(axis(x).max_known, 1 << 20);
      return n;
    };
    bool c_is_vector = along < 0 ? total(of_c) >= total(of_a) : in(c, along) && !in(a, along);
    if (along >= 0 && in(a, along) && in(c, along)) c_is_vector = total(of_c) >= total(of_a);
    if (total(c_is_vector ? of_c : of_a) < width / 2 && total(c_is_vector ? of_a : of_c) >= width)
      c_is_vector = !c_is_vector;
    v_operand = c_is_vector ? c : a;
    s_operand = c_is_vector ? a : c;
    auto &ms = c_is_vector ? of_a : of_c, &ns = c_is_vector ? of_c : of_a;
    const auto pick = [&](std::vector<int>& axes, int preferred) {
      int best = axes.back();
      for (int x : axes)
        if (x == preferred) best = x;
      if (best != preferred)
        for (int x : axes)
          if (axis(x).max_known > axis(best).max_known) best = x;
      axes.erase(std::find(axes.begin(), axes.end(), best));
      return best;
    };
    n_axis = pick(ns, along);
    m_axis = pick(ms, -1);
    for (const std::int32_t o : p.program_.operands_of(node)) {
      const auto& on = p.program_.node(o);
      for (int i = 0; i < on.rank; ++i)
        if (!p.program_.has_axis(node, on.axes[i]) &&
            std::find(k_axes.begin(), k_axes.end(), on.axes[i]) == k_axes.end())
          k_axes.push_back(on.axes[i]);
    }
    choose_k();
    if (!ns.empty() && collapsible(ns.back()) && whole_rows_fit(ns.back())) {
      n_outer = ns.back();
      ns.pop_back();
    }
    for (int x : target.axes)
      if (x != n_axis && x != m_axis && x != n_outer) outer.push_back(x);
    return !k_axes.empty();
  }

  /// The axes of K behind the first lie flat in panels: where their lengths are not known, or are long, a panel of one
  /// axis has to do, the longest, which can be cut; the last, where sums have one order.
  void choose_k() {
    constexpr std::int64_t most_flat = 2048;
    std::int64_t flat = 1;
    for (std::size_t i = 1; i < k_axes.size(); ++i)
      flat = axis(k_axes[i]).max_known > most_flat / flat ? most_flat + 1
                                                          : flat * std::max<std::int64_t>(1, axis(k_axes[i]).max_known);
    if (flat <= most_flat) return;
    const int longest = *std::max_element(k_axes.begin(), k_axes.end(),
                                          [&](int x, int y) { return axis(x).max_known < axis(y).max_known; });
    const int flat_axis = p.one_order(core) ? k_axes.back() : longest;
    for (int a : k_axes)
      if (a != flat_axis) k_turns.push_back(a);
    k_axes = {flat_axis};
  }

  /// Whether the target's places of (a, n_axis) are one run: a × length(n_axis) + n, and nothing else looks at them.
  bool collapsible(int a) {
    const AxisState &inner = axis(n_axis), &out = axis(a);
    if (!b.is(inner.lo, 0) || !b.is(out.lo, 0) || !b.known(inner.hi)) return false;
    const std::int64_t run = *b.known(inner.hi);
    if (run % nr() == 0) return false;  // whole blocks already
    if (target.slot) {
      if (target.root != core) return false;
      std::int64_t sa = -1, sn = -1;
      for (std::size_t i = 0; i < target.slot->axes.size(); ++i) {
        if (target.slot->axes[i] == a) sa = p.known_or(target.slot->strides[i], -1);
        if (target.slot->axes[i] == n_axis) sn = p.known_or(target.slot->strides[i], -1);
      }
      return sn == 1 && sa == run;
    }
    const auto& store = p.program_.node(target.store);
    const int arg = static_cast<int>(store.imm & 0xffffffff);
    std::int64_t sa = -1, sn = -1;
    for (int d = 0; d < p.program_.args[static_cast<std::size_t>(arg)].rank; ++d) {
      const auto& index = p.program_.node(p.program_.operand(store, d));
      const bool of_a = p.program_.has_axis(index, a), of_n = p.program_.has_axis(index, n_axis);
      if (!of_a && !of_n) continue;
      if (!p.bare_over(index, arg, d)) return false;
      (of_a ? sa : sn) = p.known_or(p.stride(arg, d), -1);
    }
    if (sn != 1 || sa != run) return false;
    bool used = false;  // by the epilogue, apart from the contraction itself
    const std::function<void(int)> look = [&](int id) {
      if (id == core) return;
      const auto& n = p.program_.node(id);
      if (info(n.op).op_class == ir::OpClass::block || n.op == ir::Op::load || n.op == ir::Op::get ||
          p.slots_[static_cast<std::size_t>(id)])
        used |= p.program_.has_axis(n, a) || p.program_.has_axis(n, n_axis);
      if (n.op == ir::Op::at || n.op == ir::Op::rename) used = true;
      if (!p.slots_[static_cast<std::size_t>(id)])
        for (std::int32_t o : p.program_.operands_of(n)) look(o);
    };
    look(target.root);
    return !used && !(store.flags & ir::flag_masked);
  }

  /// Lanes of K in a cache block.
  std::int64_t k_block() const {
    const int bytes = std::max(1, info(t).bits / 8);
    return p.machine_.blocks.kc > 0 ? p.machine_.blocks.kc : (p.machine_.vector_bytes == 64 ? 768 : 512) * 4 / bytes;
  }

  /// V over two collapsed axes is packed as whole rows, however many columns a cache block has otherwise: their number
  /// has to be known, and they have to stay near.
  bool whole_rows_fit(int a) {
    const auto rows = b.known(length(a)), columns = b.known(length(n_axis));
    if (!rows || !columns) return false;
    const std::int64_t inside = k_inner();
    const std::int64_t depth = std::min(guess(length(k_axes[0])) * inside, std::max(k_block(), inside));
    return *rows * *columns * depth * std::max(1, info(t).bits / 8) <= p.machine_.l3_bytes / 4;
  }

  std::int64_t k_inner() const {  // most lanes of all K axes but the first
    std::int64_t n = 1;
    for (std::size_t i = 1; i < k_axes.size(); ++i) n *= std::max<std::int64_t>(1, axis(k_axes[i]).max_known);
    return n;
  }

  int score(int operand, int a) {
    std::vector<std::int64_t> steps(p.program_.axes.size(), 0);
    steps[static_cast<std::size_t>(a)] = 1;
    int s = 0;
    std::vector<int> seen;
    p.score_accesses(operand, steps, 0, s, seen);
    return s;
  }

  void choose_blocks() {
    const int bytes = std::max(1, info(t).bits / 8);
    const bool wide = p.machine_.vector_bytes == 64;
    const Blocks& chosen = p.machine_.blocks;
    mr = chosen.rows > 0 ? chosen.rows : wide ? 8 : 6;
    nv = chosen.vectors > 0 ? chosen.vectors : wide ? 3 : 2;
    kc = k_block();
    m_count = length(m_axis);
    n_count = n_outer >= 0 ? b.mul(length(n_outer), length(n_axis)) : length(n_axis);
    const std::int64_t m = guess(m_count), n = guess(n_count);
    if (n <= width && b.known(n_count)) nv = 1;
    // Few rows: as many vectors across as the registers hold.
    if (b.known(m_count) && m < mr) {
      mr = static_cast<int>(std::max<std::int64_t>(1, m));
      const int room = (p.machine_.vector_registers - 3) / (mr + 1);
      nv = std::max(nv, std::min<int>(room, static_cast<int>((n + width - 1) / width)));
    }
    pack_v = m >= 3 * mr && (n_outer >= 0 || m * n >= 64 * 64 || k_axes.size() > 1);
    if (n_outer >= 0) pack_v = true;
    pack_s = n >= 4 * nr() && m * n >= 96 * 96;
    s_along_k = score(s_operand, k_axes.back()) > score(s_operand, m_axis);
    v_along_k = score(v_operand, k_axes.back()) > score(v_operand, n_axis);
    if (v_along_k && m > mr) pack_v = true;
    if (m >= 4 && !b.is(length(k_axes[0]), 1))
      group = choose_dot_group(p.program_, s_operand, v_operand, t, p.machine_);
    if ((k_axes.size() > 1 && (pack_s || pack_v)) || group.size > 1) pack_s = pack_v = true;
    const std::int64_t depth =
        std::clamp<std::int64_t>((guess(length(k_axes[0])) * k_inner() + group.size - 1) / group.size, 64, kc);
    mc = std::max<std::int64_t>(mr, p.machine_.l2_bytes / 2 / (depth * bytes) / mr * mr);
    if (wide && depth == kc) mc = 168;
    if (chosen.mc > 0) mc = std::max<std::int64_t>(mr, chosen.mc / mr * mr);
    nc = std::max<std::int64_t>(nr(),
                                std::min<std::int64_t>(p.machine_.l3_bytes / 8, 4 << 20) / (kc * bytes) / nr() * nr());
    if (n_outer >= 0) nc = std::max(nc, (n + nr() - 1) / nr() * nr());  // whole rows
  }

  Value loop_block(Value total, std::int64_t size, Value at) { return b.min(i64(size), b.sub(total, at)); }

  bool run() {
    if (!sort_axes()) return false;
    choose_blocks();
    on = p.goes_on_from(target, core);
    std::vector<int> reads = p.roots_of(target);
    heavy = target.root != core && p.analysis_.cost(target.root) > 10;
    block_buffer = panel_buffer(mr * nr(), 1, t);
    Env env = p.top_;
    env.width = width;
    env.mask_tail = true;
    // Where V is the same for all of the outer axes, it is packed around their loops, not inside.
    outer_inside = pack_v && std::none_of(outer.begin(), outer.end(), [&](int a) { return in(v_operand, a); });
    const std::vector<int> around = outer_inside ? std::vector<int>{} : outer;
    p.scoped([&] { p.loops(env, around, -1, 1, 1, reads, [&](std::span<Env> envs) { cut_k(envs[0]); }); });
    return true;
  }

  // ---- cache blocks ----
  void cut_k(Env& env) {
    const Value k0 = length(k_axes[0]);
    const std::int64_t inside = k_inner();
    std::int64_t block = std::max<std::int64_t>(1, kc / inside) * group.size;
    if (const auto known = b.known(k0); known && *known > 0) {
      const std::int64_t cuts = (*known + block - 1) / block;
      block = (*known + cuts - 1) / cuts;
      const int unit = width > 1 && cuts > 1 && k_axes.size() == 1 ? width * group.size : group.size;
      block = (block + unit - 1) / unit * unit;
    }
    const std::int64_t lanes = block / group.size * inside;
    const std::int64_t columns = std::min<std::int64_t>(nc, b.known(n_count) ? guess(n_count) + nr() : nc) + nr();
    if (pack_s) s_buffer = panel_buffer(mc + mr, lanes, packed_type());
    if (pack_v) v_buffer = panel_buffer(columns, lanes, packed_type());
    if (group.shifted) shift_buffer = panel_buffer(columns, 1, packed_type());
    const Value cuts = b.ceil_div(k0, i64(block));
    Value trips = cuts;
    for (int a : k_turns) trips = b.mul(trips, length(a));
    const bool one = b.is(trips, 1);
    if (!k_turns.empty() && b.known(trips).value_or(0) <= 0) k_guard = b.compare(loop::Op::gt, trips, i64(0));
    if (!one && !target_holds_partial()) partial.emplace(p.new_slot(partial_axes(), t, n_axis));
    // K may be empty: the blocks then end at once with sums of nothing.
    const Value upper = b.max(trips, i64(1));
    b.for_loop(i64(0), upper, i64(1), [&](Value trip) {
      p.scoped([&] {
        Env e = env;
        const Value from = b.mul(place_turns(e, trip, cuts), i64(block));
        Value count = b.max(loop_block(k0, block, from), i64(0));
        if (k_guard >= 0) count = b.select(k_guard, count, i64(0));
        const Value first = one ? b.boolean(true) : b.compare(loop::Op::eq, trip, i64(0));
        const Value last = one ? b.boolean(true) : b.compare(loop::Op::eq, trip, b.sub(upper, i64(1)));
        cut_n(e, b.add(from, axis(k_axes[0]).lo), count, first, last);
      });
    });
  }

  /// Sets the axes of k_turns to where they stand in a trip; gives the number of the block of K, of which there are
  /// `cuts`: a block is gone through for all turns, or, where sums have one order, a turn in all blocks.
  Value place_turns(Env& e, Value trip, Value cuts) {
    Value number = -1;
    if (!k_turns.empty() && p.one_order(core)) {
      cuts = b.max(cuts, i64(1));
      number = b.binary(loop::Op::floor_rem, trip, cuts);
      trip = b.binary(loop::Op::floor_div, trip, cuts);
    }
    for (std::size_t i = k_turns.size(); i-- > 0;) {
      const AxisState& a = axis(k_turns[i]);
      const Value n = b.max(length(k_turns[i]), i64(1));
      e.lane[static_cast<std::size_t>(k_turns[i])] =
          p.affine(b.add(b.binary(loop::Op::floor_rem, trip, n), a.lo), 0, 0,
                   a.max_known == INT64_MAX ? INT64_MAX : std::max<std::int64_t>(a.max_known, 1) - 1);
      trip = b.binary(loop::Op::floor_div, trip, n);
    }
    return number >= 0 ? number : trip;
  }

  std::vector<int> partial_axes() const {
    std::vector<int> r;
    if (outer_inside) r = outer;
    r.push_back(m_axis);
    if (n_outer >= 0) r.push_back(n_outer);
    r.push_back(n_axis);
    return r;
  }

  bool target_holds_partial() {
    if (target.type != t) return false;
    if (target.slot)
      return target.root == core || p.program_.node(target.root).op != ir::Op::set ? !reads_slot(target.root) : false;
    const auto& store = p.program_.node(target.store);
    const auto& arg = p.program_.args[static_cast<std::size_t>(store.imm & 0xffffffff)];
    if (store.op != ir::Op::store || arg.effect != ir::Effect::out || (store.flags & ir::flag_masked)) return false;
    for (int d = 0; d < arg.rank; ++d)
      if (!p.bare_over(p.program_.node(p.program_.operand(store, d)), static_cast<int>(store.imm & 0xffffffff), d) &&
          p.program_.node(p.program_.operand(store, d)).rank > 0)
        return false;
    return true;
  }

  /// Whether the epilogue reads the buffer that it writes.
  bool reads_slot(int root) {
    bool reads = false;
    p.for_each_fused(root, [&](int id) {
      const auto& n = p.program_.node(id);
      if (n.op == ir::Op::get) {
        const auto& s = p.slots_[static_cast<std::size_t>(p.program_.operand(n, 0))];
        reads |= s && s->buffer == target.slot->buffer;
      }
    });
    return reads;
  }

  /// Of a lane of a panel: the accumulator's type, or the bits of a group.
  DType packed_type() const { return group.size > 1 ? DType::i32 : t; }

  int panel_buffer(std::int64_t lanes, std::int64_t k, DType elem) {
    loop::Buffer buffer;
    buffer.name = "pack" + std::to_string(p.out_.buffers.size());
    buffer.elem = elem;
    const int index = b.buffer(std::move(buffer));
    b.alloc_first(index, i64((lanes + 4 * width) * std::max<std::int64_t>(1, k) + 64));
    return index;
  }

  void cut_n(Env& env, Value k_from, Value k_count, Value first, Value last) {
    const Value flat = flat_k(k_count);
    b.for_loop(i64(0), n_count, i64(nc), [&](Value jc) {
      p.scoped([&] {
        const Value columns = loop_block(n_count, nc, jc);
        if (pack_v)
          once(v_operand, b.known(n_count) && *b.known(n_count) <= nc, k_count,
               [&] { pack_vectors(env, k_from, k_count, flat, jc, columns); });
        if (!outer_inside) return cut_m(env, k_from, k_count, flat, jc, columns, first, last);
        p.loops(env, outer, -1, 1, 1, p.roots_of(target),
                [&](std::span<Env> envs) { cut_m(envs[0], k_from, k_count, flat, jc, columns, first, last); });
      });
    });
  }

  void cut_m(Env& env, Value k_from, Value k_count, Value flat, Value jc, Value columns, Value first, Value last) {
    const auto panel = [&](Value ic) {
      p.scoped([&] {
        const Value rows = one_panel() ? m_count : loop_block(m_count, mc, ic);
        if (pack_s) once(s_operand, one_panel(), k_count, [&] { pack_scalars(env, k_from, k_count, flat, ic, rows); });
        blocks(env, k_from, k_count, flat, ic, rows, jc, columns, first, last);
      });
    };
    if (one_panel())
      b.if_then(b.compare(loop::Op::lt, i64(0), m_count), [&] { panel(i64(0)); });
    else
      b.for_loop(i64(0), m_count, i64(mc), panel);
  }

  /// Packs an operand: in the first turn only of the loops around it that do not change it, where it is packed whole.
  void once(int id, bool whole, Value k_count, const std::function<void()>& pack) {
    const auto k = b.known(k_count);
    Value first = -1;
    if (whole && k_turns.empty() && (outer.empty() || (outer_inside && id == v_operand)) && k &&
        k == b.known(length(k_axes[0]))) {
      int region = p.analysis_.region[static_cast<std::size_t>(core)];
      for (std::size_t i = p.loops_.size(); i-- > 0;) {
        const RegionSpan& r = p.analysis_.regions[static_cast<std::size_t>(region)];
        if (r.begin != p.loops_[i].opener || !p.analysis_.unchanged_in(id, region)) break;
        first = p.both(first, p.loops_[i].first);
        region = r.parent;
      }
    }
    if (first < 0) return pack();
    b.if_then(first, [&] { p.scoped(pack); });
  }

  /// Whether all rows are one block of M.
  bool one_panel() const { return axis(m_axis).max_known <= mc; }

  /// Lanes of a panel along K: groups of the first axis by elements of the others.
  Value flat_k(Value k_count) {
    Value n = b.ceil_div(k_count, i64(group.size));
    for (std::size_t i = 1; i < k_axes.size(); ++i) n = b.mul(n, length(k_axes[i]));
    return n;
  }

  // ---- packing ----
  Env at_k(const Env& env, std::size_t which, Value lane, bool vector) {
    Env e = env;
    e.guard = p.both(e.guard, k_guard);
    const AxisState& a = axis(k_axes[which]);
    e.lane[static_cast<std::size_t>(k_axes[which])] =
        p.affine(lane, vector ? 1 : 0, 0, a.max_known == INT64_MAX ? INT64_MAX : a.max_known - 1);
    return e;
  }
  Env at_m(const Env& env, Value row, bool vector) {
    Env e = env;
    const AxisState& a = axis(m_axis);
    e.lane[static_cast<std::size_t>(m_axis)] =
        p.affine(b.add(row, a.lo), vector ? 1 : 0, 0, a.max_known == INT64_MAX ? INT64_MAX : a.max_known - 1);
    return e;
  }
  Env at_n(const Env& env, Value column, bool vector) {
    Env e = env;
    const AxisState& a = axis(n_axis);
    e.lane[static_cast<std::size_t>(n_axis)] =
        p.affine(b.add(column, a.lo), vector ? 1 : 0, 0, a.max_known == INT64_MAX ? INT64_MAX : a.max_known - 1);
    if (n_outer >= 0) e.lane[static_cast<std::size_t>(n_outer)] = p.affine(i64(0), 0, 0, 0);
    return e;
  }

  /// The axes on which depends which products exist, as far as an operand says so: what makes its gaps, and summed axes
  /// with holes.
  std::vector<int> gap_axes(int id) const {
    std::vector<int> axes = p.gaps_[static_cast<std::size_t>(id)];
    const auto& n = p.program_.node(id);
    for (int i = 0; i < n.rank; ++i)
      if (axis(n.axes[i]).holes >= 0 && !p.program_.has_axis(node, n.axes[i])) axes.push_back(n.axes[i]);
    return axes;
  }

  /// Whether products that do not exist can be left out by zeros: always those of integers; those of floats where the
  /// other operand, which may be infinite there, has all axes on which that depends.
  bool zeros_serve() const {
    const int a = p.program_.operand(node, 0), c = p.program_.operand(node, 1);
    const auto within = [&](int id, int other) {
      const std::vector<int> axes = gap_axes(id);
      return std::all_of(axes.begin(), axes.end(), [&](int x) { return in(other, x); });
    };
    return !info(t).is_floating() || (within(a, c) && within(c, a));
  }

  /// Where an operand is to be 0, because products with it do not exist; −1: nowhere.
  Value exist(int id, Env& e) {
    Value m = -1;
    for (const std::int32_t o : p.program_.operands_of(node)) {
      const std::vector<int> axes = gap_axes(o);
      if (axes.empty() || !std::all_of(axes.begin(), axes.end(), [&](int x) { return in(id, x); })) continue;
      m = p.both(m, p.present(o, e));
      for (int a : axes)
        if (axis(a).holes >= 0) m = p.both(m, p.has(a, e.lane[static_cast<std::size_t>(a)], e));
    }
    return m;
  }

  /// The operand in the accumulator's type, as a vector where env has one.
  Value operand(int id, Env& e, bool vector) {
    const Val v = p.eval(id, e);
    const Value x = p.machine(p.cast_value(v, p.program_.node(id).type, node.type, 0, e), e, vector);
    const Value there = exist(id, e);
    return there < 0 ? x : b.select(there, x, b.constant({b.type(x).elem, 1, -1}, 0));
  }

  /// What a lane of a panel holds of an operand: itself, or the group that starts at the k where the first axis stands.
  Value packed(int id, Env& e, bool vector) {
    if (group.size == 1) return operand(id, e, vector);
    const Val k = e.lane[static_cast<std::size_t>(k_axes[0])];
    Value word = -1;
    for (int u = 0; u < group.size; ++u) {
      Env at = e;
      Value ku = b.add(k.base, i64(u)), inside = -1;
      if (group_left >= 0 && u > 0) {
        inside = b.compare(loop::Op::lt, i64(u), group_left);
        ku = b.select(inside, ku, k.base);
      }
      at.lane[static_cast<std::size_t>(k_axes[0])] = p.affine(ku, 0, 0, k.hi);
      Value x = shifted(id, operand(id, at, vector));
      const int bits = 32 / group.size;
      if (t == DType::f32) {  // bf16: the upper half
        const Value word_of_x = regroup(x, DType::u32, b.lanes(x));
        x = b.binary(loop::Op::shr, word_of_x, b.constant(b.type(word_of_x), 16));
        x = regroup(x, DType::i32, b.lanes(x));
      }
      const auto constant = [&](std::int64_t c) { return b.constant({DType::i32, b.type(x).lanes, -1}, c); };
      if (inside >= 0) x = b.select(inside, x, constant(0));
      if (u + 1 < group.size) x = b.binary(loop::Op::bit_and, x, constant((1 << bits) - 1));
      if (u > 0) x = b.binary(loop::Op::shl, x, constant(u * bits));
      word = word < 0 ? x : b.binary(loop::Op::bit_or, word, x);
    }
    return word;
  }

  /// Signed bytes as unsigned ones, where S holds them so.
  Value shifted(int id, Value x) { return group.shifted && id == s_operand ? b.add(x, b.constant(b.type(x), 128)) : x; }

  /// The bits of v as `lanes` lanes of another type.
  Value regroup(Value v, DType to, int lanes) {
    return b.emit(loop::Op::bitcast, {to, static_cast<std::uint16_t>(lanes), -1}, {v});
  }

  /// `width` lanes of a panel that follow each other along K, where `e` stands at the first.
  Value packed_along(int id, Env& e) {
    if (group.size == 1) return operand(id, e, true);
    e.width = width * group.size;
    const Value x = shifted(id, operand(id, e, true));
    return regroup(b.cast(x, id == s_operand ? group.s : group.v), DType::i32, width);
  }

  /// Loops over the groups of the first K axis that begin at [from, count); `body` gets k and the number of the group.
  void each_group(Value from, Value count, const std::function<void(Value, Value)>& body) {
    const Value size = i64(group.size);
    const Value whole = b.binary(loop::Op::floor_div, count, size);
    b.for_loop(b.binary(loop::Op::floor_div, from, size), whole, i64(1),
               [&](Value g) { p.scoped([&] { body(b.mul(g, size), g); }); });
    if (group.size == 1) return;
    const Value left = b.sub(count, b.mul(whole, size));
    if (b.is(left, 0)) return;
    b.if_then(b.compare(loop::Op::gt, left, i64(0)), [&] {
      p.scoped([&] {
        group_left = left;
        body(b.mul(whole, size), whole);
        group_left = -1;
      });
    });
  }

  /// Loops over all lanes of a panel along K in order, for an operand; `body` gets where each K axis stands and the
  /// flat number.
  void each_k(const Env& env, int id, Value k_from, Value k_count, const std::function<void(Env&, Value)>& body) {
    const std::function<void(std::size_t, Env, Value)> level = [&](std::size_t d, Env e, Value flat) {
      p.hoist(e, id);
      if (d == k_axes.size()) return body(e, flat);
      if (d == 0)
        return each_group(i64(0), k_count, [&](Value k, Value g) { level(1, at_k(e, 0, b.add(k_from, k), false), g); });
      const Value lo = axis(k_axes[d]).lo, n = length(k_axes[d]);
      b.for_loop(i64(0), n, i64(1), [&](Value k) {
        p.scoped([&] { level(d + 1, at_k(e, d, b.add(lo, k), false), b.add(b.mul(flat, n), k)); });
      });
    };
    Env all = env;
    all.guard = p.both(all.guard, k_guard);
    level(0, all, i64(0));
  }

  Value rest_mask(Value rest) {
    return b.compare(loop::Op::lt, b.iota(DType::i32, width),
                     b.broadcast(b.cast(b.min(b.max(rest, i64(0)), i64(width)), DType::i32), width));
  }

  /// V as panels of nr columns, K-major; or, over a collapsed axis, as rows of all columns.
  void pack_vectors(Env& env, Value k_from, Value k_count, Value flat, Value jc, Value columns) {
    if (n_outer >= 0) {
      pack_rows(env, k_from, k_count);
      if (group.shifted)
        b.for_loop(i64(0), n_count, i64(nr()),
                   [&](Value c) { p.scoped([&] { shift_panel(c, row_stride(), c, flat); }); });
      return;
    }
    const Value whole = b.round_down(columns, nr());
    const auto panel = [&](Value j, bool partial_panel) {
      const Value base = b.mul(j, flat);
      const Value column = b.add(jc, j);
      if (v_along_k && k_axes.size() == 1)
        return transpose_panel(
            env, v_operand, v_buffer, base, nr(), k_from, k_count,
            [&](Env& e, int lane) {
              Value c = b.add(column, i64(lane));
              if (partial_panel) c = b.min(c, b.sub(n_count, i64(1)));
              return at_n(e, c, false);
            },
            nr());
      each_k(env, v_operand, k_from, k_count, [&](Env& e, Value k) {
        for (int v = 0; v < nv; ++v) {
          Env at = at_n(e, b.add(column, i64(v * width)), true);
          at.width = width;
          Value x;
          if (partial_panel) {
            at.tail = rest_mask(b.sub(b.sub(n_count, column), i64(v * width)));
            x = packed(v_operand, at, true);
          } else {
            x = packed(v_operand, at, true);
          }
          b.store(v_buffer, b.add(b.add(base, b.mul(k, i64(nr()))), i64(v * width)), x);
        }
      });
    };
    const auto made = [&](Value j, bool partial_panel) {
      p.scoped([&] { panel(j, partial_panel); });
      if (group.shifted) p.scoped([&] { shift_panel(b.mul(j, flat), i64(nr()), j, flat); });
    };
    b.for_loop(i64(0), whole, i64(nr()), [&](Value j) { made(j, false); });
    b.if_then(b.compare(loop::Op::lt, whole, columns), [&] { made(whole, true); });
  }

  /// −128 Σ_k V of the nr columns from `column` on; lane k of the panel is at base + k × step.
  void shift_panel(Value base, Value step, Value column, Value flat) {
    const loop::Type vt{DType::i32, static_cast<std::uint16_t>(width), -1};
    const Value ones = b.constant({DType::u8, static_cast<std::uint16_t>(width * 4), -1}, 1);
    const std::vector<Value> zeros(static_cast<std::size_t>(nv), b.constant(vt, 0));
    const auto sums = b.for_loop(i64(0), flat, i64(1), zeros, [&](Value k, std::span<const Value> carried) {
      std::vector<Value> next;
      for (int v = 0; v < nv; ++v) {
        const Value x = b.load(v_buffer, b.add(b.add(base, b.mul(k, step)), i64(v * width)), vt);
        const Value bytes = regroup(x, DType::i8, width * 4);
        next.push_back(b.emit(loop::Op::fma, vt, {ones, bytes, carried[static_cast<std::size_t>(v)]}));
      }
      return next;
    });
    for (int v = 0; v < nv; ++v)
      b.store(shift_buffer, b.add(column, i64(v * width)),
              b.mul(sums[static_cast<std::size_t>(v)], b.constant(vt, -128)));
  }

  /// V as rows over (n_outer, n_axis) together: row k has n_count columns, and room for whole vectors.
  void pack_rows(Env& env, Value k_from, Value k_count) {
    const Value row = row_stride();
    each_k(env, v_operand, k_from, k_count, [&](Env& e, Value k) {
      const Value base = b.mul(k, row);
      b.for_loop(i64(0), length(n_outer), i64(1), [&](Value o) {
        p.scoped([&] {
          Env at = e;
          at.lane[static_cast<std::size_t>(n_outer)] = p.affine(o, 0, 0, axis(n_outer).max_known - 1);
          at.width = width;
          p.hoist(at, v_operand);
          const Value start = b.add(base, b.mul(o, length(n_axis)));
          const std::int64_t run = guess(length(n_axis));
          for (std::int64_t c = 0; c < run;
               c += width) {  // what a last vector has too much is written over by the next run
            Env ev = at;
            ev.lane[static_cast<std::size_t>(n_axis)] = p.affine(i64(c), 1, 0, run - 1);
            if (c + width > run) ev.tail = rest_mask(i64(run - c));
            b.store(v_buffer, b.add(start, i64(c)), packed(v_operand, ev, true));
          }
        });
      });
    });
  }
  Value row_stride() { return b.add(b.round_up(n_count, nr()), i64(width)); }

  /// S as panels of mr rows, K-major.
  void pack_scalars(Env& env, Value k_from, Value k_count, Value flat, Value ic, Value rows) {
    b.for_loop(i64(0), rows, i64(mr), [&](Value i) {
      p.scoped([&] {
        const Value base = b.mul(i, flat), row = b.add(ic, i), end = b.sub(m_count, i64(1));
        if (s_along_k && k_axes.size() == 1)
          return transpose_panel(
              env, s_operand, s_buffer, base, mr, k_from, k_count,
              [&](Env& e, int lane) { return at_m(e, b.min(b.add(row, i64(std::min(lane, mr - 1))), end), false); },
              mr);
        each_k(env, s_operand, k_from, k_count, [&](Env& e, Value k) {
          const Value place = b.add(base, b.mul(k, i64(mr)));
          if (!s_along_k && mr <= width) {
            Env at = at_m(e, row, true);
            at.tail = rest_mask(b.sub(m_count, row));
            b.store(s_buffer, place, packed(s_operand, at, true));  // lanes past mr are written over by the next k
            return;
          }
          for (int r = 0; r < mr; ++r) {
            Env at = at_m(e, b.min(b.add(row, i64(r)), end), false);
            b.store(s_buffer, b.add(place, i64(r)), packed(s_operand, at, false));
          }
        });
      });
    });
  }

  /// Reads `lanes` rows by vectors along K and writes them turned: element (k, lane) at base + k × lanes + lane.
  void transpose_panel(Env& env, int id, int buffer, Value base, int lanes, Value k_from, Value k_count,
                       const std::function<Env(Env&, int)>& at_lane, int stride) {
    const int step = width * group.size;
    const Value whole = b.round_down(k_count, step);
    b.for_loop(i64(0), whole, i64(step), [&](Value k) {
      p.scoped([&] {
        Env e = at_k(env, 0, b.add(k_from, k), true);
        const Value number = b.binary(loop::Op::floor_div, k, i64(group.size));
        std::vector<std::vector<Value>> groups;
        for (int from = 0; from < lanes; from += width) {
          auto& rows = groups.emplace_back();
          for (int r = 0; r < width; ++r) {
            Env at = at_lane(e, std::min(from + r, lanes - 1));
            rows.push_back(packed_along(id, at));
          }
          turn(b, rows);
        }
        // k by k: what a last group has too much is written over by the next k.
        for (int r = 0; r < width; ++r)
          for (std::size_t g = 0; g < groups.size(); ++g)
            b.store(buffer,
                    b.add(b.add(base, b.mul(b.add(number, i64(r)), i64(stride))),
                          i64(static_cast<std::int64_t>(g) * width)),
                    groups[g][static_cast<std::size_t>(r)]);
      });
    });
    each_group(whole, k_count, [&](Value k, Value number) {
      Env e = at_k(env, 0, b.add(k_from, k), false);
      for (int lane = 0; lane < lanes; ++lane) {
        Env at = at_lane(e, lane);
        b.store(buffer, b.add(b.add(base, b.mul(number, i64(stride))), i64(lane)), packed(id, at, false));
      }
    });
  }

  // ---- register blocks ----
  /// One shape of register block and what may cut it short, known (guard, edge) or seen as it runs (may_…).
  struct Shape {
    int height, vectors;
    bool guard = false, edge = false;          ///< rows, columns of this block are cut short by the target's end
    bool may_guard = false, may_edge = false;  ///< … or may be: the sums are made whole, and only written with care
    bool may() const { return may_guard || may_edge; }
  };

  /// Whether blocks cut short are made whole, by the same code: where their lost work is a small part of all.
  bool merges(std::optional<std::int64_t> total, int unit, int step, bool packed) const {
    if (!packed) return false;
    const std::int64_t lost = total ? ((unit - *total % unit) % unit) / step * step : 0;
    return !total || lost * 20 <= *total;
  }

  void blocks(Env& env, Value k_from, Value k_count, Value flat, Value ic, Value rows, Value jc, Value columns,
              Value first, Value last) {
    const auto m_total = b.known(m_count), n_total = b.known(n_count);
    const bool m_cut = !m_total || *m_total % mr != 0, n_cut = !n_total || *n_total % nr() != 0;
    const bool m_merges = m_cut && merges(m_total, mr, 1, pack_s) && (!m_total || *m_total > mr);
    const bool n_merges = n_cut && merges(n_total, nr(), width, pack_v) && (!n_total || *n_total > nr());
    const auto across = [&](Value j, int vectors, bool edge) {
      const auto down = [&](Value i, int height, bool guard) {
        const Shape shape{height, vectors, guard, edge, !guard && m_merges, !edge && n_merges};
        p.scoped([&] { block(env, k_from, k_count, flat, ic, i, rows, jc, j, columns, shape, first, last); });
      };
      const Value whole = m_merges ? rows : b.round_down(rows, mr);
      b.for_loop(i64(0), whole, i64(mr), [&](Value i) { down(i, mr, false); });
      if (m_merges || !m_cut) return;
      if (const auto known = b.known(rows)) {
        if (*known % mr) down(whole, static_cast<int>(*known % mr), false);
      } else if (m_total && mc % mr == 0) {
        b.if_then(b.compare(loop::Op::lt, whole, rows), [&] { down(whole, static_cast<int>(*m_total % mr), false); });
      } else {
        b.if_then(b.compare(loop::Op::lt, whole, rows), [&] { down(whole, mr, true); });
      }
    };
    const Value whole = n_merges ? columns : b.round_down(columns, nr());
    b.for_loop(i64(0), whole, i64(nr()), [&](Value j) { p.scoped([&] { across(j, nv, false); }); });
    if (n_merges || !n_cut) return;
    const int rest = n_total ? static_cast<int>((*n_total % nr() + width - 1) / width) : nv;
    b.if_then(b.compare(loop::Op::lt, whole, columns), [&] { p.scoped([&] { across(whole, rest, true); }); });
  }

  void block(Env& env, Value k_from, Value k_count, Value flat, Value ic, Value i, Value rows, Value jc, Value j,
             Value columns, const Shape& shape, Value first, Value last) {
    const Value row = b.add(ic, i), column = b.add(jc, j);
    const int height = shape.height, vectors = shape.vectors;
    const loop::Type vt{t, static_cast<std::uint16_t>(width), -1};
    const std::size_t count = static_cast<std::size_t>(height * vectors);
    const std::vector<Value> none(static_cast<std::size_t>(vectors), -1);
    const auto rest_masks = [&](bool cut) {
      std::vector<Value> masks = none;
      for (int v = 0; cut && v < vectors; ++v) {
        const auto total = b.known(n_count);
        if (shape.edge && total && (v + 1) * width <= *total % nr()) continue;
        masks[static_cast<std::size_t>(v)] = rest_mask(b.sub(b.sub(n_count, column), i64(v * width)));
      }
      return masks;
    };
    const std::vector<Value> masks = rest_masks(shape.edge);
    const auto place = [&](Value at_row, int v, const std::vector<Value>& with) {
      Env e = at_n(at_m(env, at_row, false), b.add(column, i64(v * width)), true);
      e.width = width;
      e.tail = with[static_cast<std::size_t>(v)];
      return e;
    };
    const auto at = [&](int r) { return b.add(row, i64(r)); };
    prefetch_target([&](int r, int v) { return place(at(r), v, masks); }, height, vectors);
    const Value zero = b.constant(vt, 0);
    const auto each_vector = [&](const std::function<Value(Env&)>& read) {
      const bool guard = shape.guard || shape.may_guard;
      const std::vector<Value> with = rest_masks(shape.edge || shape.may_edge);
      std::vector<Value> values;
      p.scoped([&] {
        for (int r = 0; r < height; ++r)
          for (int v = 0; v < vectors; ++v) {
            Env e = place(guard ? b.min(at(r), b.sub(m_count, i64(1))) : at(r), v, with);
            values.push_back(read(e));
          }
      });
      return values;
    };
    std::vector<Value> acc = b.if_else(
        first,
        [&] {
          if (on.from < 0) return std::vector<Value>(count, zero);
          return each_vector([&](Env& e) { return operand(on.from, e, true); });
        },
        [&] { return each_vector([&](Env& e) { return p.machine(read_partial(e), e, true); }); });
    acc = sum(env, k_from, k_count, flat, row, i, height, shape.guard, column, j, vectors, masks, acc);

    // Writing: `finished` sums go through the epilogue, others are kept for the next cut of K.
    const auto write = [&](Env& e, Value v, bool finished) {
      if (!finished) return write_partial(e, v);
      p.remember(on.from < 0 ? core : on.sum, e, p.wrap(p.round_to(p.wrap_to(v, node.type), node.type)));
      p.write_point(target, e);
    };
    const auto unrolled = [&](bool finished) {
      p.scoped([&] {
        for (int r = 0; r < height; ++r) {
          const auto row_of_block = [&] {
            for (int v = 0; v < vectors; ++v) {
              Env e = place(at(r), v, masks);
              write(e, acc[static_cast<std::size_t>(r * vectors + v)], finished);
            }
          };
          if (!shape.guard) {
            row_of_block();
            continue;
          }
          b.if_then(b.compare(loop::Op::lt, at(r), m_count), [&] { p.scoped(row_of_block); });
        }
      });
    };
    // An epilogue of many operations, or of a block cut short, is written once, in a loop over the rows of the block.
    const auto in_loop = [&](bool finished, bool guard, const std::vector<Value>& with) {
      for (int r = 0; r < height; ++r)
        for (int v = 0; v < vectors; ++v)
          b.store(block_buffer, i64((r * vectors + v) * width), acc[static_cast<std::size_t>(r * vectors + v)]);
      const Value there = guard ? b.min(i64(height), b.sub(m_count, row)) : i64(height);
      b.for_loop(i64(0), there, i64(1), [&](Value r) {
        p.scoped([&] {
          for (int v = 0; v < vectors; ++v) {
            Env e = place(b.add(row, r), v, with);
            write(e, b.load(block_buffer, b.add(b.mul(r, i64(vectors * width)), i64(v * width)), vt), finished);
          }
        });
      });
    };
    const auto end = [&](bool finished) {
      const auto plain = [&] { finished&& heavy ? in_loop(true, shape.guard, masks) : unrolled(finished); };
      if (!shape.may()) {
        plain();
        return std::vector<Value>{};
      }
      Value whole = -1;
      if (shape.may_guard) whole = b.compare(loop::Op::le, b.add(i, i64(height)), rows);
      if (shape.may_edge) whole = p.both(whole, b.compare(loop::Op::le, b.add(j, i64(vectors * width)), columns));
      return b.if_else(
          whole, [&] { return plain(), std::vector<Value>{}; },
          [&] {
            p.scoped(
                [&] { in_loop(finished, shape.guard || shape.may_guard, shape.may_edge ? rest_masks(true) : masks); });
            return std::vector<Value>{};
          });
    };
    b.if_else(last, [&] { return end(true); }, [&] { return end(false); });
  }

  /// Asks for the block of the target while its sums are made.
  void prefetch_target(const std::function<Env(int, int)>& place, int height, int vectors) {
    if (target.slot || p.program_.node(target.store).op != ir::Op::store) return;
    const int per_line = std::max(1, 64 / (width * std::max(1, info(t).bits / 8)));
    for (int r = 0; r < height; ++r)
      for (int v = 0; v < vectors; v += per_line) {
        Env e = place(r, v);
        Value inside;
        const auto& store = p.program_.node(target.store);
        const Val offset = p.offset_of(store, e, inside);
        if (offset.affine && inside < 0)
          b.prefetch(p.arg_buffer(static_cast<int>(store.imm & 0xffffffff)), offset.base, true, 3);
      }
  }

  Val read_partial(Env& e) {
    if (partial) return p.read_slot(*partial, e);
    if (target.slot) return p.read_slot(*target.slot, e);
    Value inside;
    const auto& store = p.program_.node(target.store);
    const Val offset = p.offset_of(store, e, inside);
    return p.read_memory(p.arg_buffer(static_cast<int>(store.imm & 0xffffffff)), target.type, offset, inside, e);
  }

  void write_partial(Env& e, Value v) {
    if (!partial) return p.write_value(target, e, p.wrap(v), t);
    Planner::Target into{&*partial, -1, {}, -1, t};
    p.write_value(into, e, p.wrap(v), t);
  }

  /// The loop over K: height × vectors accumulators in registers.
  std::vector<Value> sum(Env& env, Value k_from, Value k_count, Value flat, Value row, Value i, int height, bool guard,
                         Value column, Value j, int vectors, const std::vector<Value>& masks, std::vector<Value> acc) {
    const loop::Type vt{t, static_cast<std::uint16_t>(width), -1};
    const Value s_base = pack_s ? b.mul(i, flat) : -1;
    const Value v_base = pack_v ? n_outer >= 0 ? column : b.mul(j, flat) : -1;
    const Value v_step = pack_v ? n_outer >= 0 ? row_stride() : i64(nr()) : -1;
    const bool floating = info(t).is_floating();
    const DType pt = packed_type();
    if (group.shifted)
      for (int v = 0; v < vectors; ++v) {
        const Value shift = b.load(shift_buffer, b.add(n_outer >= 0 ? column : j, i64(v * width)), {pt, vt.lanes, -1});
        for (int r = 0; r < height; ++r) {
          Value& x = acc[static_cast<std::size_t>(r * vectors + v)];
          x = b.add(x, shift);
        }
      }
    const auto step = [&](Env& e, Value k, std::vector<Value> a) {
      std::vector<Value> vs;
      for (int v = 0; v < vectors; ++v) {
        if (pack_v) {
          vs.push_back(b.load(v_buffer, b.add(b.add(v_base, b.mul(k, v_step)), i64(v * width)), {pt, vt.lanes, -1}));
        } else {
          Env at = at_n(e, b.add(column, i64(v * width)), true);
          at.tail = masks[static_cast<std::size_t>(v)];
          vs.push_back(operand(v_operand, at, true));
        }
      }
      for (int r = 0; r < height; ++r) {
        Value s;
        if (pack_s) {
          s = b.load(s_buffer, b.add(b.add(s_base, b.mul(k, i64(mr))), i64(r)), {pt, 1, -1});
        } else {
          Value at_row = b.add(row, i64(r));
          if (guard) at_row = b.min(at_row, b.sub(m_count, i64(1)));
          Env at = at_m(e, at_row, false);
          s = operand(s_operand, at, false);
        }
        s = b.broadcast(s, width);
        for (int v = 0; v < vectors; ++v) {
          Value& x = a[static_cast<std::size_t>(r * vectors + v)];
          if (group.size > 1) {  // fma of narrow lanes into the 32-bit lane above them
            const int lanes = width * group.size;
            x = b.emit(loop::Op::fma, vt,
                       {regroup(s, group.s, lanes), regroup(vs[static_cast<std::size_t>(v)], group.v, lanes), x});
            continue;
          }
          x = floating ? p.mul_add(s, vs[static_cast<std::size_t>(v)], x)
                       : b.add(x, b.mul(s, vs[static_cast<std::size_t>(v)]));
        }
      }
      return a;
    };
    const auto run = [&](Value from, Value to, int unroll, std::vector<Value> a) {
      return b.for_loop(from, to, i64(unroll), a, [&](Value k, std::span<const Value> carried) {
        return p.scoped([&] {
          std::vector<Value> next(carried.begin(), carried.end());
          for (int u = 0; u < unroll; ++u) {
            const Value ku = b.add(k, i64(u));
            Env e = at_k(env, 0, b.add(k_from, ku), false);
            next = step(e, ku, next);
          }
          return next;
        });
      });
    };
    if ((pack_s && pack_v) || k_axes.size() == 1) {
      const Value total = pack_s && pack_v ? flat : k_count;
      // LLVM would sum the products of several steps of integers first, and run out of registers.
      const int unroll = group.size > 1 && !floating ? 1 : 4;
      const Value whole = b.round_down(total, unroll);
      acc = run(i64(0), whole, unroll, acc);
      return run(whole, total, 1, acc);
    }
    const std::function<std::vector<Value>(std::size_t, Env, std::vector<Value>)> level = [&](std::size_t d, Env e,
                                                                                              std::vector<Value> a) {
      if (d == k_axes.size()) return step(e, -1, a);
      const Value lo = d == 0 ? k_from : axis(k_axes[d]).lo, n = d == 0 ? k_count : length(k_axes[d]);
      return b.for_loop(lo, b.add(lo, n), i64(1), a, [&](Value k, std::span<const Value> carried) {
        return p.scoped([&] { return level(d + 1, at_k(e, d, k, false), {carried.begin(), carried.end()}); });
      });
    };
    return level(0, env, acc);
  }
};

bool Planner::contraction_nest(const Target& target, int core) {
  for (int a : target.axes)
    if (axis_[static_cast<std::size_t>(a)].hi < 0 || axis_[static_cast<std::size_t>(a)].holes >= 0) return false;
  if (target.store >= 0 && !has_all(target.store)) return false;
  Contraction contraction(*this, target, core);
  return contraction.zeros_serve() && contraction.run();
}

}  // namespace cpu
TESSERA_END
