// Owns the printer of Tile IR: the stable text form that parse.hpp reads back; docs/tile_ir.md describes it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

#include "tessera/ir/chars.hpp"
#include "tessera/ir/fields.hpp"
#include "tessera/ir/order.hpp"
#include "tessera/ir/tile.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace ir {

/// The first line of every text: changes with the grammar.
inline constexpr std::string_view text_header = "tessera_ir 1";

namespace detail {

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_word(std::string_view s) {
  if (s.empty() || !is_letter(s[0])) return false;
  for (char c : s)
    if (!is_letter(c) && !is_digit(c)) return false;
  return true;
}

// Prints what does not verify, too, so that a defect can be looked at: what is out of range appears as a number.
class Printer {
  // Templates come first: clang evaluates only what it has seen the body of.
  // What shares its name with another, or has none, is followed by its number.
  template <class T>
  constexpr void find_shared(Zeros<bool>& shared, const T& table) const {
    for (std::size_t i = 0; i < table.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (str(table[i].name) == str(table[j].name))
          shared[static_cast<std::int64_t>(i)] = shared[static_cast<std::int64_t>(j)] = true;
  }
  template <class F>
  constexpr void list(std::string_view label, std::size_t size, F item) {
    if (size == 0) return;
    out_ += label;
    for (std::size_t i = 0; i < size; ++i) {
      out_ += i == 0 ? " " : ", ";
      item(i);
    }
    out_ += '\n';
  }
  template <class T>
  constexpr void reference(const T& table, const Zeros<bool>& shared, std::int64_t i) {
    if (i < 0 || static_cast<std::uint64_t>(i) >= table.size()) {
      out_ += "?." + number(i);
      return;
    }
    const std::int32_t index = table[static_cast<std::size_t>(i)].name;
    name(index);
    if (index < 0 || shared[i]) out_ += "." + number(i);
  }

 public:
  constexpr explicit Printer(const Program& p)
      : p_(p), axis_shared_(p.axes.size()), arg_shared_(p.args.size()), tunable_shared_(p.tunables.size()) {
    find_shared(axis_shared_, p.axes);
    find_shared(arg_shared_, p.args);
    find_shared(tunable_shared_, p.tunables);
  }

  constexpr Chars print() {
    out_ += text_header;
    out_ += "\nkernel ";
    quoted(p_.name);
    out_ += '\n';
    list("extents", p_.extents.size(), [&](std::size_t i) { extent(static_cast<std::int64_t>(i)); });
    list("tunables", p_.tunables.size(),
         [&](std::size_t i) { reference(p_.tunables, tunable_shared_, static_cast<std::int64_t>(i)); });
    for (std::size_t i = 0; i < p_.args.size(); ++i) argument(i);
    for (std::size_t i = 0; i < p_.axes.size(); ++i) axis(i);
    out_ += "body\n";
    for (std::size_t i = 0; i < p_.nodes.size(); ++i) node(i);
    return static_cast<Chars&&>(out_);
  }

  constexpr Chars print_node(std::size_t i) {
    node(i);
    return static_cast<Chars&&>(out_);
  }

 private:
  constexpr std::string_view str(std::int32_t name) const {
    if (name < 0 || static_cast<std::size_t>(name) >= p_.names.size()) return {};
    const Name n = p_.names[static_cast<std::size_t>(name)];
    if (n.first < 0 || n.size < 0 || static_cast<std::size_t>(n.first) > p_.text.size()) return {};
    return p_.text.substr(static_cast<std::size_t>(n.first), static_cast<std::size_t>(n.size));
  }

  constexpr void quoted(std::string_view s) {
    out_ += '"';
    for (char c : s) {
      const auto u = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\')
        out_ += '\\', out_ += c;
      else if (c == '\n')
        out_ += "\\n";
      else if (u < 0x20 || u == 0x7f)
        out_ += "\\x", out_ += "0123456789abcdef"[u >> 4], out_ += "0123456789abcdef"[u & 15];
      else
        out_ += c;
    }
    out_ += '"';
  }
  constexpr void name(std::int32_t index) {
    if (index < 0)
      out_ += '-';
    else if (const std::string_view s = str(index); is_word(s))
      out_ += s;
    else
      quoted(s);
  }
  constexpr void axis_reference(std::int64_t i) { reference(p_.axes, axis_shared_, i); }
  constexpr void extent(std::int64_t i) {
    if (i < 0 || static_cast<std::uint64_t>(i) >= p_.extents.size()) {
      out_ += "?." + number(i);
      return;
    }
    const Extent& e = p_.extents[static_cast<std::size_t>(i)];
    name(e.base);
    if (e.plus > 0) out_ += '+';
    if (e.plus != 0) out_ += number(e.plus);
    if (e.divide != 1) out_ += "/" + number(e.divide);
  }
  constexpr void type(DType t) {
    if (static_cast<int>(t) < dtype_count)
      out_ += dtype_name(t);
    else
      out_ += "?" + number(static_cast<int>(t));
  }

  constexpr void argument(std::size_t i) {
    const Arg& a = p_.args[i];
    out_ += "arg ";
    out_ += static_cast<int>(a.effect) <= static_cast<int>(Effect::registers) ? effect_names[static_cast<int>(a.effect)]
                                                                              : "?";
    out_ += ' ';
    type(a.type);
    out_ += ' ';
    reference(p_.args, arg_shared_, static_cast<std::int64_t>(i));
    for (int k = 0; k < a.rank; ++k) {
      out_ += k == 0 ? "[" : ", ";
      const std::int64_t at = std::int64_t{a.first_extent} + k;
      extent(at >= 0 && static_cast<std::uint64_t>(at) < p_.arg_extents.size()
                 ? p_.arg_extents[static_cast<std::size_t>(at)]
                 : -1);
    }
    if (a.rank > 0) out_ += ']';
    if (a.accumulated) out_ += " accumulated";
    if (a.place.alignment != 0) out_ += " align " + number(a.place.alignment);
    if (a.place.swizzle != 0) out_ += " swizzle " + number(a.place.swizzle);
    out_ += '\n';
  }
  constexpr void axis(std::size_t i) {
    const Axis& a = p_.axes[i];
    out_ += "axis ";
    axis_reference(static_cast<std::int64_t>(i));
    out_ += ' ';
    out_ +=
        static_cast<int>(a.kind) <= static_cast<int>(AxisKind::made) ? axis_kind_names[static_cast<int>(a.kind)] : "?";
    out_ += " %" + number(a.node);
    if (a.extent != -1) out_ += " extent ", extent(a.extent);
    if (a.parent != -1) out_ += " parent ", axis_reference(a.parent);
    out_ += '\n';
  }

  constexpr void node(std::size_t i) {
    const Node& n = p_.nodes[i];
    const bool known = static_cast<int>(n.op) < op_count;
    if (known && closes_region(n.op) && depth_ > 0) --depth_;
    for (int k = 0; k < depth_; ++k) out_ += "  ";
    if (known && has_value(n.op)) out_ += "%" + number(i) + " = ";
    if (known)
      out_ += info(n.op).text;
    else
      out_ += "?" + number(static_cast<int>(n.op));
    const bool plain = known && !has_value(n.op) && n.type == DType::i64 && n.rank == 0;
    if (!plain) {
      out_ += ' ';
      type(n.type);
      for (int k = 0; k < n.rank && k < max_rank; ++k) {
        out_ += k == 0 ? "[" : ", ";
        axis_reference(n.axes[k]);
      }
      if (n.rank > 0) out_ += ']';
    }
    for (int k = 0; k < n.count; ++k) {
      const std::int64_t at = std::int64_t{n.first} + k;
      const bool there = at >= 0 && static_cast<std::uint64_t>(at) < p_.operands.size();
      out_ += k == 0 ? " %" : ", %";
      if (there)
        out_ += number(p_.operands[static_cast<std::size_t>(at)]);
      else
        out_ += '?';
      if (!there) break;
    }
    if (known) fields(n);
    for (int k = 0; k < 3; ++k)
      if ((n.flags >> k & 1) != 0) out_ += ' ', out_ += flag_names[k];
    if (i < p_.lines.size()) out_ += " @" + number(p_.lines[i]);
    if (known && n.op == Op::literal && !std::is_constant_evaluated()) readable(n);
    out_ += '\n';
    if (known && opens_region(n.op) && depth_ < 64) ++depth_;
  }

  constexpr void fields(const Node& n) {
    const ImmFields all = imm_fields(n.op);
    if (n.imm == 0 && (all.count == 0 || all.field[0].kind == FieldKind::rounding)) return;
    bool exact = all.cover(n.imm);
    for (const ImmField& f : all) exact = exact && printable(f.kind, f.get(n.imm));
    out_ += " {";
    if (!exact)
      out_ += "imm ", hex(static_cast<std::uint64_t>(n.imm));
    else
      for (int k = 0; k < all.count; ++k) {
        const ImmField& f = all.field[static_cast<std::size_t>(k)];
        if (k != 0) out_ += ", ";
        out_ += f.label;
        out_ += ' ';
        field(f.kind, f.get(n.imm));
      }
    out_ += '}';
  }
  constexpr bool printable(FieldKind kind, std::uint64_t v) const {
    switch (kind) {
      case FieldKind::bits:
      case FieldKind::number:
        return true;
      case FieldKind::axis:
        return v < p_.axes.size();
      case FieldKind::arg:
        return v < p_.args.size();
      case FieldKind::extent:
        return v < p_.extents.size();
      case FieldKind::tunable:
        return v < p_.tunables.size();
      case FieldKind::string:
        return v < p_.names.size();
      default:
        return v < value_names(kind).size();
    }
  }
  constexpr void field(FieldKind kind, std::uint64_t v) {
    const auto i = static_cast<std::int64_t>(v);
    switch (kind) {
      case FieldKind::bits:
        return hex(v);
      case FieldKind::number:
        out_ += number(v);
        return;
      case FieldKind::axis:
        return axis_reference(i);
      case FieldKind::arg:
        return reference(p_.args, arg_shared_, i);
      case FieldKind::extent:
        return extent(i);
      case FieldKind::tunable:
        return reference(p_.tunables, tunable_shared_, i);
      case FieldKind::string:
        return quoted(str(static_cast<std::int32_t>(i)));
      default:
        out_ += value_names(kind)[v];
    }
  }
  constexpr void hex(std::uint64_t v) {
    out_ += "0x";
    int shift = 60;
    while (shift > 0 && (v >> shift) == 0) shift -= 4;
    for (; shift >= 0; shift -= 4) out_ += "0123456789abcdef"[v >> shift & 15];
  }
  void readable(const Node& n) {
    if (static_cast<int>(n.type) >= dtype_count) return;
    const DTypeInfo& t = tessera::info(n.type);
    if (!t.is_floating()) {
      out_ += "  # ";
      if (t.is_unsigned_integer())
        out_ += number(static_cast<std::uint64_t>(n.imm) & tessera::detail::low_mask(t.bits));
      else
        out_ += number(n.imm);
      return;
    }
    const double value = tessera::to_double(n.type, static_cast<std::uint64_t>(n.imm));
    char text[40];
    std::snprintf(text, sizeof text, "  # %.*g", t.bits == 64 ? 17 : 9, value);
    out_ += static_cast<const char*>(text);
  }

  const Program& p_;
  Chars out_;
  int depth_ = 0;
  Zeros<bool> axis_shared_, arg_shared_, tunable_shared_;
};

}  // namespace detail

/// The text of a program: a header (extents, tunables, arguments, axes), then one line a node, regions indented.
constexpr Chars print(const Program& p) { return detail::Printer(p).print(); }

/// The text of a program as a std::string, at run time.
inline std::string to_text(const Program& p) { return print(p).str(); }

/// One node's line, for messages and dumps.
inline std::string to_text(const Program& p, std::int32_t node) {
  return detail::Printer(p).print_node(static_cast<std::size_t>(node)).str();
}

}  // namespace ir
TESSERA_END
