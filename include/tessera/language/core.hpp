// Owns how operands become nodes: literals take a type, types widen, axes join; and the members of the handles.
#pragma once

#include "tessera/language/operand.hpp"

TESSERA_BEGIN
namespace detail {

/// The recorder of the first operand that has one.
template <class... O>
constexpr Recorder* recorder_of(const O&... o) {
  Recorder* r = nullptr;
  ((r = r != nullptr ? r : o.recorder), ...);
  if (r == nullptr) an_operation_on_numbers_only_has_no_kernel_write_k_value_of_one_of_them();
  return r;
}

constexpr Tile result(Recorder* r, int id) { return {r, r->bad ? -1 : id}; }

/// The bits of a literal in type `t` (sign-extended in signed integers); what does not fit is an error.
constexpr std::int64_t literal_bits(Recorder* r, const Operand& o, DType t, std::string_view what) {
  const DTypeInfo& to = info(t);
  if (o.kind == LiteralKind::boolean || to.is_boolean()) {
    if (o.kind == LiteralKind::boolean && to.is_boolean()) return static_cast<std::int64_t>(o.bits);
    r->fail(o.line) << what << ": " << (to.is_boolean() ? "a number" : "true or false") << " meets " << to.name
                    << (to.is_boolean() ? ": write true or false, or compare" : ": write a number");
    return 0;
  }
  const auto bits = static_cast<std::int64_t>(o.bits);
  if (o.kind == LiteralKind::integer && to.is_integer()) {
    const std::uint64_t magnitude = o.negative ? 0 - o.bits : o.bits;
    const std::uint64_t limit = !o.negative   ? low_mask(to.precision)
                                : to.has_sign ? std::uint64_t{1} << (to.bits - 1)
                                              : 0;
    if (magnitude > limit) {
      r->fail(o.line) << what << ": the literal " << (o.negative ? "-" : "") << magnitude << " is beyond " << to.name
                      << ": cast<...>() the tile to a wider type";
      return 0;
    }
    return bits;
  }
  if (o.kind == LiteralKind::floating && to.is_integer()) {
    r->fail(o.line) << what << ": a float literal meets " << to.name << ": cast<f32>() the tile, or write an integer";
    return 0;
  }
  const double value = o.kind == LiteralKind::floating ? std::bit_cast<double>(o.bits)
                       : o.negative                    ? static_cast<double>(bits)
                                                       : static_cast<double>(o.bits);
  if (t == DType::f64) return std::bit_cast<std::int64_t>(value);
  const double magnitude = value < 0 ? -value : value;
  const bool finite = magnitude < inf;
  if (t == DType::f32 && (!finite || magnitude <= 3.4028234663852886e38))
    return static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  if (finite && magnitude > to_double(t, largest_bits(t))) {
    r->fail(o.line) << what << ": the literal is beyond " << to.name << ": cast<...>() the tile to a wider type";
    return 0;
  }
  return static_cast<std::int64_t>(bits_from_double(t, value));
}

/// The type that an operand has, or that a literal takes where nothing else gives it one.
constexpr DType natural_type(const Recorder* r, const Operand& o) {
  switch (o.kind) {
    case LiteralKind::none:
      return r->type(o.id);
    case LiteralKind::typed:
      return o.literal_type;
    case LiteralKind::boolean:
      return DType::b8;
    case LiteralKind::floating:
      return DType::f32;
    case LiteralKind::tunable:
      return o.expression != nullptr && o.expression->condition ? DType::b8 : DType::i64;
    case LiteralKind::integer:
      break;
  }
  if (o.negative) return static_cast<std::int64_t>(o.bits) < -2147483648LL ? DType::i64 : DType::i32;
  return o.bits <= 0x7fffffff ? DType::i32 : o.bits >> 63 == 0 ? DType::i64 : DType::u64;
}

/// Whether an operand is a literal that takes the type of what it meets.
constexpr bool adapts(const Operand& o) {
  return o.kind == LiteralKind::integer || o.kind == LiteralKind::floating || o.kind == LiteralKind::boolean;
}

constexpr int tunable_node(Recorder* r, std::string_view tunable, std::uint32_t line) {
  const int name = r->intern(tunable);
  int index = 0;
  while (index < r->tunables.size() && r->tunables[index].name != name) ++index;
  if (index == r->tunables.size()) r->tunables.push({name});
  return r->leaf(ir::Op::tunable, DType::i64, line, index);
}

/// Records an expression of Dims: all values are i64, comparisons b8.
constexpr int expression_node(Recorder* r, const DimExpression& e, std::uint32_t line) {
  if (e.too_long) {
    r->fail(line) << "an expression of Dims has more than " << DimExpression::capacity
                  << " terms: use k.value of a part";
    return -1;
  }
  int stack[DimExpression::capacity] = {};
  int size = 0;
  for (int i = 0; i < e.size; ++i) {
    const DimExpression::Step& s = e.steps[i];
    if (s.op == ir::Op::literal) {
      stack[size++] = r->leaf(s.op, DType::i64, line, s.value);
    } else if (s.op == ir::Op::tunable) {
      stack[size++] = tunable_node(r, s.tunable, line);
    } else {
      --size;
      const bool logical = s.op == ir::Op::bit_and || s.op == ir::Op::bit_or;
      const bool compares = s.op >= ir::Op::lt && s.op <= ir::Op::ne;
      const bool condition = r->type(stack[size - 1]) == DType::b8, other = r->type(stack[size]) == DType::b8;
      if (condition != logical || other != logical) {
        r->fail(line) << "an expression of Dims: && and || join conditions, the rest takes numbers";
        return -1;
      }
      stack[size - 1] = r->join(s.op, compares || logical ? DType::b8 : DType::i64, line, stack + size - 1, 2);
    }
  }
  return stack[0];
}

/// The operand as a node, a literal in its natural type; −1 after an error.
constexpr int node_of(Recorder* r, const Operand& o, std::string_view what = "a literal") {
  if (r->bad) return -1;
  switch (o.kind) {
    case LiteralKind::none:
      if (o.recorder != r) {
        r->fail(o.line) << "a value of another kernel is used";
        return -1;
      }
      return usable(r, o.id, o.line) ? o.id : -1;
    case LiteralKind::tunable:
      return o.expression != nullptr ? expression_node(r, *o.expression, o.line) : tunable_node(r, o.tunable, o.line);
    case LiteralKind::typed: {
      const DTypeInfo& t = info(o.literal_type);
      auto bits = static_cast<std::int64_t>(o.bits);
      if (t.is_signed_integer()) bits = static_cast<std::int64_t>(o.bits << (64 - t.bits)) >> (64 - t.bits);
      return r->leaf(ir::Op::literal, o.literal_type, o.line, bits);
    }
    default: {
      const DType t = natural_type(r, o);
      const std::int64_t bits = literal_bits(r, o, t, what);
      return r->bad ? -1 : r->leaf(ir::Op::literal, t, o.line, bits);
    }
  }
}

/// Node `id` in type `t`: itself, or a cast of it.
constexpr int cast_node(Recorder* r, int id, DType t, std::uint32_t line, std::int64_t imm = 0) {
  if (r->bad) return -1;
  if (r->type(id) == t && imm == 0) return id;
  const int out = r->join(ir::Op::cast, t, line, &id, 1, imm);
  if (out >= 0) r->meta[out].atomic = r->meta[id].atomic, r->meta[out].reads = r->meta[id].reads;
  return out;
}

/// The operand as a node of type `t`, which it must be, widen to, or be a literal of; `what` starts the message.
constexpr int node_as(Recorder* r, const Operand& o, DType t, std::string_view what) {
  if (r->bad) return -1;
  if (adapts(o)) {
    const std::int64_t bits = literal_bits(r, o, t, what);
    return r->bad ? -1 : r->leaf(ir::Op::literal, t, o.line, bits);
  }
  const int id = node_of(r, o, what);
  if (id < 0) return -1;
  const DType from = r->type(id);
  const bool tunable_as_float = o.kind == LiteralKind::tunable && from == DType::i64 && info(t).is_floating();
  if (!widens(from, t) && !tunable_as_float) {
    r->fail(o.line) << what << ": " << dtype_name(from) << " does not widen to " << dtype_name(t)
                    << " without loss: cast<" << dtype_name(t) << ">() it";
    return -1;
  }
  return cast_node(r, id, t, o.line);
}

/// An index, position, extent or count: any integer, as i64.
constexpr int node_i64(Recorder* r, const Operand& o, std::string_view what) {
  if (r->bad) return -1;
  if (adapts(o)) return node_as(r, o, DType::i64, what);
  const int id = node_of(r, o, what);
  if (id < 0) return -1;
  if (!info(r->type(id)).is_integer()) {
    r->fail(o.line) << what << ": an integer is needed here, not " << dtype_name(r->type(id));
    return -1;
  }
  return cast_node(r, id, DType::i64, o.line);
}

/// The type in which two operands meet, or a message.
constexpr DType common_type(Recorder* r, const Operand& a, const Operand& b, std::string_view what) {
  const DType x = natural_type(r, a), y = natural_type(r, b);
  if (x == y) return x;
  const bool a_adapts = adapts(a), b_adapts = adapts(b);
  if (a_adapts && !b_adapts) return y;
  if (b_adapts && !a_adapts) return x;
  if (a_adapts && b_adapts && info(x).is_floating() != info(y).is_floating()) return info(x).is_floating() ? x : y;
  if (a.kind == LiteralKind::tunable && x == DType::i64 && info(y).is_floating()) return y;
  if (b.kind == LiteralKind::tunable && y == DType::i64 && info(x).is_floating()) return x;
  if (widens(x, y)) return y;
  if (widens(y, x)) return x;
  r->fail(a.line > b.line ? a.line : b.line) << what << ": " << dtype_name(x) << " and " << dtype_name(y)
                                             << " do not widen to each other without loss: cast<...>() one of them";
  return x;
}

/// Tells where C++ does not say what comes first: two atomics in one expression, or an atomic and a read of its array.
/// `id` is the value of the operands `of`, whose nodes are `in`; what has a name was computed before.
template <std::size_t N>
constexpr void join_effects(Recorder* r, int id, const Operand* const (&of)[N], const int (&in)[N],
                            std::uint32_t line) {
  if (r->bad || id < 0) return;
  NodeMeta& all = r->meta[id];
  for (std::size_t i = 0; i < N; ++i) {
    if (!of[i]->fresh || in[i] < 0) continue;
    const NodeMeta& m = r->meta[in[i]];
    if (m.atomic >= 0 && all.atomic >= 0 && m.atomic != all.atomic)
      r->fail(line) << "two atomics in one expression: their order is not defined: name the first, auto old = ...";
    if (m.atomic >= 0) all.atomic = m.atomic;
    all.reads |= m.reads;
  }
  if (r->bad || all.atomic < 0 || all.reads == 0) return;
  const int arg = static_cast<int>(r->nodes[all.atomic].imm & 0xffffffff);
  if (arg < 64 && (all.reads >> arg & 1) != 0)
    r->fail(line) << "argument " << r->arg_name(arg) << ": an atomic and a read in one expression: their order is not "
                  << "defined: name the first, auto old = ...";
}

enum class Wants : std::uint8_t { any, number, floating, integer, boolean, integer_or_boolean };

constexpr bool check_kind(Recorder* r, DType t, Wants wants, std::string_view what, std::uint32_t line) {
  const DTypeInfo& i = info(t);
  std::string_view mend;
  switch (wants) {
    case Wants::any:
      return true;
    case Wants::number:
      if (!i.is_boolean()) return true;
      mend = "numbers are needed: cast<i32>() it";
      break;
    case Wants::floating:
      if (i.is_floating()) return true;
      mend = "a floating type is needed: cast<f32>() it";
      break;
    case Wants::integer:
      if (i.is_integer()) return true;
      mend = "an integer is needed: cast<i32>() it";
      break;
    case Wants::boolean:
      if (i.is_boolean()) return true;
      mend = "a condition (b8) is needed: compare it, x != 0";
      break;
    case Wants::integer_or_boolean:
      if (!i.is_floating()) return true;
      mend = "integers or conditions are needed: cast<i32>() it";
      break;
  }
  r->fail(line) << what << ": the value is " << i.name << ", " << mend;
  return false;
}

/// One operand, elementwise. Literals take their natural type.
constexpr Tile unary(ir::Op op, std::string_view what, Wants wants, const Operand& a) {
  Recorder* r = recorder_of(a);
  const int x = node_of(r, a, what);
  if (x < 0 || !check_kind(r, r->type(x), wants, what, a.line)) return result(r, -1);
  const int id = r->join(op, r->type(x), a.line, &x, 1);
  join_effects(r, id, {&a}, {x}, a.line);
  return result(r, id);
}

enum class Gives : std::uint8_t { same, condition };

/// Two operands, elementwise, in the type where they meet.
constexpr Tile binary(ir::Op op, std::string_view what, Wants wants, Gives gives, const Operand& a, const Operand& b) {
  Recorder* r = recorder_of(a, b);
  if (r->bad) return result(r, -1);
  const std::uint32_t line = a.line > b.line ? a.line : b.line;
  const DType t = common_type(r, a, b, what);
  const int in[] = {node_as(r, a, t, what), node_as(r, b, t, what)};
  if (r->bad || !check_kind(r, t, wants, what, line)) return result(r, -1);
  const int id = r->join(op, gives == Gives::condition ? DType::b8 : t, line, in, 2);
  join_effects(r, id, {&a, &b}, in, line);
  return result(r, id);
}

/// Three operands of one type, elementwise.
constexpr Tile ternary(ir::Op op, std::string_view what, Wants wants, const Operand& a, const Operand& b,
                       const Operand& c) {
  Recorder* r = recorder_of(a, b, c);
  if (r->bad) return result(r, -1);
  const DType ab = common_type(r, a, b, what);
  if (r->bad) return result(r, -1);
  const bool ab_adapts = adapts(a) && adapts(b);
  DType t = ab;
  if (ab_adapts && !adapts(c))
    t = natural_type(r, c);
  else if (!adapts(c) && !widens(natural_type(r, c), ab))
    t = common_type(r, adapts(a) ? b : a, c, what);
  const int in[] = {node_as(r, a, t, what), node_as(r, b, t, what), node_as(r, c, t, what)};
  if (r->bad || !check_kind(r, t, wants, what, a.line)) return result(r, -1);
  const int id = r->join(op, t, a.line, in, 3);
  join_effects(r, id, {&a, &b, &c}, in, a.line);
  return result(r, id);
}

}  // namespace detail

constexpr Operand::Operand(const Tile& t, detail::Here l) : recorder(t.recorder()), id(t.id()), line(l.line()) {
  detail::check_live(recorder, t.generation());
}
constexpr Operand::Operand(Tile&& t, detail::Here l) : Operand(static_cast<const Tile&>(t), l) { fresh = true; }
constexpr Operand::Operand(const Block& b, detail::Here l) : recorder(b.recorder()), id(b.id()), line(l.line()) {
  detail::check_live(recorder, b.generation());
}
template <class T>
constexpr Operand::Operand(const Scalar<T>& s, detail::Here l) : recorder(s.recorder), id(s.id), line(l.line()) {
  detail::check_live(recorder, s.generation);
}
constexpr Operand::Operand(const Var& v, detail::Here l) : recorder(v.recorder()), line(l.line()) {
  detail::check_live(recorder, v.generation());
  if (!detail::usable(recorder, v.id(), line)) return;
  ir::Node n = recorder->node(v.id());
  n.op = ir::Op::get;
  n.flags = 0;
  const int in = v.id();
  id = recorder->push(n, line, &in, 1);
}

constexpr void Tile::refuse(std::uint32_t line, bool temporary) const {
  if (recorder_->bad) return;
  const ir::Node& n = recorder_->node(id_);
  if (temporary && n.op == ir::Op::load && recorder_->args[static_cast<int>(n.imm)].effect == ir::Effect::in)
    recorder_->fail(line) << "argument " << recorder_->arg_name(static_cast<int>(n.imm))
                          << " is In and cannot be written: make it InOut";
  else
    recorder_->fail(line != 0 ? line : recorder_->line_of(id_))
        << "a Tile is a value: declare it Var to change it" << (recorder_->open.empty() ? "" : " in a loop");
}

constexpr Tile Block::part(ir::Op op) const {
  const Operand self(*this, detail::Here{});
  detail::Recorder* r = recorder_;
  if (!detail::usable(r, id_, 0)) return detail::result(r, -1);
  ir::Node n;
  n.op = op;
  n.type = DType::i64;
  return detail::result(r, r->push(n, 0, &id_, 1));
}

constexpr Block Block::grow(int low, int high, detail::Here l) const {
  detail::Recorder* r = recorder_;
  const Operand self(*this, l);
  const Block dead{r, -1};
  if (!detail::usable(r, id_, l.line())) return dead;
  if (low == 0 && high == 0) return *this;
  if (low < 0 || high < 0) {
    r->fail(l.line()) << "grow: a halo of " << (low < 0 ? low : high) << " lanes: it is 0 or more";
    return dead;
  }
  // Growing twice is growing once by the sum, so that both ways give one axis.
  int base = id_;
  std::int64_t lo = low, hi = high;
  if (r->node(id_).op == ir::Op::grow) {
    lo += r->node(id_).imm >> 32;
    hi += r->node(id_).imm & 0xffffffff;
    base = r->operand(id_, 0);
  }
  const int axis = r->node(base).axes[0];
  const int name = r->axes[r->node(id_).axes[0]].name;
  const int known = r->made_axis(name, base, static_cast<int>(lo), static_cast<int>(hi));
  ir::Node n;
  n.op = ir::Op::grow;
  n.type = DType::i64;
  n.rank = 1;
  n.imm = lo << 32 | hi;
  if (known >= 0) return {r, r->axes[known].node};
  ir::Axis a;
  a.name = name;
  a.extent = r->axes[axis].extent;
  a.parent = axis;
  a.kind = ir::AxisKind::grown;
  a.node = r->nodes.size();
  detail::AxisMeta m;
  m.cut = r->axis_meta[axis].cut;
  m.key[0] = base;
  m.key[1] = static_cast<int>(lo);
  m.key[2] = static_cast<int>(hi);
  n.axes[0] = static_cast<std::uint8_t>(r->make_axis(a, m, l.line()));
  if (r->bad) return dead;
  return {r, r->push(n, l.line(), &base, 1)};
}

constexpr Var::Var(std::uint32_t line, Operand value)
    : recorder_(value.recorder), generation_(value.recorder == nullptr ? 0 : value.recorder->generation) {
  detail::Recorder* r = recorder_;
  const int x = detail::node_of(r, value);
  if (x < 0) return;
  ir::Node n = r->node(x);
  n.op = ir::Op::var;
  n.flags = 0;
  n.imm = 0;
  id_ = r->push(n, line, &x, 1);
}

constexpr void Var::set(Operand v, std::uint32_t line) {
  detail::check_live(recorder_, generation_);
  detail::Recorder* r = recorder_;
  if (r->bad || !detail::usable(r, id_, line)) return;
  const ir::Node me = r->node(id_);
  const std::uint32_t at = line != 0 ? line : r->line;
  int x;
  if (detail::adapts(v)) {
    x = detail::node_as(r, v, me.type, "a Var");
  } else {
    x = detail::node_of(r, v);
    if (x >= 0 && !widens(r->type(x), me.type) && v.kind != detail::LiteralKind::tunable) {
      r->fail(at) << dtype_name(r->type(x)) << " into a Var of " << dtype_name(me.type) << " (line " << r->line_of(id_)
                  << ") loses bits: cast<" << dtype_name(me.type) << ">() it";
      return;
    }
    x = detail::cast_node(r, x, me.type, at);
  }
  if (r->bad) return;
  const ir::Node& value = r->node(x);
  for (int i = 0; i < value.rank; ++i) {
    if (r->has_axis(me, value.axes[i])) continue;
    for (int k = 0; k < me.rank; ++k)
      if (r->axes[me.axes[k]].name == r->axes[value.axes[i]].name) {
        r->conflict(me.axes[k], value.axes[i], at);
        return;
      }
    r->fail(at) << "the value has axis " << r->axis_name(value.axes[i]) << ", which the Var of line " << r->line_of(id_)
                << " has not: reduce it, or declare the Var with it";
    return;
  }
  ir::Node n = me;
  n.op = ir::Op::set;
  n.flags = 0;
  const int in[] = {id_, x};
  r->meta[id_].grid |= r->meta[x].grid;
  r->push(n, at, in, 2);
}

TESSERA_END
