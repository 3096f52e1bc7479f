// Owns the figures of what random programs covered.
#include "tests/fuzz/coverage.hpp"

#include <sstream>

namespace fuzz {

namespace ir = tessera::ir;

void Coverage::add(const ir::Program& program) {
  for (const ir::Node& n : program.nodes) {
    const bool compares = n.op >= ir::Op::lt && n.op <= ir::Op::ne;
    const bool takes = compares || n.op == ir::Op::argmax || n.op == ir::Op::argmin;
    const tessera::DType type = takes ? program.node(program.operand(n, 0)).type : n.type;
    count[static_cast<int>(n.op)][static_cast<int>(type)].fetch_add(1, std::memory_order_relaxed);
  }
}

std::string Coverage::summary() const {
  int ops = 0, pairs = 0;
  std::string never;
  for (int op = 0; op < ir::op_count; ++op) {
    int here = 0;
    for (int t = 0; t < tessera::dtype_count; ++t) here += count[op][t] != 0 ? 1 : 0;
    pairs += here;
    ops += here != 0 ? 1 : 0;
    if (here == 0) never += " " + std::string(ir::info(static_cast<ir::Op>(op)).text);
  }
  return "ops " + std::to_string(ops) + " of " + std::to_string(ir::op_count) + ", op x type " + std::to_string(pairs) +
         (never.empty() ? "" : ", never:" + never);
}

std::string Coverage::table() const {
  std::ostringstream out;
  for (int op = 0; op < ir::op_count; ++op) {
    out << ir::info(static_cast<ir::Op>(op)).text << ':';
    for (int t = 0; t < tessera::dtype_count; ++t)
      if (const auto n = count[op][t].load())
        out << ' ' << tessera::dtype_name(static_cast<tessera::DType>(t)) << ' ' << n;
    out << '\n';
  }
  return out.str();
}

}  // namespace fuzz
