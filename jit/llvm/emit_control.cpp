// Owns the translation of loops, branches, calls, and of calls of the runtime to LLVM IR.
#include <llvm/IR/Intrinsics.h>

#include <algorithm>

#include "jit/llvm/emitter.hpp"
#include "jit/runtime/context.hpp"

TESSERA_BEGIN
namespace jit::detail {

using loop::FunctionKind;
using loop::Op;

void Emitter::for_loop(const loop::Inst& inst) {
  if (inst.operands.size() < 3 || inst.regions.size() != 1) refuse(inst, "it takes lo, hi, step and one region");
  Value *lo = use(inst.operands[0]), *hi = use(inst.operands[1]), *step = use(inst.operands[2]);
  const loop::Region& body = inst.regions[0];
  const int zeros = std::min(trailing_zeros(inst.operands[0]), trailing_zeros(inst.operands[2]));
  std::vector<Value*> carried;
  for (std::size_t i = 3; i < inst.operands.size(); ++i) carried.push_back(use(inst.operands[i]));

  auto *first = llvm::dyn_cast<llvm::ConstantInt>(lo), *last = llvm::dyn_cast<llvm::ConstantInt>(hi),
       *by = llvm::dyn_cast<llvm::ConstantInt>(step);
  if (by && by->getSExtValue() <= 0) refuse(inst, "its step is not positive");
  const auto set_results = [&](const std::vector<Value*>& values) {
    for (std::size_t i = 0; i < inst.results.size(); ++i) set(inst.results[i], values[i]);
  };
  const auto run_body = [&](Value* iv, const std::vector<Value*>& values, int iv_zeros) {
    std::vector<Value*> params{iv};
    params.insert(params.end(), values.begin(), values.end());
    if (params.size() != body.params.size()) refuse(inst, "its region takes other parameters");
    set(body.params[0], iv, iv_zeros);
    // region() sets the parameters; what is known of the induction variable is set after them.
    for (std::size_t i = 1; i < params.size(); ++i) set(body.params[i], params[i]);
    for (const loop::Inst& inner : body.body) {
      if (inner.op == Op::yield) {
        std::vector<Value*> results;
        for (loop::Value v : inner.operands) results.push_back(use(v));
        if (results.size() != values.size()) refuse(inst, "it yields other values than it carries");
        return results;
      }
      instruction(inner);
    }
    return std::vector<Value*>{};
  };

  const bool counted = first && last && by;
  if (counted && first->getSExtValue() >= last->getSExtValue()) return set_results(carried);
  if (counted && (inst.flags & loop::flag_unroll) != 0) {
    for (std::int64_t i = first->getSExtValue(); i < last->getSExtValue(); i += by->getSExtValue())
      carried = run_body(llvm::ConstantInt::getSigned(lo->getType(), i), carried,
                         i == 0 ? 62 : __builtin_ctzll(static_cast<unsigned long long>(i)));
    return set_results(carried);
  }
  if (counted && last->getSExtValue() - first->getSExtValue() <= by->getSExtValue())
    return set_results(run_body(lo, carried, zeros));

  // Rotated: the test stands at the end, and before the loop where the first trip is not certain.
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock *head = block("loop"), *exit = block("exit");
  const bool guarded = !(first && last);
  if (guarded)
    b_.CreateCondBr(b_.CreateICmpSLT(lo, hi), head, exit);
  else
    b_.CreateBr(head);
  b_.SetInsertPoint(head);
  llvm::PHINode* iv = b_.CreatePHI(lo->getType(), 2);
  iv->addIncoming(lo, before);
  std::vector<llvm::PHINode*> phis;
  std::vector<Value*> values;
  for (Value* v : carried) {
    phis.push_back(b_.CreatePHI(v->getType(), 2));
    phis.back()->addIncoming(v, before);
    values.push_back(phis.back());
  }
  const std::vector<Value*> yields = run_body(iv, values, zeros);
  Value* next = b_.CreateNSWAdd(iv, step);  // hi is far from the end of i64: extents and ranges are counts of elements
  llvm::BasicBlock* latch = b_.GetInsertBlock();
  b_.CreateCondBr(b_.CreateICmpSLT(next, hi), head, exit);
  iv->addIncoming(next, latch);
  for (std::size_t i = 0; i < phis.size(); ++i) phis[i]->addIncoming(yields[i], latch);
  b_.SetInsertPoint(exit);
  std::vector<Value*> results = yields;
  if (guarded)
    for (std::size_t i = 0; i < results.size(); ++i) {
      llvm::PHINode* phi = b_.CreatePHI(carried[i]->getType(), 2);
      phi->addIncoming(carried[i], before);
      phi->addIncoming(yields[i], latch);
      results[i] = phi;
    }
  set_results(results);
}

void Emitter::while_loop(const loop::Inst& inst) {
  if (inst.regions.size() != 2) refuse(inst, "it has two regions");
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock *head = block("while"), *body = block("do"), *exit = block("exit");
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  std::vector<llvm::PHINode*> phis;
  std::vector<Value*> values;
  for (loop::Value v : inst.operands) {
    phis.push_back(b_.CreatePHI(use(v)->getType(), 2));
    phis.back()->addIncoming(use(v), before);
    values.push_back(phis.back());
  }
  std::vector<Value*> tested = region(inst.regions[0], values);
  if (tested.size() != values.size() + 1) refuse(inst, "its condition yields other values than it carries");
  b_.CreateCondBr(tested[0], body, exit);
  b_.SetInsertPoint(body);
  tested.erase(tested.begin());
  const std::vector<Value*> yields = region(inst.regions[1], tested);
  if (yields.size() != values.size()) refuse(inst, "it yields other values than it carries");
  for (std::size_t i = 0; i < phis.size(); ++i) phis[i]->addIncoming(yields[i], b_.GetInsertBlock());
  b_.CreateBr(head);
  b_.SetInsertPoint(exit);
  for (std::size_t i = 0; i < inst.results.size(); ++i) set(inst.results[i], tested[i]);
}

void Emitter::if_else(const loop::Inst& inst) {
  if (inst.operands.size() != 1 || inst.regions.empty()) refuse(inst, "it takes a condition and its regions");
  Value* condition = use(inst.operands[0]);
  const bool has_else = inst.regions.size() > 1;
  if (!has_else && !inst.results.empty()) refuse(inst, "without else it has no results");
  if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(condition)) {
    if (known->isZero() && !has_else) return;
    const std::vector<Value*> values = region(inst.regions[known->isZero() ? 1 : 0], {});
    for (std::size_t i = 0; i < inst.results.size(); ++i) set(inst.results[i], values[i]);
    return;
  }
  llvm::BasicBlock *then = block("then"), *otherwise = has_else ? block("else") : nullptr, *join = block("join");
  b_.CreateCondBr(condition, then, has_else ? otherwise : join);
  b_.SetInsertPoint(then);
  const std::vector<Value*> left = region(inst.regions[0], {});
  llvm::BasicBlock* then_end = b_.GetInsertBlock();
  b_.CreateBr(join);
  std::vector<Value*> right;
  llvm::BasicBlock* else_end = nullptr;
  if (has_else) {
    b_.SetInsertPoint(otherwise);
    right = region(inst.regions[1], {});
    else_end = b_.GetInsertBlock();
    b_.CreateBr(join);
  }
  b_.SetInsertPoint(join);
  if (!inst.results.empty() && (left.size() != inst.results.size() || right.size() != left.size()))
    refuse(inst, "its regions yield other values than its results");
  for (std::size_t i = 0; i < inst.results.size(); ++i) {
    llvm::PHINode* phi = b_.CreatePHI(left[i]->getType(), 2);
    phi->addIncoming(left[i], then_end);
    phi->addIncoming(right[i], else_end);
    set(inst.results[i], phi);
  }
}

void Emitter::call(const loop::Inst& inst) {
  const int index = function_index(inst.text);
  const loop::Function& callee = program_.functions[static_cast<std::size_t>(index)];
  if (callee.kind != FunctionKind::helper) refuse(inst, callee.name + " is no helper");
  if (callee.body.params.size() != inst.operands.size() || callee.result_types.size() != inst.results.size())
    refuse(inst, callee.name + " takes or returns other values");
  const Signature& signature = signatures_[static_cast<std::size_t>(index)];
  std::vector<Value*> arguments;
  for (loop::Value v : inst.operands) arguments.push_back(use(v));
  for (int buffer : signature.buffers) arguments.push_back(base(buffer));
  arguments.push_back(fn_.frame);
  arguments.push_back(fn_.context);
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (arguments[i]->getType() != signature.function->getArg(static_cast<unsigned>(i))->getType())
      refuse(inst, "argument " + std::to_string(i) + " has another type");
  Value* result = b_.CreateCall(signature.function, arguments);
  if (inst.results.size() == 1) set(inst.results[0], result);
  if (inst.results.size() > 1)
    for (std::size_t i = 0; i < inst.results.size(); ++i)
      set(inst.results[i], b_.CreateExtractValue(result, static_cast<unsigned>(i)));
}

void Emitter::print(const loop::Inst& inst) {
  std::vector<Value*> words;
  std::vector<std::uint8_t> types;
  for (loop::Value v : inst.operands) {
    const loop::Type& t = type_of(v);
    Value* bits = use(v);
    if (info(t.elem).bits >= 8) bits = to_storage(bits, t.elem);
    if (bits->getType()->isFPOrFPVectorTy())
      bits = as(bits, integer(bits->getType(), static_cast<int>(bits->getType()->getScalarSizeInBits())));
    llvm::Type* wide = integer(bits->getType(), 64);
    bits = info(t.elem).is_signed_integer() ? b_.CreateSExt(bits, wide) : b_.CreateZExt(bits, wide);
    for (int lane = 0; lane < t.lanes; ++lane) {
      words.push_back(t.lanes == 1 ? bits : b_.CreateExtractElement(bits, static_cast<std::uint64_t>(lane)));
      types.push_back(static_cast<std::uint8_t>(t.elem));
    }
  }
  llvm::Type* pointer = b_.getPtrTy();
  Value* values = llvm::ConstantPointerNull::get(b_.getPtrTy());
  Value* kinds = values;
  if (!words.empty()) {
    values = stack_slot(static_cast<std::int64_t>(8 * words.size()));
    for (std::size_t i = 0; i < words.size(); ++i)
      b_.CreateStore(words[i], b_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), values, i));
    auto* data = llvm::ConstantDataArray::get(module_.getContext(), types);
    kinds = new llvm::GlobalVariable(module_, data->getType(), true, llvm::GlobalValue::PrivateLinkage, data, "types");
  }
  auto* signature =
      llvm::FunctionType::get(b_.getVoidTy(), {pointer, pointer, pointer, pointer, b_.getInt64Ty()}, false);
  b_.CreateCall(signature, hidden_pointer(offsetof(Context, print)),
                {fn_.context, b_.CreateGlobalString(inst.text, "format"), values, kinds, b_.getInt64(words.size())});
}

void Emitter::fail(const loop::Inst& inst) {
  if (inst.operands.size() != 1) refuse(inst, "it takes a condition");
  Value* condition = reduce(Op::reduce_or, use(inst.operands[0]), type_of(inst.operands[0]));
  llvm::BasicBlock *report = block("fail"), *next = block("checked");
  b_.CreateCondBr(condition, report, next);
  b_.SetInsertPoint(report);
  llvm::Type* pointer = b_.getPtrTy();
  auto* signature = llvm::FunctionType::get(b_.getVoidTy(), {pointer, b_.getInt64Ty(), pointer}, false);
  b_.CreateCall(signature, hidden_pointer(offsetof(Context, fail)),
                {fn_.context, b_.getInt64(static_cast<std::uint64_t>(inst.imm.empty() ? 0 : inst.imm[0])),
                 b_.CreateGlobalString(inst.text, "text")});
  b_.CreateBr(next);
  b_.SetInsertPoint(next);
}

}  // namespace jit::detail
TESSERA_END
