// Owns the simplifying passes on Tile IR; `simplify` at the end is their order.
#include "jit/passes/simplify.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "tessera/ir/rewrite.hpp"

TESSERA_BEGIN
namespace jit {

using ir::Node;
using ir::Op;
using ir::Program;
using ir::Rewriter;

namespace {

std::vector<int> count_users(const Program& p) {
  std::vector<int> n(p.nodes.size(), 0);
  for (const Node& node : p.nodes)
    for (std::int32_t o : p.operands_of(node)) ++n[static_cast<std::size_t>(o)];
  return n;
}

/// Whether an axis is another one, or what an operation has made of it.
bool derives(const Program& p, std::int32_t axis, std::int32_t from) {
  if (axis == from) return true;
  const Node& n = p.node(p.axes[static_cast<std::size_t>(axis)].node);
  const auto of = [&](std::int64_t x) { return x != axis && derives(p, static_cast<std::int32_t>(x), from); };
  switch (n.op) {
    case Op::alias:
    case Op::grow:
      return of(p.node(p.operand(n, 0)).axes[0]);
    case Op::rename:
      return of(n.imm & 0xffffffff);
    case Op::split:
      return of(n.imm & 0xfffff);
    case Op::merge:
    case Op::join:
      return of(n.imm & 0xfffff) || of(n.imm >> 20 & 0xfffff);
    default:
      return false;
  }
}

/// Whether an operation shows how many lanes a tile has along an axis, those included that do not exist.
bool lanes_show(const Program& p, std::int32_t axis) {
  return std::any_of(p.nodes.begin(), p.nodes.end(), [&](const Node& n) {
    if (n.op == Op::split) return derives(p, static_cast<std::int32_t>(n.imm & 0xfffff), axis);
    return (n.op == Op::merge || n.op == Op::join) &&
           (derives(p, static_cast<std::int32_t>(n.imm & 0xfffff), axis) ||
            derives(p, static_cast<std::int32_t>(n.imm >> 20 & 0xfffff), axis));
  });
}

}  // namespace

ir::Storage set_cuts(const Program& p, const std::vector<std::int64_t>& cuts,
                     const std::vector<std::pair<int, std::int64_t>>& literal_cuts) {
  Rewriter r(p);
  const auto cut_of = [&](std::int32_t block) {
    return std::find_if(literal_cuts.begin(), literal_cuts.end(), [&](const auto& c) { return c.first == block; });
  };
  std::int32_t literal = -1;
  for (std::int32_t i = 0; i < r.size(); ++i) {
    const Node& n = p.node(i);
    if (n.op == Op::tunable) {
      r.replace(i, r.literal(DType::i64, cuts[static_cast<std::size_t>(n.imm)]));
      continue;
    }
    // The block of a loop follows its opener at once: its cut stands before that.
    if (n.op == Op::for_blocks)
      if (const auto cut = cut_of(i + 1); cut != literal_cuts.end()) literal = r.literal(DType::i64, cut->second);
    const auto cut = cut_of(i);
    if (cut == literal_cuts.end()) {
      r.copy(i);
      continue;
    }
    std::vector<std::int32_t> in;
    for (std::int32_t o : p.operands_of(n)) in.push_back(r.value(o));
    in[0] = n.op == Op::loop_block ? literal : r.literal(DType::i64, cut->second);
    r.replace(i, r.add(n, in));
  }
  return r.finish();
}

ir::Storage open_single_trips(const Program& p, const KnownExtent& extent) {
  Rewriter r(p);
  std::set<std::int32_t> ends;
  for (std::int32_t i = 0; i < r.size(); ++i) {
    const Node& n = p.node(i);
    if (ends.contains(i)) continue;
    if (n.op == Op::for_blocks && i + 1 < r.size() && p.node(i + 1).op == Op::loop_block && p.node(i + 1).count == 1) {
      const Node& block = p.node(i + 1);
      const Node& cut = p.node(p.operand(block, 0));
      const auto size = extent(p.axes[block.axes[0]].extent);
      if (cut.op == Op::literal && size && *size >= 1 && *size <= cut.imm &&
          (*size == cut.imm || !lanes_show(p, block.axes[0]))) {
        ends.insert(r.close_of(i));
        Node whole = block;
        whole.op = Op::all_block;
        r.at_line_of(i + 1);
        r.replace(i + 1, r.add(whole, {}));
        ++i;
        continue;
      }
    }
    r.copy(i);
  }
  return r.finish();
}

ir::Storage vars_to_values(const Program& p) {
  // Which Vars each region writes.
  std::vector<std::set<std::int32_t>> written(p.nodes.size());
  std::vector<std::int32_t> open;
  std::vector<std::int32_t> opener_of(p.nodes.size(), -1);
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(p.nodes.size()); ++i) {
    const Node& n = p.node(i);
    if (n.op == Op::set || n.op == Op::put)
      for (std::int32_t o : open) written[static_cast<std::size_t>(o)].insert(p.operand(n, 0));
    if (ir::opens_region(n.op)) open.push_back(i);
    if (ir::closes_region(n.op) && !open.empty()) opener_of[static_cast<std::size_t>(i)] = open.back(), open.pop_back();
  }
  Rewriter r(p);
  std::map<std::int32_t, std::int32_t> current;  // Var → new node that has its value
  const auto forget = [&](std::int32_t opener) {
    for (std::int32_t v : written[static_cast<std::size_t>(opener)]) current.erase(v);
  };
  for (std::int32_t i = 0; i < r.size(); ++i) {
    const Node& n = p.node(i);
    if (ir::opens_region(n.op)) forget(i);
    if (ir::closes_region(n.op)) forget(opener_of[static_cast<std::size_t>(i)]);
    if (n.op == Op::get) {
      if (auto it = current.find(p.operand(n, 0)); it != current.end()) {
        const Node& v = r.node(it->second);
        bool same = v.rank == n.rank && v.type == n.type;
        for (int k = 0; k < n.rank && same; ++k) {
          bool found = false;
          for (int j = 0; j < v.rank; ++j) found |= v.axes[j] == n.axes[k];
          same = found;
        }
        if (same) {
          r.replace(i, it->second);
        } else {
          Node spread = n;
          spread.op = Op::broadcast;
          spread.imm = 0;
          spread.flags = 0;
          r.replace(i, r.add(spread, {it->second}));
        }
        continue;
      }
    }
    r.copy(i);
    if (n.op == Op::var) current[i] = r.operand(i, 0);
    if (n.op == Op::set) current[p.operand(n, 0)] = r.operand(i, 1);
    if (n.op == Op::put) current.erase(p.operand(n, 0));
  }
  const ir::Storage forwarded = r.finish();
  // Vars that nobody reads any more.
  const Program q = forwarded.view();
  std::set<std::int32_t> read;
  for (const Node& n : q.nodes)
    if (n.op == Op::get) read.insert(q.operand(n, 0));
  Rewriter clean(q);
  for (std::int32_t i = 0; i < clean.size(); ++i) {
    const Node& n = q.node(i);
    const bool dead = (n.op == Op::var && !read.contains(i)) ||
                      ((n.op == Op::set || n.op == Op::put) && !read.contains(q.operand(n, 0)));
    if (!dead) clean.copy(i);
  }
  return clean.finish();
}

ir::Storage share_equal(const Program& p) {
  using Key = std::tuple<Op, DType, int, std::vector<std::int32_t>, std::vector<int>, std::int64_t>;
  Rewriter r(p);
  std::vector<std::map<Key, std::int32_t>> scopes(1);
  for (std::int32_t i = 0; i < r.size(); ++i) {
    const Node& n = p.node(i);
    const auto cls = info(n.op).op_class;
    const bool reads_in =
        n.op == Op::load && p.args[static_cast<std::size_t>(n.imm & 0xffffffff)].effect == ir::Effect::in;
    const bool pure = cls == ir::OpClass::elementwise || n.op == Op::literal || n.op == Op::extent ||
                      n.op == Op::scalar || reads_in || (cls == ir::OpClass::reduction && n.op != Op::reduce) ||
                      n.op == Op::at || n.op == Op::rename;
    if (pure) {
      Key key{n.op, n.type, n.flags & ~ir::flag_uniform, {}, {n.axes, n.axes + n.rank}, n.imm};
      for (std::int32_t o : p.operands_of(n)) std::get<3>(key).push_back(r.value(o));
      std::int32_t found = -1;
      for (const auto& s : scopes)
        if (auto it = s.find(key); it != s.end()) found = it->second;
      if (found >= 0) {
        r.replace(i, found);
        continue;
      }
      scopes.back()[key] = r.copy(i);
      continue;
    }
    r.copy(i);
    if (ir::closes_region(n.op)) scopes.pop_back();
    if (ir::opens_region(n.op)) scopes.emplace_back();
  }
  return r.finish();
}

ir::Storage sums_to_dots(const Program& p) {
  const std::vector<int> users = count_users(p);
  Rewriter r(p);
  for (std::int32_t i = 0; i < r.size(); ++i) {
    const Node& n = p.node(i);
    if (n.op == Op::sum) {
      const std::int32_t m = p.operand(n, 0);
      const Node& product = p.node(m);
      if (product.op == Op::mul && users[static_cast<std::size_t>(m)] == 1 && product.type == n.type) {
        const Node &a = p.node(p.operand(product, 0)), &b = p.node(p.operand(product, 1));
        bool own_a = false, own_b = false, contracts = true;
        for (int k = 0; k < n.rank; ++k) {
          const bool in_a = p.has_axis(a, n.axes[k]), in_b = p.has_axis(b, n.axes[k]);
          own_a |= in_a && !in_b;
          own_b |= in_b && !in_a;
        }
        for (int k = 0; k < product.rank; ++k)
          if (!p.has_axis(n, product.axes[k]))
            contracts &= p.has_axis(a, product.axes[k]) && p.has_axis(b, product.axes[k]);
        if (own_a && own_b && contracts && a.type == n.type && b.type == n.type) {
          Node dot = n;
          dot.op = Op::dot;
          r.at_line_of(i);
          r.replace(i, r.add(dot, {r.value(p.operand(product, 0)), r.value(p.operand(product, 1))}));
          continue;
        }
      }
    }
    r.copy(i);
  }
  return r.finish();
}

ir::Storage simplify(ir::Storage p, const KnownExtent& extent, const PassObserver& observe, bool ordered) {
  const auto pass = [&](const char* name, ir::Storage next) {
    p = std::move(next);
    if (observe) observe(name, p.view());
  };
  pass("open_single_trips", open_single_trips(p.view(), extent));
  if (!ordered) pass("loops_to_axes", loops_to_axes(p.view(), extent));
  pass("vars_to_values", vars_to_values(p.view()));
  pass("share_equal", share_equal(p.view()));
  pass("sums_to_dots", sums_to_dots(p.view()));
  return p;
}

}  // namespace jit
TESSERA_END
