// Owns loads and stores of vectors under masks that the processor has no instruction for: of 8 and 16 bits without
// AVX-512BW, of any width without AVX, of packed elements.
#include <llvm/IR/Intrinsics.h>

#include "jit/llvm/emitter.hpp"

TESSERA_BEGIN
namespace jit::detail {

namespace {
constexpr std::uint64_t page = 4096;  // the smallest that a processor protects
}

bool Emitter::masks_in_one(int bits) const {
  return bits >= 8 && (options_.vector_bits == 512 || (options_.vector_bits == 256 && bits >= 32));
}

llvm::Value* Emitter::branch(Value* condition, const std::function<Value*()>& then,
                             const std::function<Value*()>& otherwise) {
  llvm::BasicBlock *yes = block("whole"), *no = block("partly"), *join = block("done");
  b_.CreateCondBr(condition, yes, no);
  b_.SetInsertPoint(yes);
  Value* a = then();
  yes = b_.GetInsertBlock();
  b_.CreateBr(join);
  b_.SetInsertPoint(no);
  Value* b = otherwise();
  no = b_.GetInsertBlock();
  b_.CreateBr(join);
  b_.SetInsertPoint(join);
  if (!a) return nullptr;
  llvm::PHINode* phi = b_.CreatePHI(a->getType(), 2);
  phi->addIncoming(a, yes);
  phi->addIncoming(b, no);
  return phi;
}

void Emitter::for_each_set(Value* mask, const std::function<void(Value*)>& body) {
  llvm::Type* word = b_.getInt64Ty();
  Value* all = b_.CreateZExt(as(mask, b_.getIntNTy(static_cast<unsigned>(lanes_of(mask)))), word);
  llvm::BasicBlock *before = b_.GetInsertBlock(), *head = block("lane"), *exit = block("exit");
  b_.CreateCondBr(b_.CreateICmpNE(all, b_.getInt64(0)), head, exit);
  b_.SetInsertPoint(head);
  llvm::PHINode* left = b_.CreatePHI(word, 2);
  left->addIncoming(all, before);
  body(b_.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, left, b_.getTrue()));
  Value* next = b_.CreateAnd(left, b_.CreateSub(left, b_.getInt64(1)));
  left->addIncoming(next, b_.GetInsertBlock());
  b_.CreateCondBr(b_.CreateICmpNE(next, b_.getInt64(0)), head, exit);
  b_.SetInsertPoint(exit);
}

// Where the whole vector lies in one page, memory is there if one lane's is. What others write beside the lanes of this
// mask is read, but not looked at.
llvm::Value* Emitter::readable(Value* pointer, int bytes, Value* mask) {
  llvm::Type* word = b_.getIntNTy(static_cast<unsigned>(lanes_of(mask)));
  Value* at = b_.CreateAnd(b_.CreatePtrToInt(pointer, b_.getInt64Ty()), b_.getInt64(page - 1));
  return b_.CreateAnd(b_.CreateICmpULE(at, b_.getInt64(page - static_cast<std::uint64_t>(bytes))),
                      b_.CreateICmpNE(as(mask, word), llvm::Constant::getNullValue(word)));
}

llvm::Value* Emitter::load_masked(llvm::Type* stored, Value* pointer, llvm::Align alignment, Value* mask, int buffer) {
  Value* nothing = llvm::Constant::getNullValue(stored);
  llvm::Type* element = stored->getScalarType();
  const int bits = static_cast<int>(element->getScalarSizeInBits());
  const auto noted = [&](llvm::Instruction* load) {
    annotate(load, buffer);
    return load;
  };
  if (masks_in_one(bits)) return noted(b_.CreateMaskedLoad(stored, pointer, alignment, mask, nothing));
  const int bytes = lanes_of(mask) * bits / 8;
  return branch(
      readable(pointer, bytes, mask),
      [&] { return select(mask, noted(b_.CreateAlignedLoad(stored, pointer, alignment)), nothing); },
      [&]() -> Value* {
        Value* lanes = stack_slot(bytes);
        b_.CreateStore(nothing, lanes);
        for_each_set(mask, [&](Value* lane) {
          b_.CreateStore(b_.CreateLoad(element, b_.CreateGEP(element, pointer, lane)),
                         b_.CreateGEP(element, lanes, lane));
        });
        return b_.CreateLoad(stored, lanes);
      });
}

void Emitter::store_masked(Value* value, Value* pointer, llvm::Align alignment, Value* mask) {
  llvm::Type* element = value->getType()->getScalarType();
  const int bits = static_cast<int>(element->getScalarSizeInBits()), count = lanes_of(mask);
  if (masks_in_one(bits) || llvm::isa<llvm::Constant>(mask)) {
    b_.CreateMaskedStore(value, pointer, alignment, mask);
    return;
  }
  llvm::Type* word = b_.getIntNTy(static_cast<unsigned>(count));
  branch(
      b_.CreateICmpEQ(as(mask, word), llvm::Constant::getAllOnesValue(word)),
      [&]() -> Value* { return b_.CreateAlignedStore(value, pointer, alignment), nullptr; },
      [&]() -> Value* {
        Value* lanes = stack_slot(count * bits / 8);
        b_.CreateStore(value, lanes);
        for_each_set(mask, [&](Value* lane) {
          b_.CreateStore(b_.CreateLoad(element, b_.CreateGEP(element, lanes, lane)),
                         b_.CreateGEP(element, pointer, lane));
        });
        return nullptr;
      });
}

}  // namespace jit::detail
TESSERA_END
