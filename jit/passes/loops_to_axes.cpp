// Owns the pass that makes axes of counted loops which only add up: a convolution spelled as loops over its window is
// then the same contraction as one spelled with blocks.
#include <map>
#include <set>

#include "jit/passes/simplify.hpp"
#include "tessera/ir/fields.hpp"
#include "tessera/ir/rewrite.hpp"

TESSERA_BEGIN
namespace jit {

using ir::Node;
using ir::Op;
using ir::Program;

namespace {

/// Longer loops are left alone: what they compute would be kept for all turns at once.
constexpr std::int64_t longest = 64;

bool adds_in_place(DType t) { return t == DType::f32 || t == DType::f64 || t == DType::i32 || t == DType::i64; }

/// Whether terms may be added in another order than the loop's: of floats only products that `dot` sums up.
bool in_any_order(const Node& term) { return !info(term.type).is_floating() || term.op == Op::dot; }

/// One loop of the program that can become an axis.
struct Found {
  std::int32_t opener = -1, close = -1;
  std::set<std::int32_t> dependent;            ///< nodes whose value changes with the loop's number
  std::map<std::int32_t, std::int32_t> added;  ///< add node of a `v = v + x` → x
};

bool may_have_the_axis(const Program& p, const Node& n) {
  if (n.rank + 1 > ir::max_rank) return false;
  const auto c = info(n.op).op_class;
  if (c == ir::OpClass::elementwise || n.op == Op::dot || n.op == Op::sum || n.op == Op::reduce_max ||
      n.op == Op::reduce_min)
    return true;
  return n.op == Op::load && p.args[static_cast<std::size_t>(n.imm & 0xffffffff)].effect == ir::Effect::in;
}

std::optional<Found> look_at(const Program& p, const ir::Rewriter& r, std::int32_t opener, const KnownExtent& extent) {
  const std::int32_t index = opener + 1;
  if (index >= r.size() || p.node(index).op != Op::loop_index) return {};
  const Node &number = p.node(index), &from = p.node(p.operand(number, 0)), &to = p.node(p.operand(number, 1));
  const std::optional<std::int64_t> count = to.op == Op::literal  ? to.imm
                                            : to.op == Op::extent ? extent(static_cast<int>(to.imm))
                                                                  : std::nullopt;
  if (from.op != Op::literal || from.imm != 0 || !count || *count < 1 || *count > longest) return {};
  Found f;
  f.opener = opener, f.close = r.close_of(opener);
  f.dependent.insert(index);
  std::map<std::int32_t, int> users;
  std::set<std::int32_t> written;
  for (std::int32_t i = index + 1; i < f.close; ++i) {
    for (std::int32_t o : p.operands_of(p.node(i))) ++users[o];
    if (p.node(i).op == Op::set) written.insert(p.operand(p.node(i), 0));
  }
  for (std::int32_t i = index + 1; i < f.close; ++i) {
    const Node& n = p.node(i);
    if (n.op == Op::set) {
      const std::int32_t value = p.operand(n, 1);
      const Node& sum = p.node(value);
      if (sum.op != Op::add || !adds_in_place(sum.type) || value < index || users[value] != 1) return {};
      const auto own = [&](std::int32_t o) {
        return p.node(o).op == Op::get && p.operand(p.node(o), 0) == p.operand(n, 0) && users[o] == 1 && o > index;
      };
      const std::int32_t a = p.operand(sum, 0), b = p.operand(sum, 1);
      const std::int32_t x = own(a) ? b : own(b) ? a : -1;
      if (x < 0 || !f.dependent.contains(x) || p.node(x).type != sum.type || p.node(x).rank != sum.rank) return {};
      if (p.node(p.operand(n, 0)).type != sum.type || !in_any_order(p.node(x))) return {};
      f.dependent.erase(value);
      f.added[value] = x;
      continue;
    }
    if (n.op == Op::get) {
      if (written.contains(p.operand(n, 0)) && users[i] != 1) return {};
      continue;
    }
    if (info(n.op).op_class == ir::OpClass::control || n.op == Op::store || n.op == Op::accumulate ||
        n.op == Op::atomic || n.op == Op::put || n.op == Op::print || n.op == Op::check || n.op == Op::var ||
        (info(n.op).op_class == ir::OpClass::block && n.op != Op::all_block && n.op != Op::lanes_block))
      return {};
    bool depends = false;
    for (std::int32_t o : p.operands_of(n)) depends |= f.dependent.contains(o);
    if (!depends) continue;
    if (!may_have_the_axis(p, n)) return {};
    f.dependent.insert(i);
  }
  // What is written is read only to be added to.
  for (std::int32_t i = index + 1; i < f.close; ++i) {
    const Node& n = p.node(i);
    if (n.op != Op::get || !written.contains(p.operand(n, 0))) continue;
    bool into_sum = false;
    for (const auto& [add, x] : f.added) into_sum |= p.operand(p.node(add), 0) == i || p.operand(p.node(add), 1) == i;
    if (!into_sum) return {};
  }
  if (f.added.empty()) return {};
  return f;
}

ir::Storage rewritten(const Program& p, const Found& f) {
  ir::Rewriter r(p);
  std::int32_t axis = -1;
  for (std::int32_t i = 0; i < r.size(); ++i) {
    const Node& n = p.node(i);
    if (i == f.opener || i == f.close) continue;
    if (i == f.opener + 1) {
      const Node& to = p.node(p.operand(n, 1));
      ir::Axis made;
      made.name = r.add_name("turn");
      Node block;
      block.type = DType::i64;
      block.rank = 1;
      std::vector<std::int32_t> in;
      if (to.op == Op::extent) {
        block.op = Op::all_block;
        made.kind = ir::AxisKind::all;
        made.extent = static_cast<std::int32_t>(to.imm);
      } else {
        block.op = Op::lanes_block;
        made.kind = ir::AxisKind::lanes;
        in.push_back(r.operand(i, 1));
      }
      axis = r.add_axis(made);
      block.axes[0] = static_cast<std::uint8_t>(axis);
      r.at_line_of(i);
      r.replace(i, r.add(block, in));
      continue;
    }
    if (const auto sum = f.added.find(i); sum != f.added.end()) {
      const std::int32_t x = r.value(sum->second);
      std::int32_t total = x;
      if (r.source().has_axis(r.node(x), axis)) {  // a product over the axis has it in its operands only
        Node s = p.node(sum->second);
        s.op = Op::sum;
        s.imm = 0;
        s.flags = 0;
        r.at_line_of(i);
        total = r.add(s, {x});
      }
      const bool first = p.operand(n, 0) == sum->second;
      Node add = n;
      r.at_line_of(i);
      r.replace(i, first ? r.add(add, {total, r.operand(i, 1)}) : r.add(add, {r.operand(i, 0), total}));
      continue;
    }
    if (!f.dependent.contains(i)) {
      r.copy(i);
      continue;
    }
    Node wide = n;
    wide.flags &= static_cast<std::uint8_t>(~ir::flag_uniform);
    const bool both = n.op == Op::dot && f.dependent.contains(p.operand(n, 0)) && f.dependent.contains(p.operand(n, 1));
    bool only_added = both;  // every user adds it up: it is contracted over the axis as well
    for (std::int32_t u = i + 1; u < f.close && only_added; ++u)
      for (std::int32_t o : p.operands_of(p.node(u)))
        only_added &= o != i || (f.added.contains(u) && f.added.at(u) == i);
    if (!only_added) wide.axes[wide.rank++] = static_cast<std::uint8_t>(axis);
    r.copy(i, wide);
  }
  return r.finish();
}

}  // namespace

ir::Storage loops_to_axes(const Program& p, const KnownExtent& extent) {
  ir::Rewriter copy(p);
  for (std::int32_t i = 0; i < copy.size(); ++i) copy.copy(i);
  ir::Storage out = copy.finish();
  for (bool again = true; again;) {
    again = false;
    const Program q = out.view();
    const ir::Rewriter r(q);
    for (std::int32_t i = r.size() - 1; i >= 0 && !again; --i) {  // inner loops first
      if (q.node(i).op != Op::for_range) continue;
      if (const auto found = look_at(q, r, i, extent)) {
        ir::Storage next = rewritten(q, *found);
        out = std::move(next);
        again = true;
      }
    }
  }
  return out;
}

}  // namespace jit
TESSERA_END
