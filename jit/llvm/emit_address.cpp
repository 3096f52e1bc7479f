// Owns where elements lie: bases of buffers, addresses, and what is proven of their alignment.
#include <algorithm>

#include "jit/llvm/emitter.hpp"
#include "tessera/ir/tile.hpp"

TESSERA_BEGIN
namespace jit::detail {

llvm::Value* Emitter::base(int buffer) {
  Value*& value = fn_.bases[static_cast<std::size_t>(buffer)];
  if (value) return value;
  const loop::Buffer& b = program_.buffers[static_cast<std::size_t>(buffer)];
  if (b.word < 0) throw Unsupported(fn_.loop->name + ": buffer " + b.name + " is used before its alloc");
  Value* bits = word(b.word);
  llvm::IRBuilder<> prologue(fn_.prologue_end);
  return value = prologue.CreateIntToPtr(bits, b_.getPtrTy(), b.name);
}

llvm::Value* Emitter::shared(llvm::Instruction::BinaryOps op, Value* x, Value* y, Value* made) {
  Value*& value = near_.sums[{op, x, y}];
  if (!value) value = made ? made : b_.CreateBinOp(op, x, y);
  return value;
}

// An index as a value and a constant that is added to it.
std::pair<llvm::Value*, std::int64_t> Emitter::split(Value* index, int depth) {
  if (const auto* c = llvm::dyn_cast<llvm::ConstantInt>(index)) return {b_.getInt64(0), c->getSExtValue()};
  const auto* inst = llvm::dyn_cast<llvm::BinaryOperator>(index);
  if (!inst || depth > 6) return {index, 0};
  Value *x = inst->getOperand(0), *y = inst->getOperand(1);
  const auto wrapped = [](std::int64_t a, std::int64_t b, bool product) {
    const auto u = static_cast<std::uint64_t>(a), v = static_cast<std::uint64_t>(b);
    return static_cast<std::int64_t>(product ? u * v : u + v);
  };
  if (inst->getOpcode() == llvm::Instruction::Add) {
    const auto [left, p] = split(x, depth + 1);
    const auto [right, q] = split(y, depth + 1);
    const bool same = left == x && right == y;
    return {shared(llvm::Instruction::Add, left, right, same ? index : nullptr), wrapped(p, q, false)};
  }
  if (const auto* by = llvm::dyn_cast<llvm::ConstantInt>(y); by && inst->getOpcode() == llvm::Instruction::Mul) {
    const auto [rest, p] = split(x, depth + 1);
    return {shared(llvm::Instruction::Mul, rest, y, rest == x ? index : nullptr), wrapped(p, by->getSExtValue(), true)};
  }
  return {index, 0};
}

// The address of an element of at least a byte. Elements that lie beside each other are addressed from one pointer: the
// code generator spends a third less time than on an index of its own for each.
llvm::Value* Emitter::address(int buffer, Value* offset) {
  const DType t = program_.buffers[static_cast<std::size_t>(buffer)].elem;
  llvm::Type* unit = b_.getIntNTy(info(t).bits);
  if (near_.block != b_.GetInsertBlock()) {
    near_ = {};
    near_.block = b_.GetInsertBlock();
  }
  const auto [index, beside] = split(offset);
  Value*& pointer = near_.pointers[{buffer, index}];
  if (!pointer) pointer = b_.CreateGEP(unit, base(buffer), index);
  return beside == 0 ? pointer : b_.CreateGEP(unit, pointer, b_.getInt64(static_cast<std::uint64_t>(beside)));
}

llvm::Align Emitter::align(int buffer, loop::Value offset) {
  const loop::Buffer& b = program_.buffers[static_cast<std::size_t>(buffer)];
  const std::uint64_t element = std::max<std::uint64_t>(1, info(b.elem).bits / 8);
  const std::uint64_t proven = element << std::min(trailing_zeros(offset), 12);
  const auto whole = static_cast<std::uint64_t>(std::max(b.align, 1));
  return llvm::Align(std::max<std::uint64_t>(1, std::min({proven, whole & (~whole + 1), std::uint64_t{4096}})));
}

void Emitter::annotate(llvm::Instruction* inst, int buffer) {
  const loop::Buffer& b = program_.buffers[static_cast<std::size_t>(buffer)];
  if (b.read_only && b.no_alias && b.space == loop::Space::global)
    inst->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(module_.getContext(), {}));
}

}  // namespace jit::detail
TESSERA_END
