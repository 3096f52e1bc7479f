// Owns arguments and what is read from and written to them: In, Out, InOut, arrays private to a program, atomics.
#pragma once

#include <concepts>

#include "tessera/language/math.hpp"

TESSERA_BEGIN
namespace detail {

/// Adds an array argument.
constexpr int add_argument(Recorder& r, std::string_view name, DType type, ir::Effect effect, Axes extents) {
  ir::Arg a;
  a.name = r.intern(name);
  a.type = type;
  a.effect = effect;
  a.rank = static_cast<std::uint8_t>(extents.count);
  a.first_extent = r.arg_extents.size();
  if (extents.count > ir::max_rank)
    r.fail_kernel() << "argument " << name << " has " << extents.count << " axes: at most " << ir::max_rank;
  for (int i = 0; i < extents.count && !r.bad; ++i) {
    const int e = r.extent(extents.names[i], r.kernel_line);
    if (e >= 0) r.arg_extents.push(e);
  }
  r.written.push(false);
  r.stored.push(false);
  return r.args.push(a);
}

/// An access under construction: its indices as nodes, and the axes that they span.
struct Access {
  Recorder* recorder = nullptr;
  std::int32_t arg = -1;
  std::int32_t index[ir::max_rank] = {};
  std::int32_t pad = -1;   ///< what is read outside, −1 for none
  std::int32_t mask = -1;  ///< −1 for none
  std::uint32_t line = 0;
  std::uint64_t grid = 0;
  ir::Node place;  ///< axes and type

  constexpr bool valid() const { return !recorder->bad; }
  constexpr ir::Effect effect() const { return recorder->args[arg].effect; }
  constexpr int rank() const { return recorder->args[arg].rank; }
  constexpr std::string_view name() const { return recorder->arg_name(arg); }
};

/// Whether a bare block may index an array's axis: over its own extent, or over E on "E+n".
constexpr bool indexes(const Recorder* r, int array, int block) {
  if (array == block || block < 0) return true;
  const ir::Extent &a = r->extents[array], &b = r->extents[block];
  if (b.plus != 0 || b.divide != 1) return true;
  return a.base == b.base && a.divide == 1;
}

constexpr void check_extent(Access& a, int position, int id) {
  Recorder* r = a.recorder;
  const ir::Arg& arg = r->args[a.arg];
  const int axis = r->node(id).axes[0];
  const int wanted = r->arg_extents[arg.first_extent + position], given = r->axes[axis].extent;
  if (indexes(r, wanted, given)) return;
  Text& t = r->fail(a.line) << "argument " << a.name() << ": its axis " << position + 1 << " is ";
  r->write_extent(t, wanted) << ", but the block runs over ";
  r->write_extent(t, given) << ": use a block over its extent, or compute an index, block + 0";
}

constexpr Access access(Recorder* r, int arg, const Operand* index, int count, std::uint32_t line) {
  Access a;
  a.recorder = r;
  a.arg = arg;
  a.line = line;
  if (r->bad) return a;
  const ir::Arg& argument = r->args[arg];
  a.place.type = argument.type;
  if (argument.rank != count) {
    r->fail(line) << "argument " << a.name() << " has " << int{argument.rank}
                  << (argument.rank == 1 ? " axis, " : " axes, ") << count
                  << (count == 1 ? " index is given" : " indices are given");
    return a;
  }
  for (int i = 0; i < count; ++i) {
    const Operand& o = index[i];
    int id = -1;
    if (o.kind == LiteralKind::floating || o.kind == LiteralKind::boolean) {
      r->fail(o.line) << "argument " << a.name() << ": index " << i + 1 << " is a "
                      << (o.kind == LiteralKind::floating ? "float" : "bool") << " literal: write an integer";
      return a;
    }
    id = adapts(o) ? node_as(r, o, DType::i64, "an index") : node_of(r, o, "an index");
    if (id < 0) return a;
    if (!info(r->type(id)).is_integer()) {
      r->fail(o.line) << "argument " << a.name() << ": index " << i + 1 << " is " << dtype_name(r->type(id))
                      << ": an index is an integer, cast<i64>() it";
      return a;
    }
    if (r->is_block(id)) check_extent(a, i, id);
    a.index[i] = id;
    r->add_axes(a.place, id, line);
    a.grid |= r->bad ? 0 : r->meta[id].grid;
    if (r->bad) return a;
  }
  return a;
}

/// Records the read of an access; `other` is what masked lanes are.
constexpr int load(const Access& a, int other = -1) {
  Recorder* r = a.recorder;
  if (r->bad) return -1;
  if (a.effect() == ir::Effect::out) {
    r->fail(a.line) << "argument " << a.name() << " is Out and cannot be read: make it InOut";
    return -1;
  }
  int in[ir::max_rank + 3] = {};
  int count = 0;
  ir::Node n = a.place;
  n.op = ir::Op::load;
  n.imm = a.arg;
  for (int i = 0; i < a.rank(); ++i) in[count++] = a.index[i];
  if (a.pad >= 0) {
    n.flags |= ir::flag_padded;
    in[count++] = a.pad;
    r->add_axes(n, a.pad, a.line);
  }
  if (a.mask >= 0) {
    n.flags |= ir::flag_masked;
    in[count++] = a.mask;
    in[count++] = other;
    r->add_axes(n, a.mask, a.line);
    r->add_axes(n, other, a.line);
  }
  const int id = r->bad ? -1 : r->push(n, a.line, in, count);
  if (id >= 0 && a.effect() != ir::Effect::in && a.arg < 64) r->meta[id].reads = std::uint64_t{1} << a.arg;
  return id;
}

constexpr bool inside(Access& a, int value, std::string_view what, std::uint32_t line) {
  Recorder* r = a.recorder;
  const ir::Node& v = r->node(value);
  for (int i = 0; i < v.rank; ++i) {
    if (r->has_axis(a.place, v.axes[i])) continue;
    for (int k = 0; k < a.place.rank; ++k)
      if (r->axes[a.place.axes[k]].name == r->axes[v.axes[i]].name) {
        r->conflict(a.place.axes[k], v.axes[i], line);
        return false;
      }
    r->fail(line) << "argument " << a.name() << ": the " << what << " has axis " << r->axis_name(v.axes[i])
                  << ", which the place has not: reduce it, sum<\"" << r->axis_name(v.axes[i])
                  << "\">(...), or index by it";
    return false;
  }
  return true;
}

constexpr void set_mask(Access& a, const Operand& mask) {
  Recorder* r = a.recorder;
  if (r->bad) return;
  if (a.mask >= 0) {
    r->fail(mask.line) << "argument " << a.name() << ": a second where: join the masks with &&";
    return;
  }
  const int m = node_of(r, mask, "where");
  if (m < 0 || !check_kind(r, r->type(m), Wants::boolean, "where", mask.line)) return;
  a.mask = m;
}

/// Records a store, an accumulation or an atomic; `compare` of compare-exchange, else −1. Gives its node.
constexpr int write(Access& a, ir::Op op, const Operand& value, std::int64_t imm, const Operand* compare = nullptr) {
  Recorder* r = a.recorder;
  if (r->bad) return -1;
  const std::uint32_t line = value.line != 0 ? value.line : a.line;
  ir::Arg& arg = r->args[a.arg];
  if (arg.effect == ir::Effect::in) {
    r->fail(line) << "argument " << a.name() << " is In and cannot be written: make it InOut";
    return -1;
  }
  const auto typed = [&](const Operand& o) {
    if (adapts(o)) {
      Operand literal = o;
      literal.line = line;
      Text what;
      what << "argument " << a.name();
      return node_as(r, literal, arg.type, what.view());
    }
    const int id = node_of(r, o);
    if (id >= 0 && !widens(r->type(id), arg.type) &&
        !(o.kind == LiteralKind::tunable && info(arg.type).is_floating())) {
      r->fail(line) << "argument " << a.name() << " holds " << dtype_name(arg.type) << ", the value is "
                    << dtype_name(r->type(id)) << ": cast<" << dtype_name(arg.type) << ">() it";
      return -1;
    }
    return id < 0 ? -1 : cast_node(r, id, arg.type, line);
  };
  int in[ir::max_rank + 3] = {};
  int count = 0;
  for (int i = 0; i < a.rank(); ++i) in[count++] = a.index[i];
  const int x = typed(value);
  if (x < 0 || !inside(a, x, "value", line)) return -1;
  in[count++] = x;
  if (compare != nullptr) {
    const int c = typed(*compare);
    if (c < 0 || !inside(a, c, "compared value", line)) return -1;
    in[count++] = c;
  }
  ir::Node n = a.place;
  n.op = op;
  n.imm = imm | a.arg;
  if (a.mask >= 0) {
    if (!inside(a, a.mask, "mask", line)) return -1;
    n.flags |= ir::flag_masked;
    in[count++] = a.mask;
  }
  if (op == ir::Op::store) r->stored[a.arg] = true;
  if (op == ir::Op::accumulate) {
    if (!check_kind(r, arg.type, Wants::number, "+=", line)) return -1;
    arg.accumulated = true;
  }
  if (arg.effect == ir::Effect::out && arg.accumulated && r->stored[a.arg]) {
    r->fail(line) << "argument " << a.name() << " is Out and takes both = and +=: += starts it at 0, so drop the =, or "
                  << "make it InOut";
    return -1;
  }
  r->written[a.arg] = true;
  const bool is_private = arg.effect == ir::Effect::shared || arg.effect == ir::Effect::registers;
  if (op == ir::Op::store && !is_private) r->stores.push({a.arg, line, a.grid | r->when_grid});
  return r->push(n, line, in, count);
}

}  // namespace detail

/// A place in memory, `c(m, n)`: read as a value, written by = and +=.
class Place : public operators::Found {
 public:
  constexpr Place(const detail::Access& a, int value)
      : access_(a), value_(value), generation_(a.recorder->generation) {}
  constexpr Place(const Place&) = default;

  /// Stores; the value spreads over the place's axes that it lacks.
  constexpr void operator=(Operand v) && { store(v); }
  constexpr void operator=(Place& p) && { store(Operand(p, detail::Here{})); }
  /// A named place is the value that stood there.
  constexpr void operator=(Operand v) & { refuse(v.line); }
  constexpr void operator=(Place&) & { refuse(0); }
  /// Adds to memory: right under any overlap of lanes and programs.
  constexpr void operator+=(Operand v) && {
    detail::check_live(access_.recorder, generation_);
    detail::write(access_, ir::Op::accumulate, v, 0);
  }
  constexpr void operator+=(Operand v) & { refuse(v.line); }
  constexpr void operator-=(Operand v) {
    if (access_.valid())
      access_.recorder->fail(v.line) << "argument " << access_.name() << ": memory has += only: c(...) += -value";
  }
  constexpr void operator*=(Operand v) {
    if (access_.valid())
      access_.recorder->fail(v.line) << "argument " << access_.name()
                                     << ": memory has = and += only: write c(...) = c(...) * value";
  }

  /// The place restricted to the lanes where `mask` holds: what = and += write, others skip.
  constexpr Place where(Operand mask) const {
    detail::Access a = access_;
    detail::set_mask(a, mask);
    return {a, -1};
  }
  /// Reads only where `mask` holds; `other` elsewhere.
  constexpr Tile where(Operand mask, Operand other) const;

  template <class B>
    requires std::is_same_v<B, bool>
  constexpr explicit operator B() const {
    return detail::no_branch<B>();
  }
  constexpr operator Tile() const {
    const Operand o(*this, detail::Here{});
    return {o.recorder, o.id};
  }

  constexpr const detail::Access& access() const { return access_; }
  constexpr int value() const { return value_; }
  constexpr unsigned generation() const { return generation_; }

 private:
  constexpr void store(const Operand& v) {
    detail::check_live(access_.recorder, generation_);
    detail::write(access_, ir::Op::store, v, 0);
  }
  constexpr void refuse(std::uint32_t line) const {
    if (access_.valid())
      access_.recorder->fail(line) << "argument " << access_.name()
                                   << ": a named place is the value read there: store as " << access_.name()
                                   << "(...) = value";
  }

  detail::Access access_;
  int value_;  ///< the read at the moment of naming the place, −1 for none
  unsigned generation_;
};

constexpr Operand::Operand(const Place& p, detail::Here l) : recorder(p.access().recorder), line(l.line()) {
  detail::check_live(recorder, p.generation());
  detail::Access a = p.access();
  if (line != 0) a.line = line;
  if (recorder->bad) return;
  if (a.mask >= 0) {
    recorder->fail(a.line) << "argument " << a.name()
                           << ": a masked read needs a value for the other lanes: where(mask, other)";
    return;
  }
  id = p.value() >= 0 ? p.value() : detail::load(a);
}

constexpr Operand::Operand(Place&& p, detail::Here l) : Operand(static_cast<const Place&>(p), l) { fresh = true; }

namespace detail {

constexpr Tile masked_load(Access a, const Operand& mask, const Operand& other) {
  Recorder* r = a.recorder;
  if (mask.line != 0) a.line = mask.line;
  set_mask(a, mask);
  if (r->bad) return result(r, -1);
  const int o = node_as(r, other, r->args[a.arg].type, "where");
  return result(r, load(a, o));
}

}  // namespace detail

constexpr Tile Place::where(Operand mask, Operand other) const { return detail::masked_load(access_, mask, other); }

constexpr Tile Tile::where(Operand mask, Operand other) const {
  detail::check_live(recorder_, generation_);
  detail::Recorder* r = recorder_;
  if (!detail::usable(r, id_, mask.line)) return detail::result(r, -1);
  const ir::Node n = r->node(id_);
  if (n.op != ir::Op::load || (n.flags & ir::flag_masked) != 0) {
    r->fail(mask.line) << "where: only a read of an argument takes a mask, x(i).where(mask, other): for values use "
                          "where(mask, value, other)";
    return detail::result(r, -1);
  }
  detail::Access a;
  a.recorder = r;
  a.arg = static_cast<int>(n.imm);
  a.line = r->line_of(id_);
  a.place.type = n.type;
  for (int i = 0; i < a.rank(); ++i) {
    a.index[i] = r->operand(id_, i);
    r->add_axes(a.place, a.index[i], a.line);
  }
  if ((n.flags & ir::flag_padded) != 0) a.pad = r->operand(id_, a.rank());
  return detail::masked_load(a, mask, other);
}

namespace detail {

template <name>
using OperandFor = Operand;

/// An array by number of the argument, whatever its type: what typed arguments and dynamic ones share.
struct ArrayHandle {
  Recorder* recorder;
  int arg;
  unsigned generation;
  std::int32_t pad_value = -1;

  constexpr Tile read(const Operand* index, int count, std::uint32_t line) const {
    check_live(recorder, generation);
    Access a = access(recorder, arg, index, count, line);
    if (a.valid() && pad_value >= 0 && usable(recorder, pad_value, line)) a.pad = pad_value;
    return result(recorder, load(a));
  }
  constexpr Place place(const Operand* index, int count, std::uint32_t line) const {
    check_live(recorder, generation);
    Access a = access(recorder, arg, index, count, line);
    if (!a.valid()) return {a, -1};
    if (pad_value >= 0 && usable(recorder, pad_value, line)) a.pad = pad_value;
    return {a, a.effect() == ir::Effect::out ? -1 : load(a)};
  }
  constexpr ArrayHandle padded(const Operand& value) const {
    check_live(recorder, generation);
    ArrayHandle h = *this;
    if (!recorder->bad) h.pad_value = node_as(recorder, value, recorder->args[arg].type, "pad");
    return h;
  }
  constexpr void wrong_rank(int count) const { access(recorder, arg, nullptr, count, 0); }
};

// The line is that of the first index; an array without axes has none, and takes the nearest.
template <std::size_t Count>
constexpr std::uint32_t line_of_indices(const Operand (&index)[Count]) {
  std::uint32_t line = 0;
  for (const Operand& o : index) line = o.line > line ? o.line : line;
  return line;
}

}  // namespace detail

/// An argument that a kernel reads: element type, then its extents by name.
template <ElementType T, name... Extents>
struct In {
  using element = T;
  static constexpr ir::Effect effect = ir::Effect::in;
  static constexpr int rank = sizeof...(Extents);

  detail::ArrayHandle handle;

  /// The value at one index an axis.
  constexpr Tile operator()(detail::OperandFor<Extents>... index) const {
    const Operand list[] = {index..., Operand(0, detail::Here{})};
    return handle.read(list, rank, detail::line_of_indices(list));
  }
  template <class... I>
    requires(sizeof...(I) != sizeof...(Extents))
  constexpr Tile operator()(const I&...) const {
    handle.wrong_rank(sizeof...(I));
    return {handle.recorder, -1};
  }
  /// The same argument, with a value for computed indices outside it.
  constexpr In pad(Operand value) const { return {handle.padded(value)}; }
};

/// An argument that a kernel reads and writes.
template <ElementType T, name... Extents>
struct InOut {
  using element = T;
  static constexpr ir::Effect effect = ir::Effect::inout;
  static constexpr int rank = sizeof...(Extents);

  detail::ArrayHandle handle;

  /// The place at one index an axis.
  constexpr Place operator()(detail::OperandFor<Extents>... index) const {
    const Operand list[] = {index..., Operand(0, detail::Here{})};
    return handle.place(list, rank, detail::line_of_indices(list));
  }
  template <class... I>
    requires(sizeof...(I) != sizeof...(Extents))
  constexpr Place operator()(const I&...) const {
    handle.wrong_rank(sizeof...(I));
    return handle.place(nullptr, 0, 0);
  }
  /// The same argument, with a value for reads at computed indices outside it.
  constexpr InOut pad(Operand value) const { return {handle.padded(value)}; }
};

/// An argument that a kernel writes and never reads; what no = writes keeps its content.
template <ElementType T, name... Extents>
struct Out {
  using element = T;
  static constexpr ir::Effect effect = ir::Effect::out;
  static constexpr int rank = sizeof...(Extents);

  detail::ArrayHandle handle;

  /// The place at one index an axis.
  constexpr Place operator()(detail::OperandFor<Extents>... index) const {
    const Operand list[] = {index..., Operand(0, detail::Here{})};
    return handle.place(list, rank, detail::line_of_indices(list));
  }
  template <class... I>
    requires(sizeof...(I) != sizeof...(Extents))
  constexpr Place operator()(const I&...) const {
    handle.wrong_rank(sizeof...(I));
    return handle.place(nullptr, 0, 0);
  }
};

/// An array private to a program (`k.shared`, `k.registers`), or one whose rank only run time knows.
class Array {
 public:
  constexpr explicit Array(detail::ArrayHandle h) : handle_(h) {}

  /// The place at one index an axis.
  template <class... I>
    requires(std::is_convertible_v<const I&, Operand> && ...)
  constexpr Place operator()(const I&... index) const {
    const Operand list[] = {Operand(index, detail::Here{})..., Operand(0, detail::Here{})};
    return handle_.place(list, sizeof...(I), 0);
  }
  /// The same for indices whose number only run time knows.
  constexpr Place at(const Operand* index, int count) const { return handle_.place(index, count, 0); }
  constexpr Array pad(Operand value) const { return Array(handle_.padded(value)); }
  constexpr const detail::ArrayHandle& handle() const { return handle_; }

 private:
  detail::ArrayHandle handle_;
};

namespace detail {

constexpr Tile atomic(const Place& p, ir::AtomicKind kind, std::string_view what, Wants wants, const Operand& value,
                      const Operand* compare = nullptr) {
  Access a = p.access();
  check_live(a.recorder, p.generation());
  Recorder* r = a.recorder;
  if (r->bad) return result(r, -1);
  a.line = value.line;
  if (a.effect() == ir::Effect::out) {
    r->fail(value.line) << what << ": argument " << a.name() << " is Out, and an atomic reads: make it InOut";
    return result(r, -1);
  }
  if (!check_kind(r, r->args[a.arg].type, wants, what, value.line)) return result(r, -1);
  const int id = write(a, ir::Op::atomic, value, static_cast<std::int64_t>(kind) << 32, compare);
  if (id < 0) return result(r, -1);
  r->meta[id].atomic = id;
  // An operand that is itself an atomic of the same expression is ordered by being needed first.
  return result(r, id);
}

/// The refusal of a value where an atomic wants a place: of an In argument, or computed.
constexpr Tile atomic_on_value(const Operand& o, std::string_view what, std::uint32_t line) {
  Recorder* r = recorder_of(o);
  const int id = node_of(r, o, what);
  if (id < 0) return result(r, -1);
  const ir::Node& n = r->node(id);
  if (n.op == ir::Op::load && r->args[static_cast<int>(n.imm)].effect == ir::Effect::in)
    r->fail(line) << what << ": argument " << r->arg_name(static_cast<int>(n.imm))
                  << " is In and cannot be written: make it InOut";
  else
    r->fail(line) << what << ": a value is no place in memory: give it an access of an InOut argument, c(m)";
  return result(r, -1);
}

}  // namespace detail

// Atomics on places of InOut arguments: each gives the value that stood there before. They are unordered.
// X(name, kind, what it takes)
// clang-format off
#define TESSERA_ATOMICS(X)                    \
  X(atomic_add, add, number)                  \
  X(atomic_min, min, number)                  \
  X(atomic_max, max, number)                  \
  X(atomic_exchange, exchange, any)           \
  X(atomic_and, bit_and, integer_or_boolean)  \
  X(atomic_or, bit_or, integer_or_boolean)    \
  X(atomic_xor, bit_xor, integer_or_boolean)
// clang-format on
#define TESSERA_ATOMIC(id, kind, wants)                                                   \
  constexpr Tile id(const Place& place, Operand value) {                                  \
    return detail::atomic(place, ir::AtomicKind::kind, #id, detail::Wants::wants, value); \
  }                                                                                       \
  template <std::same_as<Tile> T>                                                         \
  constexpr Tile id(const T& value, Operand by) {                                         \
    return detail::atomic_on_value(value, #id, by.line);                                  \
  }
TESSERA_ATOMICS(TESSERA_ATOMIC)
#undef TESSERA_ATOMIC
#undef TESSERA_ATOMICS
/// Where the place holds `expected`, it takes `value`; gives what stood there.
constexpr Tile atomic_compare_exchange(const Place& place, Operand expected, Operand value) {
  return detail::atomic(place, ir::AtomicKind::compare_exchange, "atomic_compare_exchange", detail::Wants::any, value,
                        &expected);
}
template <std::same_as<Tile> T>
constexpr Tile atomic_compare_exchange(const T& value, Operand expected, Operand) {
  return detail::atomic_on_value(value, "atomic_compare_exchange", expected.line);
}

TESSERA_END
