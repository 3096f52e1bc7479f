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

bool fits_i8(DType t) { return t == DType::u4 || (info(t).is_signed_integer() && info(t).bits <= 8); }
bool fits_u8(DType t) { return info(t).is_unsigned_integer() && info(t).bits <= 8; }

}  // namespace

DotGroup choose_dot_group(const ir::Program& program, int s, int v, DType sum, const Machine& machine) {
  const DType a = narrowest(program, s), b = narrowest(program, v);
  const bool flushes = machine.numerics == Numerics::fast && !machine.ordered();
  if (sum == DType::f32 && flushes && machine.has_bf16_dots && a == DType::bf16 && b == DType::bf16)
    return {2, DType::bf16, DType::bf16, false};
  if (sum != DType::i32 || !fits_i16(a) || !fits_i16(b)) return {};
  if (machine.has_byte_dots) {
    if (fits_u8(a) && fits_i8(b)) return {4, DType::u8, DType::i8, false};
    if (fits_i8(a) && fits_u8(b)) return {4, DType::i8, DType::u8, false};
    if (fits_i8(a) && fits_i8(b)) return {4, DType::u8, DType::i8, true};
  }
  return {2, DType::i16, DType::i16, false};
}

}  // namespace cpu
TESSERA_END
