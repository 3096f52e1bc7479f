// Owns the verifier's structural half: sizes, indices, regions, scopes and tables; verify_ops.hpp owns the rules of
// each operation.
#pragma once

#include <cstdint>
#include <vector>

#include "tessera/ir/chars.hpp"
#include "tessera/ir/fields.hpp"
#include "tessera/ir/order.hpp"
#include "tessera/ir/tile.hpp"
#include "tessera/ir/verify_ops.hpp"

TESSERA_BEGIN
namespace ir {

/// What is wrong with a program. Empty text: nothing.
struct Defect {
  std::int32_t node = -1;  ///< the node at fault; −1 where it is none
  Chars text;              ///< one sentence, such as "node 12 (add): operand 1 is f16, but operand 0 is f32"
  constexpr explicit operator bool() const { return !text.empty(); }
};

/// Limits that keep every pass's memory and recursion bounded.
inline constexpr int max_nodes = 1 << 20, max_axes = 256, max_tables = 4096, max_extents = 1024, max_nesting = 64;

namespace detail {

class Verifier {
 public:
  constexpr explicit Verifier(const Program& p)
      : p_(p),
        region_(p.size() <= max_nodes ? p.size() : 0),
        open_(p.size() <= max_nodes ? p.size() : 0),
        uniform_(p.size() <= max_nodes ? p.size() : 0) {}

  constexpr Defect run() {
    defect_.text = tables();
    for (node_ = 0; defect_.text.empty() && node_ < static_cast<int>(p_.size()); ++node_) {
      defect_.text = check(p_.node(node_));
      if (!defect_.text.empty()) {
        defect_.node = node_;
        defect_.text = "node " + number(node_) + name_of(p_.node(node_)) + ": " + defect_.text;
      }
    }
    if (defect_.text.empty() && !stack_.empty()) {
      defect_.node = stack_.back();
      defect_.text = "node " + number(defect_.node) + name_of(p_.node(defect_.node)) + ": its region is never closed";
    }
    return defect_;
  }

 private:
  static constexpr Chars name_of(const Node& n) {
    return static_cast<int>(n.op) < op_count ? Chars(" (") + info(n.op).text + ")" : Chars();
  }
  template <class T>
  static constexpr bool inside(std::int64_t i, const T& range) {
    return i >= 0 && static_cast<std::uint64_t>(i) < range.size();
  }

  constexpr Chars tables() const {
    if (p_.size() > static_cast<std::size_t>(max_nodes)) return "more than " + number(max_nodes) + " nodes";
    if (p_.axes.size() > max_axes) return "more than " + number(max_axes) + " axes";
    for (std::size_t size : {p_.args.size(), p_.extents.size(), p_.tunables.size(), p_.names.size()})
      if (size > max_tables) return "a table of more than " + number(max_tables) + " entries";
    if (p_.extents.size() > max_extents) return "more than " + number(max_extents) + " extents";
    if (!p_.lines.empty() && p_.lines.size() != p_.nodes.size()) return "lines do not match the nodes";
    for (const Name& n : p_.names)
      if (n.first < 0 || n.size < 0 ||
          static_cast<std::uint64_t>(n.first) + static_cast<std::uint64_t>(n.size) > p_.text.size())
        return "a name lies outside the text";
    for (std::size_t i = 0; i < p_.extents.size(); ++i) {
      const Extent& e = p_.extents[i];
      if (!inside(e.base, p_.names) || p_.str(e.base).empty()) return "extent " + number(i) + " has no name";
      if (e.divide < 1) return "extent " + number(i) + " is divided by " + number(e.divide);
    }
    if (const Chars d = twice(); !d.empty()) return d;
    for (std::size_t i = 0; i < p_.args.size(); ++i)
      if (const Chars d = argument(p_.args[i]); !d.empty()) return "argument " + number(i) + ": " + d;
    for (std::size_t i = 0; i < p_.axes.size(); ++i)
      if (const Chars d = axis(static_cast<int>(i)); !d.empty()) return "axis " + number(i) + ": " + d;
    for (const Tunable& t : p_.tunables)
      if (!inside(t.name, p_.names)) return "a tunable has no name";
    return {};
  }
  constexpr Chars twice() const {
    for (std::size_t i = 0; i < p_.extents.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) {
        const Extent &a = p_.extents[i], &b = p_.extents[j];
        if (a.plus == b.plus && a.divide == b.divide && p_.str(a.base) == p_.str(b.base))
          return "extents " + number(j) + " and " + number(i) + " are one";
      }
    return {};
  }
  constexpr Chars argument(const Arg& a) const {
    if (a.name != -1 && !inside(a.name, p_.names)) return "its name is missing";
    if (static_cast<int>(a.type) >= dtype_count) return "it has no type";
    if (static_cast<int>(a.effect) > static_cast<int>(Effect::registers)) return "it has no effect";
    if (a.rank > max_rank) return "its rank exceeds " + number(max_rank);
    if (!a.place.valid_alignment()) return "its alignment is no power of two up to 4096";
    if (!a.place.valid_swizzle()) return "its swizzle is not 0, 32, 64 or 128";
    if (a.place != Placement{} && a.effect != Effect::shared && a.effect != Effect::registers)
      return "only private arrays are placed";
    if (a.effect == Effect::scalar && a.rank != 0) return "a scalar has no extents";
    for (int k = 0; k < a.rank; ++k) {
      const std::int64_t at = std::int64_t{a.first_extent} + k;
      if (!inside(at, p_.arg_extents) || !inside(p_.arg_extents[static_cast<std::size_t>(at)], p_.extents))
        return "extent " + number(k) + " is missing";
    }
    return {};
  }
  constexpr Chars axis(int index) const {
    const Axis& a = p_.axes[static_cast<std::size_t>(index)];
    if (a.name != -1 && !inside(a.name, p_.names)) return "its name is missing";
    if (a.extent != -1 && !inside(a.extent, p_.extents)) return "its extent is missing";
    if (a.parent != -1 && (!inside(a.parent, p_.axes) || a.parent == index)) return "its parent is missing";
    if (static_cast<int>(a.kind) > static_cast<int>(AxisKind::made)) return "it has no kind";
    if (!inside(a.node, p_.nodes)) return "no node defines it";
    const Node& n = p_.node(a.node);
    if (n.rank > max_rank || !p_.has_axis(n, index)) return "node " + number(a.node) + " does not define it";
    return {};
  }

  constexpr Chars check(const Node& n) {
    if (static_cast<int>(n.op) >= op_count) return "no such operation";
    if (static_cast<int>(n.type) >= dtype_count) return "no such type";
    if (n.rank > max_rank) return "its rank exceeds " + number(max_rank);
    if (n.first < 0 || static_cast<std::uint64_t>(n.first) + n.count > p_.operands.size())
      return "its operands are missing";
    if (const int arity = info(n.op).arity; arity >= 0 && n.count != arity)
      return "it takes " + number(arity) + " operands, not " + number(n.count);
    for (int k = 0; k < n.count; ++k)
      if (Chars d = operand(n, k); !d.empty()) return d;
    for (int k = 0; k < n.rank; ++k) {
      if (!inside(n.axes[k], p_.axes)) return "axis " + number(n.axes[k]) + " does not exist";
      for (int j = 0; j < k; ++j)
        if (n.axes[j] == n.axes[k]) return "it has axis " + number(n.axes[k]) + " twice";
      if (!known(p_.axes[n.axes[k]].node, true)) return "axis " + number(n.axes[k]) + " is not in scope";
    }
    if (Chars d = fields(n); !d.empty()) return d;
    if (Chars d = region(n); !d.empty()) return d;
    if (Chars d = OpRules(p_, node_, stack_.empty() ? -1 : stack_.back(), uniform_).check(); !d.empty()) return d;
    return close(n);
  }

  // Whether the value of `node` (an axis that it defines, if `own`) may be used by the present node.
  constexpr bool known(std::int32_t node, bool own) const {
    if (node < 0 || node > node_ || (node == node_ && !own)) return false;
    if (node == node_) return true;
    return region_[node] == 0 || open_[region_[node] - 1];
  }
  constexpr Chars operand(const Node& n, int k) const {
    const std::int32_t id = p_.operand(n, k);
    if (id < 0 || id >= node_) return "operand " + number(k) + " is %" + number(id) + ", which does not precede it";
    if (!known(id, false)) return "operand " + number(k) + " is %" + number(id) + ", whose region is closed";
    const Node& o = p_.node(id);
    if (!has_value(o.op) || open_[id]) return "operand " + number(k) + " is %" + number(id) + ", which has no value";
    const bool var_here = k == 0 && (n.op == Op::get || writes_var(n.op));
    if ((o.op == Op::var) != var_here)
      return "operand " + number(k) + " is %" + number(id) + (var_here ? ", which is no Var" : ", a Var: get it first");
    return {};
  }
  constexpr Chars fields(const Node& n) const {
    const ImmFields all = imm_fields(n.op);
    if (!all.cover(n.imm)) return "its number has bits without a meaning";
    for (const ImmField& f : all) {
      const std::uint64_t v = f.get(n.imm);
      const std::size_t values = value_names(f.kind).size();
      const bool good = f.kind == FieldKind::axis      ? v < p_.axes.size()
                        : f.kind == FieldKind::arg     ? v < p_.args.size()
                        : f.kind == FieldKind::extent  ? v < p_.extents.size()
                        : f.kind == FieldKind::tunable ? v < p_.tunables.size()
                        : f.kind == FieldKind::string  ? v < p_.names.size()
                        : values != 0                  ? v < values
                                                       : true;
      if (!good) return Chars("there is no such ") + f.label + " as " + number(v);
      if (f.kind == FieldKind::axis && !known(p_.axes[v].node, true)) return "axis " + number(v) + " is not in scope";
    }
    if ((n.flags & ~7) != 0) return "it has unknown flags";
    if ((n.flags & flag_padded) != 0 && n.op != Op::load) return "only a load is padded";
    if ((n.flags & flag_masked) != 0 && n.op != Op::load && !writes_array(n.op)) return "it cannot be masked";
    return {};
  }

  // Where it stands: what must come first in a region, and what may not stand in one.
  constexpr Chars region(const Node& n) {
    const int parent = stack_.empty() ? -1 : stack_.back();
    region_[node_] = parent + 1;
    const Op opener = parent < 0 ? Op::literal : p_.node(parent).op,
             before = node_ > 0 ? p_.node(node_ - 1).op : Op::literal;
    if ((before == Op::for_blocks) != (n.op == Op::loop_block))
      return before == Op::for_blocks ? "for_blocks is followed by its loop_block"
                                      : "it is not the first node of a for_blocks";
    if ((before == Op::for_range) != (n.op == Op::loop_index))
      return before == Op::for_range ? "for_range is followed by its loop_index"
                                     : "it is not the first node of a for_range";
    if ((n.op == Op::grid_block || n.op == Op::grid_index) && parent >= 0)
      return "the grid is spanned at top level only";
    if (n.op == Op::loop_condition) {
      if (opener != Op::while_loop) return "it does not stand in a while_loop";
      if (condition_seen_.back()) return "its while_loop has a condition already";
      condition_seen_.back() = true;
    }
    if (n.op == Op::param && !opens_combine(opener)) return "it does not stand in a combining function";
    if (n.op == Op::else_region) {
      if (before != Op::end || last_closed_ < 0 || p_.node(last_closed_).op != Op::if_region)
        return "it does not follow the end of an if_region";
      if (p_.operand(n, 0) != p_.operand(p_.node(last_closed_), 0)) return "its condition is not that of its if_region";
    }
    if (in_combine() >= 0) {
      const OpClass c = info(n.op).op_class;
      if (c == OpClass::effect || writes_array(n.op)) return "a combining function has no effects";
      if (writes_var(n.op) && p_.operand(n, 0) < in_combine()) return "a combining function sets a Var from outside it";
    }
    return {};
  }
  constexpr int in_combine() const {
    for (std::size_t i = stack_.size(); i > 0; --i)
      if (opens_combine(p_.node(stack_[i - 1]).op)) return stack_[i - 1];
    return -1;
  }
  constexpr Chars close(const Node& n) {
    if (opens_region(n.op)) {
      if (stack_.size() >= max_nesting) return "regions nest deeper than " + number(max_nesting);
      stack_.push_back(node_);
      condition_seen_.push_back(false);
      open_[node_] = true;
    }
    if (!closes_region(n.op)) return {};
    if (stack_.empty()) return "no region is open";
    const int opener = stack_.back();
    if (opens_combine(p_.node(opener).op) != (n.op == Op::region_end)) return "it closes a region of another kind";
    if (p_.node(opener).op == Op::while_loop && !condition_seen_.back()) return "its while_loop has no condition";
    stack_.pop_back();
    condition_seen_.pop_back();
    open_[opener] = false;
    last_closed_ = opener;
    return {};
  }

  const Program& p_;
  int node_ = 0, last_closed_ = -1;
  Zeros<int> region_;  // the node that opens it, plus 1
  Zeros<bool> open_, uniform_;
  std::vector<int> stack_;
  std::vector<char> condition_seen_;
  Defect defect_;
};

}  // namespace detail

/// The first defect of a program, found in one pass over it; an empty one where it is sound. Safe on any data whose
/// spans are valid: it guards what the parser makes of a text.
constexpr Defect verify(const Program& p) { return detail::Verifier(p).run(); }

}  // namespace ir
TESSERA_END
