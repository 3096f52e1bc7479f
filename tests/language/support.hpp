// Owns what tests of captured programs ask them: counts of operations, nodes by operation, names of axes.
#pragma once

#include <tessera/ir/verify.hpp>
#include <tessera/tessera.hpp>

#include <string>

namespace tessera::test {

/// How many nodes have the operation.
constexpr int count(const ir::Program& p, ir::Op op) {
  int n = 0;
  for (const ir::Node& node : p.nodes) n += node.op == op;
  return n;
}
/// The `which`-th node of the operation; −1 where there are fewer.
constexpr int find(const ir::Program& p, ir::Op op, int which = 0) {
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p.nodes[i].op == op && which-- == 0) return static_cast<int>(i);
  return -1;
}
constexpr const ir::Node& node(const ir::Program& p, ir::Op op, int which = 0) { return p.node(find(p, op, which)); }
constexpr std::string_view axis_name(const ir::Program& p, const ir::Node& n, int k) {
  return p.str(p.axes[n.axes[k]].name);
}
/// The names of a node's axes, as in "M, N".
inline std::string axes(const ir::Program& p, const ir::Node& n) {
  std::string s;
  for (int k = 0; k < n.rank; ++k) s += (k != 0 ? ", " : "") + std::string(axis_name(p, n, k));
  return s;
}
/// What the verifier says of the program: nothing, if it is right.
inline std::string defect(const ir::Program& p) {
  const ir::Defect d = ir::verify(p);
  return d ? "node " + std::to_string(d.node) + ": " + d.text.str() : "";
}

}  // namespace tessera::test
