// Owns the canonical form of a program: what two recordings of one kernel have in common, whatever the compiler.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tessera/ir/order.hpp"

TESSERA_BEGIN
namespace ir {

/// Index tables from old to new after canonicalising; −1 for what was dropped.
struct CanonicalMap {
  std::vector<std::int32_t> nodes, axes, args, extents, tunables;
};

namespace detail {

class Canonicalizer {
 public:
  constexpr Canonicalizer(const Program& p, bool keep_tables)
      : p_(p),
        keep_(keep_tables),
        node_(p.size()),
        axis_(p.axes.size()),
        arg_(p.args.size()),
        extent_(p.extents.size()),
        tunable_(p.tunables.size()) {
    const std::vector<std::int32_t> order = Order(p).nodes();
    for (std::size_t i = 0; i < order.size(); ++i) node_[order[i]] = static_cast<std::int32_t>(i) + 1;
    if (keep_)
      keep_tables_();
    else
      number_args(order);
    for (std::int32_t old : order) add_node(old);
    add_axes();
  }

  constexpr Storage& storage() { return out_; }
  constexpr CanonicalMap map() const {
    CanonicalMap m;
    copy(m.nodes, node_, p_.size());
    copy(m.axes, axis_, p_.axes.size());
    copy(m.args, arg_, p_.args.size());
    copy(m.extents, extent_, p_.extents.size());
    copy(m.tunables, tunable_, p_.tunables.size());
    return m;
  }

 private:
  // Numbers are kept plus 1: 0 is what has none yet.
  using Numbers = Zeros<std::int32_t>;

  static constexpr void copy(std::vector<std::int32_t>& to, const Numbers& from, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) to.push_back(from[static_cast<std::int64_t>(i)] - 1);
  }
  template <class T>
  static constexpr void append(std::vector<T>& to, const auto& from) {
    for (const T& x : from) to.push_back(x);
  }

  constexpr void keep_tables_() {
    append(out_.kernel_name, p_.name);
    append(out_.args, p_.args);
    append(out_.extents, p_.extents);
    append(out_.arg_extents, p_.arg_extents);
    append(out_.tunables, p_.tunables);
    append(out_.names, p_.names);
    append(out_.text, p_.text);
    for (std::size_t i = 0; i < p_.args.size(); ++i)
      arg_[static_cast<std::int64_t>(i)] = static_cast<std::int32_t>(i) + 1;
    for (std::size_t i = 0; i < p_.extents.size(); ++i)
      extent_[static_cast<std::int64_t>(i)] = static_cast<std::int32_t>(i) + 1;
    for (std::size_t i = 0; i < p_.tunables.size(); ++i)
      tunable_[static_cast<std::int64_t>(i)] = static_cast<std::int32_t>(i) + 1;
  }

  // Parameters keep the order of the signature; arrays private to a program come by first use, unused ones drop.
  constexpr void number_args(const std::vector<std::int32_t>& order) {
    append(out_.kernel_name, p_.name);
    for (std::size_t i = 0; i < p_.args.size(); ++i)
      if (p_.args[i].effect != Effect::shared && p_.args[i].effect != Effect::registers) add_arg(static_cast<int>(i));
    for (std::int32_t old : order) {
      const Node& n = p_.node(old);
      if (info(n.op).op_class == OpClass::memory) {
        const auto arg = static_cast<int>(imm_fields(n.op).field[0].get(n.imm));
        if (arg_[arg] == 0) add_arg(arg);
      }
    }
  }
  constexpr void add_arg(int old) {
    Arg a = p_.args[static_cast<std::size_t>(old)];
    const std::int32_t first = a.first_extent;
    a.name = name(a.name);
    a.first_extent = static_cast<std::int32_t>(out_.arg_extents.size());
    for (int i = 0; i < a.rank; ++i)
      out_.arg_extents.push_back(extent(p_.arg_extents[static_cast<std::size_t>(first + i)]));
    out_.args.push_back(a);
    arg_[old] = static_cast<std::int32_t>(out_.args.size());
  }

  constexpr std::int32_t extent(std::int32_t old) {
    if (old < 0) return -1;
    if (extent_[old] == 0) {
      Extent e = p_.extents[static_cast<std::size_t>(old)];
      e.base = name(e.base);
      out_.extents.push_back(e);
      extent_[old] = static_cast<std::int32_t>(out_.extents.size());
    }
    return extent_[old] - 1;
  }
  constexpr std::int32_t tunable(std::int32_t old) {
    if (tunable_[old] == 0) {
      out_.tunables.push_back({name(p_.tunables[static_cast<std::size_t>(old)].name)});
      tunable_[old] = static_cast<std::int32_t>(out_.tunables.size());
    }
    return tunable_[old] - 1;
  }
  // One entry a text: extents of one base share its index.
  constexpr std::int32_t name(std::int32_t old) {
    if (keep_ || old < 0) return old;
    const std::string_view text = p_.str(old), all{out_.text.data(), out_.text.size()};
    for (std::size_t i = 0; i < out_.names.size(); ++i) {
      const Name& n = out_.names[i];
      if (static_cast<std::size_t>(n.size) == text.size() &&
          all.substr(static_cast<std::size_t>(n.first), text.size()) == text)
        return static_cast<std::int32_t>(i);
    }
    out_.names.push_back({static_cast<std::int32_t>(out_.text.size()), static_cast<std::int32_t>(text.size())});
    append(out_.text, text);
    return static_cast<std::int32_t>(out_.names.size()) - 1;
  }

  // Axes are numbered where they first occur; the node there defines them: a block, or the first node that made them.
  constexpr std::uint8_t axis(int old, std::int32_t new_node) {
    if (axis_[old] == 0) {
      Axis a = p_.axes[static_cast<std::size_t>(old)];
      a.name = name(a.name);
      a.extent = extent(a.extent);
      a.node = new_node;
      out_.axes.push_back(a);
      axis_[old] = static_cast<std::int32_t>(out_.axes.size());
    }
    return static_cast<std::uint8_t>(axis_[old] - 1);
  }
  constexpr void add_axes() {
    for (Axis& a : out_.axes)
      if (a.parent >= 0) a.parent = axis_[a.parent] - 1;
  }

  constexpr std::int64_t field(const ImmField& f, std::int64_t imm, const Node& n, std::int32_t new_node) {
    const auto old = static_cast<std::int32_t>(f.kind == FieldKind::bits ? 0 : f.get(imm));
    switch (f.kind) {
      case FieldKind::bits:
        return literal_value(n.type, imm);
      case FieldKind::axis:
        return f.set(imm, axis(old, new_node));
      case FieldKind::arg:
        return f.set(imm, static_cast<std::uint64_t>(arg_[old] - 1));
      case FieldKind::extent:
        return f.set(imm, static_cast<std::uint64_t>(extent(old)));
      case FieldKind::tunable:
        return f.set(imm, static_cast<std::uint64_t>(tunable(old)));
      case FieldKind::string:
        return f.set(imm, static_cast<std::uint64_t>(name(old)));
      default:
        return imm;
    }
  }
  // The bits of a literal, extended by their value: signed integers by their sign, everything else by zeros.
  static constexpr std::int64_t literal_value(DType type, std::int64_t imm) {
    const DTypeInfo& t = tessera::info(type);
    if (t.bits >= 64) return imm;
    const auto bits = static_cast<std::uint64_t>(imm) & ((std::uint64_t{1} << t.bits) - 1);
    const bool negative = t.is_signed_integer() && (bits >> (t.bits - 1)) != 0;
    return static_cast<std::int64_t>(negative ? bits | ~std::uint64_t{0} << t.bits : bits);
  }

  constexpr void add_node(std::int32_t old) {
    Node n = p_.node(old);
    const auto index = static_cast<std::int32_t>(out_.nodes.size()), first = n.first;
    n.first = static_cast<std::int32_t>(out_.operands.size());
    for (int k = 0; k < n.count; ++k)
      out_.operands.push_back(node_[p_.operands[static_cast<std::size_t>(first + k)]] - 1);
    for (int k = 0; k < n.rank; ++k) n.axes[k] = axis(n.axes[k], index);
    for (int k = n.rank; k < max_rank; ++k) n.axes[k] = 0;
    for (const ImmField& f : imm_fields(n.op)) n.imm = field(f, n.imm, n, index);
    out_.nodes.push_back(n);
    if (!p_.lines.empty()) out_.lines.push_back(p_.lines[static_cast<std::size_t>(old)]);
  }

  const Program& p_;
  bool keep_;
  Numbers node_, axis_, arg_, extent_, tunable_;
  Storage out_;
};

}  // namespace detail

/// The canonical form: nodes renumbered from effects, dead ones dropped; extents, tunables, names and private arrays
/// numbered by first use, unused ones dropped; axes by first use. Parameters keep the order of the signature, operands
/// theirs. Canonicalising twice gives the same data. `p` must verify clean. `map`, if given, receives where things
/// went.
constexpr Storage canonical(const Program& p, CanonicalMap* map = nullptr) {
  detail::Canonicalizer c(p, false);
  if (map != nullptr) *map = c.map();
  return static_cast<Storage&&>(c.storage());
}

/// Like `canonical`, but args, extents, tunables, names and texts keep their indices: what passes use once a frame or a
/// configuration refers to them.
constexpr Storage tidy(const Program& p, CanonicalMap* map = nullptr) {
  detail::Canonicalizer c(p, true);
  if (map != nullptr) *map = c.map();
  return static_cast<Storage&&>(c.storage());
}

}  // namespace ir
TESSERA_END
