// Owns the verifier's rules of each operation: types, axes and numbers of operands, as ops.hpp describes them.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "tessera/ir/chars.hpp"
#include "tessera/ir/fields.hpp"
#include "tessera/ir/order.hpp"
#include "tessera/ir/tile.hpp"

TESSERA_BEGIN
namespace ir::detail {

/// A set of axes.
struct AxisSet {
  std::uint64_t word[4] = {};
  constexpr AxisSet& add(int axis) {
    word[axis >> 6 & 3] |= std::uint64_t{1} << (axis & 63);
    return *this;
  }
  constexpr AxisSet& remove(int axis) {
    word[axis >> 6 & 3] &= ~(std::uint64_t{1} << (axis & 63));
    return *this;
  }
  constexpr bool has(int axis) const { return (word[axis >> 6 & 3] >> (axis & 63) & 1) != 0; }
  constexpr AxisSet& add(const AxisSet& o) {
    for (int i = 0; i < 4; ++i) word[i] |= o.word[i];
    return *this;
  }
  constexpr bool within(const AxisSet& o) const {
    for (int i = 0; i < 4; ++i)
      if ((word[i] & ~o.word[i]) != 0) return false;
    return true;
  }
  constexpr bool empty() const { return (word[0] | word[1] | word[2] | word[3]) == 0; }
  constexpr bool operator==(const AxisSet&) const = default;
};

// One node whose operands, axes and fields exist and are in scope. `opener`: the node of the region it stands in, −1 at
// top level. `uniform` is known of earlier nodes and computed of this one.
class OpRules {
  using Text = Chars;

 public:
  constexpr OpRules(const Program& p, int node, int opener, Zeros<bool>& uniform)
      : p_(p), n_(p.node(node)), node_(node), opener_(opener), uniform_(uniform) {}

  constexpr Text check() {
    uniform_[node_] = is_uniform();
    if ((n_.flags & flag_uniform) != 0 && !uniform_[node_]) return "it is not uniform";
    switch (info(n_.op).op_class) {
      case OpClass::leaf:
        return leaf();
      case OpClass::block:
        return block();
      case OpClass::elementwise:
        return elementwise();
      case OpClass::reduction:
        return n_.op == Op::dot ? dot() : n_.op == Op::reduce ? combine() : reduction();
      case OpClass::scan:
        return n_.op == Op::scan_by ? combine() : scan();
      case OpClass::shape:
        return shape();
      case OpClass::memory:
        return memory();
      case OpClass::variable:
        return variable();
      default:
        return effect();
    }
  }

 private:
  static constexpr bool integer(DType t) { return tessera::info(t).is_integer(); }
  static constexpr bool floating(DType t) { return tessera::info(t).is_floating(); }
  static constexpr bool boolean(DType t) { return t == DType::b8; }
  static constexpr Text name(DType t) { return Text(dtype_name(t)); }

  constexpr const Node& op(int k) const { return p_.node(p_.operand(n_, k)); }
  constexpr DType type(int k) const { return op(k).type; }
  static constexpr AxisSet axes(const Node& n) {
    AxisSet s;
    for (int k = 0; k < n.rank; ++k) s.add(n.axes[k]);
    return s;
  }
  constexpr AxisSet axes(int k) const { return axes(op(k)); }
  // The union of operands [first, last).
  constexpr AxisSet all_axes(int first, int last) const {
    AxisSet s;
    for (int k = first; k < last; ++k) s.add(axes(k));
    return s;
  }
  constexpr int field(int k) const {
    return static_cast<int>(imm_fields(n_.op).field[static_cast<std::size_t>(k)].get(n_.imm));
  }

  constexpr bool is_uniform() const {
    if (n_.rank != 0) return false;
    const OpClass c = info(n_.op).op_class;
    if (c == OpClass::elementwise) {
      for (int k = 0; k < n_.count; ++k)
        if (!uniform_[p_.operand(n_, k)]) return false;
      return true;
    }
    return n_.op == Op::literal || n_.op == Op::extent || n_.op == Op::tunable || n_.op == Op::scalar;
  }

  // Helpers that give a defect or nothing.
  constexpr Text is_type(DType t) const {
    return n_.type == t ? Text() : "its type is " + name(n_.type) + ", not " + name(t);
  }
  constexpr Text is_axes(const AxisSet& s) const {
    return axes(n_) == s ? Text() : Text("its axes are not those of its operands");
  }
  constexpr Text rank_0(int k) const { return op(k).rank == 0 ? Text() : "operand " + number(k) + " has axes"; }
  constexpr Text same_type(int k, DType t) const {
    return type(k) == t ? Text() : "operand " + number(k) + " is " + name(type(k)) + ", not " + name(t);
  }
  constexpr Text is_integer(int k) const {
    return integer(type(k)) ? Text() : "operand " + number(k) + " is " + name(type(k)) + ", not an integer";
  }
  constexpr Text integer_0(int k) const {
    Text d = is_integer(k);
    return d.empty() ? rank_0(k) : d;
  }
  constexpr Text condition_0() const {
    Text d = same_type(0, DType::b8);
    return d.empty() ? rank_0(0) : d;
  }
  constexpr Text within(int k, const AxisSet& s) const {
    return axes(k).within(s) ? Text() : "operand " + number(k) + " has an axis that the place lacks";
  }
  constexpr Text counts(int a, int b = -1) const {
    if (n_.count == a || n_.count == b) return {};
    return "it takes " + number(a) + (b >= 0 ? " or " + number(b) : Text()) + " operands, not " + number(n_.count);
  }
  static constexpr Text first(std::initializer_list<Text> all) {
    for (const Text& t : all)
      if (!t.empty()) return t;
    return {};
  }

  constexpr Text leaf() const {
    if (n_.op == Op::param) return param();
    if (n_.rank != 0) return "it has axes";
    switch (n_.op) {
      case Op::literal:
        return literal();
      case Op::scalar:
        if (p_.args[static_cast<std::size_t>(field(0))].effect != Effect::scalar) return "its argument is no scalar";
        return is_type(p_.args[static_cast<std::size_t>(field(0))].type);
      case Op::block_begin:
      case Op::block_end:
      case Op::block_count:
      case Op::block_number:
      case Op::block_id:
        return first({is_type(DType::i64), block_operand()});
      default:
        return is_type(DType::i64);
    }
  }
  // Above the type's bits stand copies of the sign, or zeros.
  constexpr Text literal() const {
    const DTypeInfo& t = tessera::info(n_.type);
    const std::int64_t above = t.bits >= 64 ? 0 : n_.imm >> t.bits;
    return above == 0 || (above == -1 && integer(n_.type)) ? Text() : Text("its bits exceed the type's");
  }
  constexpr Text block_operand() const {
    return info(op(0).op).op_class == OpClass::block && op(0).rank == 1 ? Text() : Text("operand 0 is no block");
  }

  constexpr Text block() const {
    if (n_.type != DType::i64) return "its positions are not i64";
    if (n_.op == Op::grid_index || n_.op == Op::loop_index) {
      if (n_.rank != 0) return "it has axes";
    } else {
      if (n_.rank != 1) return "it has " + number(n_.rank) + " axes, not 1";
      if (Text d = block_axis(p_.axes[n_.axes[0]]); !d.empty()) return d;
    }
    if (n_.op == Op::grow || n_.op == Op::alias) return block_operand();
    if (n_.op == Op::grid_block) {
      if (Text d = counts(1, 4); !d.empty()) return d;
      if (!uniform_[p_.operand(n_, 0)] || (n_.count == 4 && !uniform_[p_.operand(n_, 3)]))
        return "its size is not known before launch";
    }
    if (n_.op == Op::loop_block)
      if (Text d = counts(1, 3); !d.empty()) return d;
    if (n_.op == Op::grid_index && !uniform_[p_.operand(n_, 0)]) return "its size is not known before launch";
    for (int k = 0; k < n_.count; ++k)
      if (Text d = integer_0(k); !d.empty()) return d;
    return {};
  }
  // The axis whose positions it has under another name.
  constexpr int root(int axis) const {
    for (int steps = 0; steps < max_axes_; ++steps) {
      const Axis& a = p_.axes[static_cast<std::size_t>(axis)];
      if (a.kind != AxisKind::alias || a.parent < 0) break;
      axis = a.parent;
    }
    return axis;
  }
  constexpr Text block_axis(const Axis& a) const {
    // A rename may have made the axis of an alias before.
    if (a.node != node_ && !(n_.op == Op::alias && a.node < node_)) return "its axis is defined by another node";
    const bool derived = n_.op == Op::grow || n_.op == Op::alias;
    if (n_.op == Op::grow && (op(0).rank != 1 || a.parent != op(0).axes[0]))
      return "its axis does not derive from its operand's";
    if (n_.op == Op::alias && (op(0).rank != 1 || root(n_.axes[0]) != root(op(0).axes[0])))
      return "its axis does not derive from its operand's";
    const AxisKind kind = n_.op == Op::grid_block    ? AxisKind::grid
                          : n_.op == Op::loop_block  ? AxisKind::loop
                          : n_.op == Op::all_block   ? AxisKind::all
                          : n_.op == Op::span_block  ? AxisKind::span
                          : n_.op == Op::lanes_block ? AxisKind::lanes
                          : n_.op == Op::grow        ? AxisKind::grown
                          : n_.op == Op::alias       ? AxisKind::alias
                                                     : AxisKind::threads;
    if (a.kind != kind) return "its axis is of another kind";
    if (!derived && (a.extent < 0) != (kind == AxisKind::lanes || kind == AxisKind::threads))
      return a.extent < 0 ? "its axis has no extent" : "lanes have no extent";
    return {};
  }

  constexpr Text elementwise() const {
    if (n_.op == Op::broadcast) return broadcast();
    if (Text d = is_axes(all_axes(0, n_.count)); !d.empty()) return d;
    switch (n_.op) {
      case Op::cast:
        return {};
      case Op::bitcast:
        return tessera::info(n_.type).bits == tessera::info(type(0)).bits
                   ? Text()
                   : name(type(0)) + " and " + name(n_.type) + " differ in size";
      case Op::random:
        if (n_.imm < 0 || n_.imm > 3) return "it has words 0 to 3";
        return first({is_type(DType::u32), same_type(0, DType::u64), same_type(1, DType::u64)});
      case Op::where:
        return first({same_type(0, DType::b8), same_type(1, n_.type), same_type(2, n_.type)});
      case Op::lt:
      case Op::le:
      case Op::gt:
      case Op::ge:
      case Op::eq:
      case Op::ne:
        return first({is_type(DType::b8), same_type(1, type(0))});
      default:
        break;
    }
    for (int k = 0; k < n_.count; ++k)
      if (Text d = same_type(k, n_.type); !d.empty()) return d;
    switch (n_.op) {
      case Op::logical_not:
      case Op::bit_and:
      case Op::bit_or:
      case Op::bit_xor:
        return floating(n_.type) ? "it is not for " + name(n_.type) : Text();
      case Op::cdiv:
      case Op::shl:
      case Op::shr:
        return integer(n_.type) ? Text() : "it is not for " + name(n_.type);
      case Op::neg:
      case Op::abs:
      case Op::floor:
      case Op::ceil:
      case Op::trunc:
      case Op::round:
      case Op::add:
      case Op::sub:
      case Op::mul:
      case Op::div:
      case Op::mod:
      case Op::pow:
      case Op::fma:
        return boolean(n_.type) ? "it is not for b8" : Text();
      case Op::max:
      case Op::min:
      case Op::max_number:
      case Op::min_number:
        return {};
      default:
        return floating(n_.type) ? Text() : "it is not for " + name(n_.type);  // functions of a real number
    }
  }
  constexpr Text broadcast() const {
    for (int k = 0; k < n_.rank; ++k)
      if (p_.axes[n_.axes[k]].node == node_) return "it cannot define an axis";
    return first({same_type(0, n_.type), axes(0).within(axes(n_)) ? Text() : Text("it loses an axis")});
  }

  // A number keeps its kind and is as wide or wider.
  constexpr Text accumulates(int k) const {
    const bool fits = boolean(type(k)) ? integer(n_.type)
                                       : floating(type(k)) == floating(n_.type) && !boolean(n_.type) &&
                                             tessera::info(type(k)).bits <= tessera::info(n_.type).bits;
    return fits ? Text()
                : "operand " + number(k) + " is " + name(type(k)) + ", which " + name(n_.type) + " cannot hold";
  }
  constexpr Text reduction() const {
    const AxisSet from = axes(0), to = axes(n_);
    if (!to.within(from)) return "it has an axis that its operand lacks";
    if (to == from) return "it reduces no axis";
    switch (n_.op) {
      case Op::sum:
      case Op::prod:
        return accumulates(0);
      case Op::any:
      case Op::all:
        return first({is_type(DType::b8), same_type(0, DType::b8)});
      case Op::argmax:
      case Op::argmin:
        return first({is_type(DType::i64), op(0).rank - n_.rank == 1 ? Text() : Text("it takes one axis")});
      default:
        return same_type(0, n_.type);
    }
  }
  constexpr Text dot() const {
    const AxisSet a = axes(0), b = axes(1), to = axes(n_);
    AxisSet both;
    both.add(a).add(b);
    if (!to.within(both)) return "it has an axis that its operands lack";
    if (to == both) return "it contracts no axis";
    for (int axis = 0; axis < max_axes_; ++axis)
      if (both.has(axis) && !to.has(axis) && !(a.has(axis) && b.has(axis)))
        return "it contracts axis " + number(axis) + ", which one operand lacks";
    return first({same_type(1, type(0)), accumulates(0)});
  }

  constexpr Text combine() const {
    if (n_.count < 2 || n_.count % 2 != 0) return "it takes as many identities as tiles";
    const int k = n_.count / 2;
    AxisSet s = all_axes(0, k);
    if (!s.has(field(0))) return "no tile has its axis";
    if (n_.op == Op::reduce) s.remove(field(0));
    if (Text d = is_axes(s); !d.empty()) return d;
    if (n_.type != type(0)) return is_type(type(0));
    for (int i = 0; i < k; ++i)
      if (Text d = first({same_type(k + i, type(i)), rank_0(k + i)}); !d.empty()) return d;
    return {};
  }
  // Axes of what a combining function works on: those of the tiles but the reduced one.
  static constexpr AxisSet combined(const Program& p, const Node& opener) {
    AxisSet s;
    for (int k = 0; k < opener.count / 2; ++k) s.add(axes(p.node(p.operand(opener, k))));
    return s.remove(static_cast<int>(opener.imm));
  }
  constexpr Text region_end() const {
    const Node& opener = p_.node(opener_);
    if (Text d = counts(opener.count / 2); !d.empty()) return d;
    for (int k = 0; k < n_.count; ++k) {
      if (Text d = same_type(k, p_.node(p_.operand(opener, k)).type); !d.empty()) return d;
      if (!axes(k).within(combined(p_, opener))) return "operand " + number(k) + " has an axis that the result lacks";
    }
    return {};
  }
  constexpr Text scan() const {
    if (!axes(0).has(field(0))) return "its operand lacks axis " + number(field(0));
    if (n_.op == Op::topk) {
      AxisSet s = axes(0).remove(field(0));
      int made = -1;
      for (int k = 0; k < n_.rank; ++k)
        if (!s.has(n_.axes[k])) made = n_.axes[k];
      if (made < 0) return "it has no axis for its places";
      return first({is_axes(s.add(made)), same_type(0, n_.type)});
    }
    if (Text d = is_axes(axes(0)); !d.empty()) return d;
    return n_.op == Op::sort ? same_type(0, n_.type) : accumulates(0);
  }

  constexpr Text shape() const {
    switch (n_.op) {
      case Op::part:
        return part();
      case Op::pad:
        return first({is_axes(axes(0)), within(1, axes(0)), same_type(0, n_.type), same_type(1, n_.type)});
      case Op::at:
        if (Text d = takes(0, field(0)); !d.empty()) return d;
        return first({is_axes(axes(0).remove(field(0)).add(axes(1))), same_type(0, n_.type), is_integer(1)});
      case Op::rename:
        if (Text d = takes(0, field(0)); !d.empty()) return d;
        return first({makes(axes(0).remove(field(0)), field(1)), same_type(0, n_.type)});
      case Op::split:
        if (Text d = takes(0, field(0)); !d.empty()) return d;
        if (Text d = integer_0(1); !d.empty()) return d;
        if (field(1) == field(2)) return "its outer and inner axes are one";
        if (axes(0).remove(field(0)).has(field(1))) return "its operand has the outer axis already";
        return first({makes(axes(0).remove(field(0)).add(field(1)), field(2)), same_type(0, n_.type)});
      case Op::merge:
        if (Text d = first({takes(0, field(0)), takes(0, field(1))}); !d.empty()) return d;
        if (field(0) == field(1)) return "its outer and inner axes are one";
        return first({makes(axes(0).remove(field(0)).remove(field(1)), field(2)), same_type(0, n_.type)});
      default:  // join
        if (Text d = first({takes(0, field(0)), takes(1, field(1))}); !d.empty()) return d;
        return first({makes(axes(0).remove(field(0)).add(axes(1).remove(field(1))), field(2)), same_type(0, n_.type),
                      same_type(1, n_.type)});
    }
  }
  constexpr Text takes(int k, int axis) const {
    return axes(k).has(axis) ? Text() : "operand " + number(k) + " lacks axis " + number(axis);
  }
  constexpr Text makes(AxisSet rest, int axis) const {
    return rest.has(axis) ? "it has axis " + number(axis) + " already" : is_axes(rest.add(axis));
  }
  constexpr Text part() const {
    const Node& of = op(0);
    if (of.op == Op::topk) {
      if (n_.imm < 0 || n_.imm > 1) return "topk has results 0 and 1";
      return first({is_axes(axes(0)), is_type(n_.imm == 0 ? of.type : DType::i64)});
    }
    if (!opens_combine(of.op)) return "operand 0 has one result only";
    if (n_.imm < 0 || n_.imm >= of.count / 2) return "there is no result " + number(n_.imm);
    return first({is_axes(axes(0)), is_type(p_.node(p_.operand(of, static_cast<int>(n_.imm))).type)});
  }
  constexpr Text param() const {
    const Node& opener = p_.node(opener_);
    if (n_.imm < 0 || n_.imm >= opener.count) return "there is no parameter " + number(n_.imm);
    const int tile = static_cast<int>(n_.imm) % (opener.count / 2);
    return first({is_axes(combined(p_, opener)), is_type(p_.node(p_.operand(opener, tile)).type)});
  }

  constexpr Text memory() const {
    const Arg& a = p_.args[static_cast<std::size_t>(field(0))];
    if (a.effect == Effect::scalar) return "its argument is a scalar";
    const bool load = n_.op == Op::load, masked = (n_.flags & flag_masked) != 0, padded = (n_.flags & flag_padded) != 0;
    if (load && a.effect == Effect::out) return "it reads an Out";
    if (!load && a.effect == Effect::in) return "it writes an In";
    if (n_.op == Op::store && a.effect == Effect::out && a.accumulated) return "it stores into an Out that += targets";
    if (n_.op == Op::accumulate && !a.accumulated) return "its argument is not marked as accumulated";
    const int compare = n_.op == Op::atomic && field(1) == static_cast<int>(AtomicKind::compare_exchange) ? 1 : 0;
    const int values = load ? (padded ? 1 : 0) + (masked ? 2 : 0) : 1 + compare + (masked ? 1 : 0);
    if (Text d = counts(a.rank + values); !d.empty()) return d;
    for (int k = 0; k < a.rank; ++k)
      if (Text d = is_integer(k); !d.empty()) return d;
    const int mask = !masked ? -1 : load ? n_.count - 2 : n_.count - 1;
    for (int k = a.rank; k < n_.count; ++k)
      if (Text d = same_type(k, k == mask ? DType::b8 : a.type); !d.empty()) return d;
    if (n_.op != Op::store && n_.op != Op::accumulate) return first({is_type(a.type), is_axes(all_axes(0, n_.count))});
    const AxisSet place = all_axes(0, a.rank);
    if (!place.within(axes(n_))) return "its axes lack one of an index";
    for (int k = a.rank; k < n_.count; ++k)
      if (Text d = within(k, axes(n_)); !d.empty()) return d;
    return is_axes(place);
  }

  constexpr Text variable() const {
    switch (n_.op) {
      case Op::var:
        return first({same_type(0, n_.type), is_axes(axes(0))});
      case Op::get:
        return first({same_type(0, n_.type), is_axes(axes(0))});
      case Op::set:
        return first({same_type(1, type(0)), within(1, axes(0))});
      default: {  // put
        if (Text d = takes(0, field(0)); !d.empty()) return d;
        AxisSet place = axes(0).remove(field(0));
        place.add(axes(1));
        return first({is_integer(1), same_type(2, type(0)), within(2, place)});
      }
    }
  }

  constexpr Text effect() const {
    switch (n_.op) {
      case Op::region_end:
        return opener_ >= 0 && opens_combine(p_.node(opener_).op) ? region_end()
                                                                  : Text("no combining function is open");
      case Op::loop_condition:
      case Op::if_region:
      case Op::else_region:
      case Op::stop_if:
        return condition_0();
      case Op::expects:
        if (!uniform_[p_.operand(n_, 0)]) return "its condition is not known before launch";
        return condition_0();
      case Op::check:
        return same_type(0, DType::b8);
      default:
        return {};
    }
  }

  static constexpr int max_axes_ = 256;
  const Program& p_;
  const Node& n_;
  int node_, opener_;
  Zeros<bool>& uniform_;
};

}  // namespace ir::detail
TESSERA_END
