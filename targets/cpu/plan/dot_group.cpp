// Owns the choice of how many narrow elements one 32-bit lane of a contraction's panels holds.
#include "targets/cpu/plan/dot_group.hpp"

TESSERA_BEGIN
namespace cpu {
namespace {

/// The type that a node's values have before casts that lose nothing.
DType narrowest(const ir::Program& p, int id) {
  const ir::Node& n = p.node(id);
  if (n.op == ir::Op::cast || n.op == ir::Op::broadcast) {
    const int from = p.operand(n, 0);
    const DType t = p.node(from).type;
    if (t == n.type || widens(t, n.type)) return narrowest(p, from);
  }
  return n.type;
}

bool fits_i16(DType t) {
  const DTypeInfo& i = info(t);
  return i.is_integer() && i.bits <= (i.is_signed_integer() ? 16 : 8);
}

}  // namespace

int dot_group(const ir::Program& program, int s, int v, DType sum) {
  return sum == DType::i32 && fits_i16(narrowest(program, s)) && fits_i16(narrowest(program, v)) ? 2 : 1;
}

}  // namespace cpu
TESSERA_END
