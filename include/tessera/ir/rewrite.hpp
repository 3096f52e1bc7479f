// Owns how passes make a program out of another: node by node, with a map from old values to new ones. Run time only.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tessera/ir/fields.hpp"
#include "tessera/ir/tile.hpp"

TESSERA_BEGIN
namespace ir {

/// Copies a program into a Storage. Nodes are visited in their order; each is copied, replaced by another value, or
/// dropped, and new ones are added in between. Tables (args, extents, tunables, names) are copied at the start and keep
/// their indices; entries may be appended. What is left without a user stays until `tidy` drops it:
///
///     Rewriter r(program);
///     for (std::int32_t i = 0; i < r.size(); ++i)
///       if (std::int64_t v; known_extent(program.node(i), v)) r.replace(i, r.literal(DType::i64, v));
///       else r.copy(i);
///     Storage out = tidy(r.finish().view());
///
/// The source must outlive the rewriter and verify clean.
class Rewriter {
 public:
  explicit Rewriter(const Program& source) : source_(source), value_(source.size(), -1), close_(source.size(), -1) {
    out_.kernel_name.assign(source.name.begin(), source.name.end());
    out_.axes.assign(source.axes.begin(), source.axes.end());
    out_.args.assign(source.args.begin(), source.args.end());
    out_.extents.assign(source.extents.begin(), source.extents.end());
    out_.arg_extents.assign(source.arg_extents.begin(), source.arg_extents.end());
    out_.tunables.assign(source.tunables.begin(), source.tunables.end());
    out_.names.assign(source.names.begin(), source.names.end());
    out_.text.assign(source.text.begin(), source.text.end());
    std::vector<std::int32_t> open;
    for (std::int32_t i = 0; i < size(); ++i) {
      const Op op = source.node(i).op;
      if (opens_region(op)) open.push_back(i);
      if (closes_region(op) && !open.empty()) {
        close_[index(open.back())] = i;
        open.pop_back();
      }
    }
  }

  const Program& source() const { return source_; }
  /// Number of nodes of the source.
  std::int32_t size() const { return static_cast<std::int32_t>(source_.size()); }
  /// Of a node that opens a region: the node that closes it.
  std::int32_t close_of(std::int32_t old) const { return close_[index(old)]; }

  /// The new node that has the value of an old one; −1 if that has not come yet or was dropped.
  std::int32_t value(std::int32_t old) const { return value_[index(old)]; }
  /// The new node of an old node's operand k.
  std::int32_t operand(std::int32_t old, int k) const { return value(source_.operand(source_.node(old), k)); }
  /// A new node.
  const Node& node(std::int32_t id) const { return out_.nodes[index(id)]; }
  /// A new node's operand k.
  std::int32_t operand_of(std::int32_t id, int k) const { return out_.operands[index(node(id).first + k)]; }
  /// Number of nodes made so far.
  std::int32_t made() const { return static_cast<std::int32_t>(out_.nodes.size()); }

  /// Appends a copy of an old node, with the new values of its operands. Blocks may be copied once only: each defines
  /// an axis.
  std::int32_t copy(std::int32_t old) { return copy(old, source_.node(old)); }
  /// The same, of a changed version of the node (type, flags, imm, axes; the operands are those of `old`).
  std::int32_t copy(std::int32_t old, Node changed) {
    const std::span<const std::int32_t> from = source_.operands_of(source_.node(old));
    std::vector<std::int32_t> in(from.size());
    for (std::size_t k = 0; k < in.size(); ++k) in[k] = value(from[k]);
    line_ = line_of(old);
    return value_[index(old)] = add(changed, in);
  }
  /// The value of `old` is that of the new node `id` from now on; nothing is appended.
  void replace(std::int32_t old, std::int32_t id) { value_[index(old)] = id; }
  /// Appends nothing for the old nodes [first, last): a dead store, a branch that is never taken.
  void drop(std::int32_t first, std::int32_t last) {
    for (std::int32_t i = first; i < last; ++i) value_[index(i)] = -1;
  }

  /// Appends a new node. Its line is that of the node last copied, or as set by `at_line_of`.
  std::int32_t add(Node n, std::span<const std::int32_t> operands) {
    n.first = static_cast<std::int32_t>(out_.operands.size());
    n.count = static_cast<std::uint16_t>(operands.size());
    out_.operands.insert(out_.operands.end(), operands.begin(), operands.end());
    out_.nodes.push_back(n);
    if (!source_.lines.empty()) out_.lines.push_back(line_);
    return made() - 1;
  }
  std::int32_t add(Node n, std::initializer_list<std::int32_t> operands) {
    return add(n, std::span<const std::int32_t>(operands.begin(), operands.size()));
  }
  /// Appends an elementwise node: its axes are the union of its operands', in order of appearance.
  std::int32_t elementwise(Op op, DType type, std::initializer_list<std::int32_t> operands, std::int64_t imm = 0) {
    Node n;
    n.op = op;
    n.type = type;
    n.imm = imm;
    bool uniform = true;
    for (std::int32_t id : operands) {
      const Node& from = node(id);
      uniform = uniform && (from.flags & flag_uniform) != 0;
      for (int k = 0; k < from.rank; ++k)
        if (!out_.view().has_axis(n, from.axes[k])) n.axes[n.rank++] = from.axes[k];
    }
    if (uniform) n.flags = flag_uniform;
    return add(n, operands);
  }
  /// Appends a literal; `bits` as in Node::imm.
  std::int32_t literal(DType type, std::int64_t bits) {
    Node n;
    n.op = Op::literal;
    n.type = type;
    n.imm = bits;
    n.flags = flag_uniform;
    return add(n, {});
  }
  void at_line_of(std::int32_t old) { line_ = line_of(old); }

  /// Appends an axis and gives its index; the node that defines it is the first that has it.
  std::int32_t add_axis(Axis a) {
    out_.axes.push_back(a);
    return static_cast<std::int32_t>(out_.axes.size()) - 1;
  }
  std::int32_t add_extent(Extent e) { return append(out_.extents, e); }
  /// The index of a name or text; appended if it is new.
  std::int32_t add_name(std::string_view text) {
    const Program p = out_.view();
    for (std::size_t i = 0; i < out_.names.size(); ++i)
      if (p.str(static_cast<std::int32_t>(i)) == text) return static_cast<std::int32_t>(i);
    out_.names.push_back({static_cast<std::int32_t>(out_.text.size()), static_cast<std::int32_t>(text.size())});
    out_.text.insert(out_.text.end(), text.begin(), text.end());
    return static_cast<std::int32_t>(out_.names.size()) - 1;
  }

  /// The program made. Axes that no node has any more are dropped and the others renumbered; every axis is defined by
  /// the first node that has it. The rewriter is empty afterwards.
  Storage finish() {
    std::vector<std::int32_t> number(out_.axes.size(), -1);
    std::vector<Axis> axes;
    for (std::size_t i = 0; i < out_.nodes.size(); ++i)
      for (int k = 0; k < out_.nodes[i].rank; ++k) {
        const std::uint8_t old = out_.nodes[i].axes[k];
        if (number[old] >= 0) continue;
        number[old] = static_cast<std::int32_t>(axes.size());
        axes.push_back(out_.axes[old]);
        axes.back().node = static_cast<std::int32_t>(i);
      }
    for (Axis& a : axes)
      if (a.parent >= 0) a.parent = number[index(a.parent)];
    for (Node& n : out_.nodes) {
      for (int k = 0; k < n.rank; ++k) n.axes[k] = static_cast<std::uint8_t>(number[n.axes[k]]);
      for (const ImmField& f : imm_fields(n.op))
        if (f.kind == FieldKind::axis && number[f.get(n.imm)] >= 0)
          n.imm = f.set(n.imm, static_cast<std::uint64_t>(number[f.get(n.imm)]));
    }
    out_.axes = std::move(axes);
    return std::exchange(out_, Storage());
  }

 private:
  static std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }
  template <class T>
  static std::int32_t append(std::vector<T>& table, const T& entry) {
    for (std::size_t i = 0; i < table.size(); ++i)
      if (table[i] == entry) return static_cast<std::int32_t>(i);
    table.push_back(entry);
    return static_cast<std::int32_t>(table.size()) - 1;
  }
  std::uint32_t line_of(std::int32_t old) const { return source_.lines.empty() ? 0 : source_.lines[index(old)]; }

  Program source_;
  std::vector<std::int32_t> value_, close_;
  Storage out_;
  std::uint32_t line_ = 0;
};

}  // namespace ir
TESSERA_END
