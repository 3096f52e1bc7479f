// Owns operations that move lanes or rename axes: at, put, as, pad, split, merge, join, flip.
#pragma once

#include "tessera/language/reduce.hpp"

TESSERA_BEGIN
namespace detail {

/// One axis of a tile indexed, in positions of that axis.
constexpr int at_node(Recorder* r, int x, std::string_view axis, const Operand& index, std::uint32_t line) {
  if (r->bad) return -1;
  const int from = r->find_axis(x, axis, "at", line);
  if (from < 0) return -1;
  if (index.kind == LiteralKind::floating) {
    r->fail(line) << "at: an index is an integer";
    return -1;
  }
  const int i = node_i64(r, index, "at");
  if (i < 0) return -1;
  ir::Node n = r->node(x);
  n.op = ir::Op::at;
  n.flags = 0;
  n.imm = from;
  Recorder::drop_axis(n, from);
  r->add_axes(n, i, line);
  const int in[] = {x, i};
  return r->bad ? -1 : r->push(n, line, in, 2);
}

/// Several axes, one after the other; a padded tile stays padded in between.
constexpr Tile at_all(const Operand& a, Axes axes, const Operand* index) {
  Recorder* r = recorder_of(a);
  int x = node_of(r, a, "at");
  if (x < 0) return result(r, -1);
  const int pad = r->node(x).op == ir::Op::pad ? r->operand(x, 1) : -1;
  for (int i = 0; i < axes.count && !r->bad; ++i) {
    if (i != 0 && pad >= 0) {
      ir::Node n = r->node(x);
      n.op = ir::Op::pad;
      n.flags = 0;
      n.imm = 0;
      const int in[] = {x, pad};
      x = r->push(n, a.line, in, 2);
    }
    x = at_node(r, x, axes.names[i], index[i], a.line);
  }
  return result(r, x);
}

constexpr Tile pad_tile(const Operand& a, const Operand& value) {
  Recorder* r = recorder_of(a, value);
  const int x = node_of(r, a, "pad");
  if (x < 0) return result(r, -1);
  const int in[] = {x, node_as(r, value, r->type(x), "pad")};
  if (r->bad) return result(r, -1);
  if (r->node(in[1]).rank != 0) {
    r->fail(a.line) << "pad: the value outside has axes: it is one number";
    return result(r, -1);
  }
  ir::Node n = r->node(x);
  n.op = ir::Op::pad;
  n.flags = 0;
  n.imm = 0;
  return result(r, r->push(n, a.line, in, 2));
}

/// The axis with the positions of `axis` under another name; a new one is defined by the next node.
constexpr int rename_axis(Recorder* r, int axis, std::string_view to, std::uint32_t line, bool& made) {
  const int root = r->axis_meta[axis].root, name = r->intern(to);
  made = false;
  if (r->axes[root].name == name) return root;
  const int known = r->renamed_axis(root, name);
  if (known >= 0) return known;
  ir::Axis a = r->axes[axis];
  a.name = name;
  a.parent = root;
  a.kind = ir::AxisKind::alias;
  a.node = r->nodes.size();
  AxisMeta m = r->axis_meta[axis];
  m.root = root;
  made = true;
  return r->make_axis(a, m, line);
}

constexpr Block rename_block(const Block& b, std::string_view to, Here l) {
  const Operand o(b, l);
  Recorder* r = o.recorder;
  if (!usable(r, o.id, o.line)) return {r, -1};
  const int from = r->node(o.id).axes[0];
  if (r->axis_name(from) == to) return b;
  bool made = false;
  const int axis = rename_axis(r, from, to, o.line, made);
  if (r->bad) return {r, -1};
  if (!made && r->is_block(r->axes[axis].node)) return {r, r->axes[axis].node};
  ir::Node n = r->node(o.id);
  n.op = ir::Op::alias;
  n.flags = 0;
  n.imm = 0;
  n.axes[0] = static_cast<std::uint8_t>(axis);
  return {r, r->push(n, o.line, &o.id, 1)};
}

constexpr Tile rename_tile(const Operand& a, std::string_view from, std::string_view to) {
  Recorder* r = recorder_of(a);
  const int x = node_of(r, a, "as");
  if (x < 0) return result(r, -1);
  const int axis = r->find_axis(x, from, "as", a.line);
  if (axis < 0) return result(r, -1);
  if (from == to) return result(r, x);
  ir::Node n = r->node(x);
  n.op = ir::Op::rename;
  n.flags = 0;
  Recorder::drop_axis(n, axis);
  bool made = false;
  const int renamed = rename_axis(r, axis, to, a.line, made);
  if (r->bad) return result(r, -1);
  n.imm = axis | std::int64_t{renamed} << 32;
  r->add_axis(n, renamed, a.line);
  return result(r, r->bad ? -1 : r->push(n, a.line, &x, 1));
}

/// A block that has the axis, for positions along it.
constexpr int block_of_axis(Recorder* r, int axis, std::string_view what, std::uint32_t line) {
  const int node = r->axes[axis].node;
  if (r->is_block(node)) return node;
  const int root = r->axes[r->axis_meta[axis].root].node;
  if (!r->is_block(root)) {
    r->fail(line) << what << ": axis " << r->axis_name(axis)
                  << " was made by an operation and has no positions of its own";
    return -1;
  }
  ir::Node n = r->node(root);
  n.op = ir::Op::alias;
  n.flags = 0;
  n.imm = 0;
  n.axes[0] = static_cast<std::uint8_t>(axis);
  return r->push(n, line, &root, 1);
}

constexpr Tile flipped(const Operand& a, std::string_view along) {
  Recorder* r = recorder_of(a);
  const OnLine on(r, a.line);
  const int x = node_of(r, a, "flip");
  if (x < 0) return result(r, -1);
  const int axis = r->find_axis(x, along, "flip", a.line);
  if (axis < 0) return result(r, -1);
  const int id = block_of_axis(r, axis, "flip", a.line);
  if (id < 0) return result(r, -1);
  const Block b(r, id);
  const Tile mirrored = b.begin() + b.end() - 1 - b;
  return result(r, at_node(r, x, along, Operand(mirrored, Here{}), a.line));
}

struct NewAxis {
  int axis = -1;
  bool made = false;
};
/// An axis that an operation makes: the same one for the same operation on the same axes.
constexpr NewAxis made_axis(Recorder* r, std::string_view axis_name, ir::AxisKind kind, int parent, int a, int b, int c,
                            std::uint32_t line, int ahead = 0) {
  const int n = r->intern(axis_name);
  const int known = r->made_axis(n, a, b, c);
  if (known >= 0) return {known, false};
  ir::Axis x;
  x.name = n;
  x.parent = parent;
  x.kind = kind;
  x.node = r->nodes.size() + ahead;
  AxisMeta m;
  m.key[0] = a;
  m.key[1] = b;
  m.key[2] = c;
  return {r->make_axis(x, m, line), true};
}

constexpr Tile split_tile(const Operand& a, std::string_view axis, std::string_view outer, std::string_view inner,
                          const Operand& size, const Operand* outer_block, const Operand* inner_block) {
  Recorder* r = recorder_of(a);
  const int x = node_of(r, a, "split");
  if (x < 0) return result(r, -1);
  const int from = r->find_axis(x, axis, "split", a.line);
  if (from < 0) return result(r, -1);
  int cut = -1, to_outer = -1, to_inner = -1;
  if (outer_block != nullptr) {
    const int o = node_of(r, *outer_block, "split"), i = node_of(r, *inner_block, "split");
    if (r->bad) return result(r, -1);
    if (!r->is_block(o) || !r->is_block(i)) {
      r->fail(a.line) << "split: the outer and the inner axis are given as blocks";
      return result(r, -1);
    }
    to_outer = r->node(o).axes[0];
    to_inner = r->node(i).axes[0];
    cut = r->axis_meta[to_inner].cut;
    if (cut < 0) {
      r->fail(a.line) << "split: the inner block has no size of its own: use k.lanes<\"" << r->axis_name(to_inner)
                      << "\">(size)";
      return result(r, -1);
    }
  } else {
    cut = node_i64(r, size, "split");
    if (cut < 0) return result(r, -1);
    if (!r->meta[cut].constant) {
      r->fail(a.line) << "split: the inner size is a number or a Dim";
      return result(r, -1);
    }
    // Two splits by an equal number make the same axes: the first one's node stands for the number.
    int same = cut;
    for (int i = 0; i < r->axes.size(); ++i)
      if (r->axis_meta[i].key[0] == 1000 + static_cast<int>(ir::Op::split) && r->same_cut(r->axis_meta[i].key[2], cut))
        same = r->axis_meta[i].key[2];
    const int key = 1000 + static_cast<int>(ir::Op::split);
    const NewAxis o = made_axis(r, outer, ir::AxisKind::made, from, key, from, same, a.line);
    const NewAxis i = made_axis(r, inner, ir::AxisKind::made, from, key, from, same, a.line);
    to_outer = o.axis;
    to_inner = i.axis;
  }
  if (r->bad) return result(r, -1);
  ir::Node n = r->node(x);
  n.op = ir::Op::split;
  n.flags = 0;
  n.imm = from | std::int64_t{to_outer} << 20 | std::int64_t{to_inner} << 40;
  Recorder::drop_axis(n, from);
  r->add_axis(n, to_outer, a.line);
  r->add_axis(n, to_inner, a.line);
  const int in[] = {x, cut};
  return result(r, r->bad ? -1 : r->push(n, a.line, in, 2));
}

constexpr Tile merge_tile(const Operand& a, std::string_view outer, std::string_view inner, std::string_view to,
                          const Operand* block) {
  Recorder* r = recorder_of(a);
  const int x = node_of(r, a, "merge");
  if (x < 0) return result(r, -1);
  const int from_outer = r->find_axis(x, outer, "merge", a.line);
  const int from_inner = from_outer < 0 ? -1 : r->find_axis(x, inner, "merge", a.line);
  if (from_inner < 0) return result(r, -1);
  int merged = -1;
  if (block != nullptr) {
    const int b = node_of(r, *block, "merge");
    if (b < 0) return result(r, -1);
    if (!r->is_block(b)) {
      r->fail(a.line) << "merge: the merged axis is given as a block or by name";
      return result(r, -1);
    }
    merged = r->node(b).axes[0];
  } else {
    merged = made_axis(r, to, ir::AxisKind::made, from_outer, 1000 + static_cast<int>(ir::Op::merge), from_outer,
                       from_inner, a.line)
                 .axis;
  }
  if (r->bad) return result(r, -1);
  ir::Node n = r->node(x);
  n.op = ir::Op::merge;
  n.flags = 0;
  n.imm = from_outer | std::int64_t{from_inner} << 20 | std::int64_t{merged} << 40;
  Recorder::drop_axis(n, from_outer);
  Recorder::drop_axis(n, from_inner);
  r->add_axis(n, merged, a.line);
  return result(r, r->bad ? -1 : r->push(n, a.line, &x, 1));
}

constexpr Tile join_tiles(const Operand& a, const Operand& b, std::string_view axis) {
  Recorder* r = recorder_of(a, b);
  if (r->bad) return result(r, -1);
  const DType t = common_type(r, a, b, "join");
  const int in[] = {node_as(r, a, t, "join"), node_as(r, b, t, "join")};
  if (r->bad) return result(r, -1);
  const int first = r->find_axis(in[0], axis, "join, first operand", a.line);
  const int second = first < 0 ? -1 : r->find_axis(in[1], axis, "join, second operand", b.line);
  if (second < 0) return result(r, -1);
  ir::Node n;
  n.op = ir::Op::join;
  n.type = t;
  for (int side = 0; side < 2; ++side) {
    const ir::Node& from = r->node(in[side]);
    for (int i = 0; i < from.rank; ++i)
      if (from.axes[i] != (side == 0 ? first : second)) r->add_axis(n, from.axes[i], a.line);
  }
  const int joined =
      made_axis(r, axis, ir::AxisKind::made, first, 1000 + static_cast<int>(ir::Op::join), first, second, a.line).axis;
  if (r->bad) return result(r, -1);
  r->add_axis(n, joined, a.line);
  n.imm = first | std::int64_t{second} << 20 | std::int64_t{joined} << 40;
  return result(r, r->bad ? -1 : r->push(n, a.line, in, 2));
}

}  // namespace detail

/// One lane of a Var along an axis, `at<"J">(v, c)`: a value, and a place to assign.
class Slot : public operators::Found {
 public:
  constexpr Slot(Var& v, std::string_view axis, const Operand& index)
      : recorder_(v.recorder()), var_(v.id()), generation_(v.generation()) {
    using namespace detail;
    const Operand now(v, Here{});
    if (recorder_->bad) return;
    Operand whole = now;
    whole.line = index.line;
    axis_ = recorder_->find_axis(whole.id, axis, "at", index.line);
    if (axis_ < 0) return;
    index_ = node_i64(recorder_, index, "at");
    if (index_ < 0) return;
    value_ = at_node(recorder_, whole.id, axis, Operand(recorder_, index_, index.line), index.line);
  }
  constexpr Slot(const Slot&) = default;

  /// Inserts into the Var.
  constexpr void operator=(Operand v) && { put(v); }
  constexpr void operator=(Slot& s) && { put(Operand(s, detail::Here{})); }
  constexpr void operator=(Operand v) & { refuse(v.line); }
  constexpr void operator=(Slot&) & { refuse(0); }
  constexpr void operator+=(Operand v) && { put(Operand(Operand(*this, detail::Here{}) + v, detail::Here{}), v.line); }
  constexpr void operator-=(Operand v) && { put(Operand(Operand(*this, detail::Here{}) - v, detail::Here{}), v.line); }
  constexpr void operator*=(Operand v) && { put(Operand(Operand(*this, detail::Here{}) * v, detail::Here{}), v.line); }

  template <class B>
    requires std::is_same_v<B, bool>
  constexpr explicit operator B() const {
    return detail::no_branch<B>();
  }
  constexpr operator Tile() const { return detail::result(recorder_, value_); }
  constexpr detail::Recorder* recorder() const { return recorder_; }
  constexpr int value() const { return value_; }
  constexpr unsigned generation() const { return generation_; }

 private:
  constexpr void refuse(std::uint32_t line) const {
    if (!recorder_->bad)
      recorder_->fail(line) << "a named lane of a Var is its value: assign at<...>(v, index) = value";
  }
  constexpr void put(Operand v, std::uint32_t line = 0) {
    using namespace detail;
    check_live(recorder_, generation_);
    Recorder* r = recorder_;
    if (line != 0) v.line = line;
    if (r->bad || !usable(r, var_, v.line) || !usable(r, index_, v.line)) return;
    const ir::Node me = r->node(var_);
    const int x = node_as(r, v, me.type, "a Var");
    if (x < 0) return;
    ir::Node rest = me;
    Recorder::drop_axis(rest, axis_);
    for (const int from : {x, static_cast<int>(index_)})
      for (int i = 0; i < r->node(from).rank; ++i)
        if (!r->has_axis(rest, r->node(from).axes[i])) {
          r->fail(v.line) << "at: the " << (from == x ? "value" : "index") << " has axis "
                          << r->axis_name(r->node(from).axes[i]) << ", which the Var of line " << r->line_of(var_)
                          << " has not beside " << r->axis_name(axis_);
          return;
        }
    ir::Node n = me;
    n.op = ir::Op::put;
    n.flags = 0;
    n.imm = axis_;
    const int in[] = {var_, index_, x};
    r->meta[var_].grid |= r->meta[x].grid | r->meta[index_].grid;
    r->push(n, v.line, in, 3);
  }

  detail::Recorder* recorder_;
  std::int32_t var_ = -1, index_ = -1, value_ = -1, axis_ = -1;
  unsigned generation_;
};

constexpr Operand::Operand(const Slot& s, detail::Here l) : recorder(s.recorder()), id(s.value()), line(l.line()) {
  detail::check_live(recorder, s.generation());
}

namespace detail {

template <name>
using IndexFor = Operand;

}  // namespace detail

/// The tile at an index along each named axis, in positions: slices, shifts, gathers.
template <name... N>
constexpr Tile at(Operand x, detail::IndexFor<N>... index) {
  const Operand list[] = {index..., Operand(0, detail::Here{})};
  return detail::at_all(x, detail::NameList<N...>::axes, list);
}
/// One lane of a Var, to read and to assign: at<"J">(v, c) = x.
template <name N>
constexpr Slot at(Var& v, Operand index) {
  return {v, N.view(), index};
}

/// The same positions under another name.
template <name To>
constexpr Block as(const Block& b, detail::Here l = detail::Here::current()) {
  return detail::rename_block(b, To.view(), l);
}
/// The tile with one axis renamed.
template <name From, name To>
constexpr Tile as(Operand x) {
  return detail::rename_tile(x, From.view(), To.view());
}

/// The tile with a value for what `at` reads outside it.
constexpr Tile pad(Operand x, Operand value) { return detail::pad_tile(x, value); }

/// The axis mirrored: its first existing lane becomes the last.
template <name N>
constexpr Tile flip(Operand x) {
  return detail::flipped(x, N.view());
}

/// Axis N as two, lane = outer × size + inner; `size` is a number or a Dim.
template <name N, name Outer, name Inner>
constexpr Tile split(Operand x, Operand size) {
  return detail::split_tile(x, N.view(), Outer.view(), Inner.view(), size, nullptr, nullptr);
}
/// The same onto the axes of two blocks; the inner one has a size (k.lanes).
template <name N>
constexpr Tile split(Operand x, Operand outer, Operand inner) {
  return detail::split_tile(x, N.view(), {}, {}, 0, &outer, &inner);
}
/// Two axes as one, lane = outer × lanes of inner + inner.
template <name Outer, name Inner, name To>
constexpr Tile merge(Operand x) {
  return detail::merge_tile(x, Outer.view(), Inner.view(), To.view(), nullptr);
}
/// The same onto the axis of a block.
template <name Outer, name Inner>
constexpr Tile merge(Operand x, Operand block) {
  return detail::merge_tile(x, Outer.view(), Inner.view(), {}, &block);
}
/// One tile after the other along N, which may be cut differently in them; both have such an axis: as<"K", "C">(x).
template <name N>
constexpr Tile join(Operand a, Operand b) {
  return detail::join_tiles(a, b, N.view());
}

TESSERA_END
