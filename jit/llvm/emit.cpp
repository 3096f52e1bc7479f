// Owns the translation of functions and regions to LLVM IR, and the switch over instructions.
#include "jit/llvm/emit.hpp"

#include <llvm/Transforms/Utils/Local.h>

#include <algorithm>

#include "jit/llvm/emitter.hpp"
#include "jit/runtime/context.hpp"

TESSERA_BEGIN
namespace jit::detail {

using loop::FunctionKind;
using loop::Op;

void emit(const loop::Program& program, llvm::Module& module, const EmitOptions& options) {
  Emitter(program, module, options).run();
}

void Emitter::run() {
  const std::size_t count = program_.functions.size();
  std::vector<char> visiting(count);
  std::vector<std::vector<char>> uses(count);
  signatures_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    find_buffers(static_cast<int>(i), visiting, uses);
    for (std::size_t buffer = 0; buffer < uses[i].size(); ++buffer)
      if (uses[i][buffer] && program_.functions[i].kind == FunctionKind::helper)
        signatures_[i].buffers.push_back(static_cast<int>(buffer));
    declare(static_cast<int>(i));
  }
  for (std::size_t i = 0; i < count; ++i) define(static_cast<int>(i));
}

// A helper's hidden pointers are the buffers that it or its callees use and do not place themselves.
void Emitter::find_buffers(int index, std::vector<char>& visiting, std::vector<std::vector<char>>& uses) {
  std::vector<char>& mine = uses[static_cast<std::size_t>(index)];
  if (!mine.empty()) return;
  const loop::Function& f = program_.functions[static_cast<std::size_t>(index)];
  if (visiting[static_cast<std::size_t>(index)]) throw Unsupported("function " + f.name + " calls itself");
  visiting[static_cast<std::size_t>(index)] = 1;
  std::vector<char> used(program_.buffers.size() + 1), placed(program_.buffers.size() + 1);
  collect(f.body, visiting, uses, used, placed);
  for (std::size_t i = 0; i < used.size(); ++i) used[i] = used[i] && !placed[i];
  uses[static_cast<std::size_t>(index)] = std::move(used);
}

void Emitter::collect(const loop::Region& region, std::vector<char>& visiting, std::vector<std::vector<char>>& uses,
                      std::vector<char>& used, std::vector<char>& placed) {
  for (const loop::Inst& inst : region.body) {
    if (inst.buffer >= 0) {
      if (static_cast<std::size_t>(inst.buffer) >= program_.buffers.size()) refuse(inst, "there is no such buffer");
      (inst.op == Op::alloc ? placed : used)[static_cast<std::size_t>(inst.buffer)] = 1;
    }
    if (inst.op == Op::call) {
      const int callee = function_index(inst.text);
      if (callee < 0) refuse(inst, "there is no function " + inst.text);
      find_buffers(callee, visiting, uses);
      for (std::size_t i = 0; i < used.size(); ++i) used[i] = used[i] || uses[static_cast<std::size_t>(callee)][i];
    }
    for (const loop::Region& inner : inst.regions) collect(inner, visiting, uses, used, placed);
  }
}

int Emitter::function_index(const std::string& name) const {
  for (std::size_t i = 0; i < program_.functions.size(); ++i)
    if (program_.functions[i].name == name) return static_cast<int>(i);
  return -1;
}

void Emitter::declare(int index) {
  const loop::Function& f = program_.functions[static_cast<std::size_t>(index)];
  Signature& signature = signatures_[static_cast<std::size_t>(index)];
  llvm::Type* pointer = b_.getPtrTy();
  std::vector<llvm::Type*> params;
  llvm::Type* result = b_.getVoidTy();
  if (f.kind == FunctionKind::entry) {
    params = {pointer, b_.getInt64Ty(), b_.getInt64Ty(), pointer};
    if (f.body.params.size() != 2) throw Unsupported("function " + f.name + ": an entry takes first and end");
  } else if (f.kind == FunctionKind::host) {
    params = {pointer, pointer};
    result = b_.getInt64Ty();
    if (!f.body.params.empty() || f.result_types.size() > 1 ||
        (f.result_types.size() == 1 && f.result_types[0] != loop::Type{}))
      throw Unsupported("function " + f.name + ": a host function takes nothing and returns nothing or an i64");
  } else {
    for (loop::Value v : f.body.params) params.push_back(type(f.types[static_cast<std::size_t>(v)]));
    params.insert(params.end(), signature.buffers.size() + 2, pointer);  // buffers, frame, context
    std::vector<llvm::Type*> results;
    for (const loop::Type& t : f.result_types) results.push_back(type(t));
    if (results.size() == 1) result = results[0];
    if (results.size() > 1) result = llvm::StructType::get(module_.getContext(), results);
  }
  const bool outside = f.kind != FunctionKind::helper;
  signature.function = llvm::Function::Create(
      llvm::FunctionType::get(result, params, false),
      outside ? llvm::GlobalValue::ExternalLinkage : llvm::GlobalValue::InternalLinkage, f.name, module_);
  llvm::Function& function = *signature.function;
  function.setDoesNotThrow();
  if (outside) {
    function.addParamAttr(0, llvm::Attribute::NoAlias);
    function.addParamAttr(0, llvm::Attribute::ReadOnly);
    return;
  }
  for (std::size_t i = 0; i < signature.buffers.size(); ++i)
    if (program_.buffers[static_cast<std::size_t>(signature.buffers[i])].no_alias)
      function.addParamAttr(static_cast<unsigned>(f.body.params.size() + i), llvm::Attribute::NoAlias);
}

void Emitter::define(int index) {
  const loop::Function& f = program_.functions[static_cast<std::size_t>(index)];
  const Signature& signature = signatures_[static_cast<std::size_t>(index)];
  fn_ = {};
  fn_.loop = &f;
  fn_.llvm = signature.function;
  fn_.values.resize(f.types.size());
  fn_.zeros.resize(f.types.size());
  fn_.bases.resize(program_.buffers.size());

  std::vector<Value*> params;
  if (f.kind == FunctionKind::entry) {
    fn_.frame = fn_.llvm->getArg(0);
    params = {fn_.llvm->getArg(1), fn_.llvm->getArg(2)};
    fn_.context = fn_.llvm->getArg(3);
  } else if (f.kind == FunctionKind::host) {
    fn_.frame = fn_.llvm->getArg(0);
    fn_.context = fn_.llvm->getArg(1);
  } else {
    unsigned at = 0;
    for (std::size_t i = 0; i < f.body.params.size(); ++i) params.push_back(fn_.llvm->getArg(at++));
    for (int buffer : signature.buffers) fn_.bases[static_cast<std::size_t>(buffer)] = fn_.llvm->getArg(at++);
    fn_.frame = fn_.llvm->getArg(at++);
    fn_.context = fn_.llvm->getArg(at);
  }
  b_.SetInsertPoint(block("entry"));
  llvm::BasicBlock* body = block("body");
  fn_.prologue_end = b_.CreateBr(body);
  b_.SetInsertPoint(body);
  finish(region(f.body, params));
  erase_unused();
}

// Sums that addresses were split out of.
void Emitter::erase_unused() {
  near_ = {};
  for (llvm::BasicBlock& block : llvm::reverse(*fn_.llvm))
    for (llvm::Instruction& inst : llvm::make_early_inc_range(llvm::reverse(block)))
      if (llvm::isInstructionTriviallyDead(&inst)) inst.eraseFromParent();
}

void Emitter::finish(const std::vector<Value*>& results) {
  if (results.size() != fn_.loop->result_types.size())
    throw Unsupported(fn_.loop->name + ": it yields other values than it returns");
  if (fn_.loop->kind == FunctionKind::host && results.empty()) {
    b_.CreateRet(b_.getInt64(0));
  } else if (fn_.loop->kind == FunctionKind::entry || results.empty()) {
    b_.CreateRetVoid();
  } else if (fn_.loop->result_types.size() == 1) {
    b_.CreateRet(results[0]);
  } else {
    Value* all = llvm::PoisonValue::get(fn_.llvm->getReturnType());
    for (std::size_t i = 0; i < results.size(); ++i)
      all = b_.CreateInsertValue(all, results[i], static_cast<unsigned>(i));
    b_.CreateRet(all);
  }
}

llvm::BasicBlock* Emitter::block(const char* name) {
  return llvm::BasicBlock::Create(module_.getContext(), name, fn_.llvm);
}

std::vector<llvm::Value*> Emitter::region(const loop::Region& region, const std::vector<Value*>& params) {
  if (params.size() != region.params.size()) throw Unsupported(fn_.loop->name + ": a region takes other parameters");
  for (std::size_t i = 0; i < params.size(); ++i) set(region.params[i], params[i]);
  for (const loop::Inst& inst : region.body) {
    if (inst.op == Op::yield) {
      std::vector<Value*> results;
      for (loop::Value v : inst.operands) results.push_back(use(v));
      return results;
    }
    instruction(inst);
  }
  return {};
}

void Emitter::instruction(const loop::Inst& inst) {
  const auto operand = [&](std::size_t k) {
    if (k >= inst.operands.size()) refuse(inst, "an operand is missing");
    return use(inst.operands[k]);
  };
  const auto operand_type = [&](std::size_t k) -> const loop::Type& {
    if (k >= inst.operands.size()) refuse(inst, "an operand is missing");
    return type_of(inst.operands[k]);
  };
  const auto imm = [&](std::size_t k) { return k < inst.imm.size() ? inst.imm[k] : 0; };
  const auto result = [&]() -> loop::Value {
    if (inst.results.size() != 1) refuse(inst, "it has one result");
    return inst.results[0];
  };
  const bool contract = (inst.flags & loop::flag_contract) != 0;

  switch (inst.op) {
    case Op::constant: {
      const int zeros = imm(0) == 0 ? 62 : __builtin_ctzll(static_cast<unsigned long long>(imm(0)));
      set(result(), constant(type_of(result()), imm(0)), zeros);
      return;
    }
    case Op::word: {
      const loop::Type& t = type_of(result());
      if (t.lanes != 1) refuse(inst, "a frame word is a scalar");
      Value* bits = word(imm(0));
      const int width = info(t.elem).bits;
      if (width < 64) bits = b_.CreateTrunc(bits, b_.getIntNTy(static_cast<unsigned>(std::max(width, 8))));
      set(result(), width < 8 ? wrap(bits, t.elem) : from_storage(bits, t.elem));
      return;
    }
    case Op::iota:
      set(result(), iota(type_of(result())));
      return;

    case Op::neg:
    case Op::abs:
    case Op::sqrt:
    case Op::floor:
    case Op::ceil:
    case Op::trunc:
    case Op::round:
    case Op::logical_not:
      set(result(), unary(inst.op, operand(0), operand_type(0)));
      return;

    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::div:
    case Op::rem:
    case Op::floor_div:
    case Op::floor_rem:
    case Op::min:
    case Op::max:
    case Op::min_number:
    case Op::max_number:
    case Op::fast_min:
    case Op::fast_max:
    case Op::bit_and:
    case Op::bit_or:
    case Op::bit_xor:
    case Op::shl:
    case Op::shr: {
      Value* value = binary(inst.op, operand(0), operand(1), operand_type(0), contract);
      int zeros = 0;
      if (operand_type(0).lanes == 1 && info(operand_type(0).elem).is_integer()) {
        const int x = trailing_zeros(inst.operands[0]), y = trailing_zeros(inst.operands[1]);
        if (inst.op == Op::add || inst.op == Op::sub || inst.op == Op::bit_or || inst.op == Op::min ||
            inst.op == Op::max)
          zeros = std::min(x, y);
        if (inst.op == Op::mul) zeros = std::min(x + y, 62);
        if (inst.op == Op::bit_and) zeros = std::max(x, y);
        if (inst.op == Op::shl)
          if (auto* count = llvm::dyn_cast<llvm::ConstantInt>(use(inst.operands[1])))
            zeros = std::min<int>(62, x + static_cast<int>(count->getLimitedValue(62)));
      }
      set(result(), value, zeros);
      return;
    }
    case Op::eq:
    case Op::ne:
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge:
      set(result(), compare(inst.op, operand(0), operand(1), operand_type(0)));
      return;
    case Op::fma:
      if (operand_type(0).lanes != operand_type(2).lanes) {
        set(result(), fma_of_groups(inst));
        return;
      }
      set(result(), fma(operand(0), operand(1), operand(2), operand_type(0), contract));
      return;
    case Op::select: {
      Value *c = operand(0), *x = operand(1), *y = operand(2);
      if (lanes_of(c) != lanes_of(x)) {
        if (lanes_of(c) != 1) refuse(inst, "the mask has other lanes than the values");
      }
      set(result(), b_.CreateSelect(c, x, y),
          std::min(trailing_zeros(inst.operands[1]), trailing_zeros(inst.operands[2])));
      return;
    }
    case Op::cast: {
      const auto rounding = static_cast<Rounding>(imm(0) & 0xff);
      const auto saturation = static_cast<Saturation>(imm(0) >> 8 & 0xff);
      if (rounding > Rounding::stochastic || saturation > Saturation::overflow) refuse(inst, "imm names no rounding");
      Value* random = rounding == Rounding::stochastic ? operand(1) : nullptr;
      const loop::Type &from = operand_type(0), &to = type_of(result());
      if (from.lanes != to.lanes) refuse(inst, "its lanes differ");
      if (rounding == Rounding::stochastic && info(from.elem).is_integer() && info(from.elem).bits == 64 &&
          info(to.elem).is_floating())
        refuse(inst, "stochastic rounding of 64-bit integers is not supported");
      const bool keeps = info(from.elem).is_integer() && info(to.elem).is_integer();
      set(result(), cast(operand(0), from, to, rounding, saturation, random),
          keeps ? trailing_zeros(inst.operands[0]) : 0);
      return;
    }
    case Op::bitcast:
      set(result(), bitcast(operand(0), operand_type(0), type_of(result())));
      return;
    case Op::broadcast:
      set(result(), spread(operand(0), type_of(result()).lanes));
      return;
    case Op::extract:
      set(result(), lanes_of(operand(0)) == 1 ? operand(0) : b_.CreateExtractElement(operand(0), operand(1)));
      return;
    case Op::insert:
      set(result(),
          lanes_of(operand(0)) == 1 ? operand(1) : b_.CreateInsertElement(operand(0), operand(1), operand(2)));
      return;
    case Op::shuffle:
      result();
      set(inst.results[0], shuffle(inst));
      return;
    case Op::reduce_add:
    case Op::reduce_mul:
    case Op::reduce_min:
    case Op::reduce_max:
    case Op::reduce_and:
    case Op::reduce_or:
      set(result(), reduce(inst.op, operand(0), operand_type(0)));
      return;

    case Op::load:
      result();
      set(inst.results[0], load(inst));
      return;
    case Op::store:
      store(inst);
      return;
    case Op::gather:
      result();
      set(inst.results[0], gather(inst));
      return;
    case Op::scatter:
      scatter(inst);
      return;
    case Op::atomic: {
      Value* old = atomic(inst);
      if (!inst.results.empty()) set(result(), old);
      return;
    }
    case Op::compare_exchange: {
      Value* old = compare_exchange(inst);
      if (!inst.results.empty()) set(result(), old);
      return;
    }
    case Op::prefetch:
      prefetch(inst);
      return;
    case Op::alloc:
      alloc(inst);
      return;
    case Op::fill:
      fill(inst);
      return;

    case Op::for_loop:
      for_loop(inst);
      return;
    case Op::while_loop:
      while_loop(inst);
      return;
    case Op::if_else:
      if_else(inst);
      return;
    case Op::call:
      call(inst);
      return;
    case Op::print:
      print(inst);
      return;
    case Op::fail:
      fail(inst);
      return;
    case Op::yield:
      return;
    case Op::fence:
      b_.CreateFence(llvm::AtomicOrdering::SequentiallyConsistent);
      return;

    case Op::tile_zero:
    case Op::tile_load:
    case Op::tile_store:
    case Op::mma:
    case Op::map_tile:
    case Op::roles:
    case Op::acquire:
    case Op::commit:
    case Op::wait:
    case Op::release:
    case Op::copy_async:
    case Op::barrier:
    case Op::wait_mma:
    case Op::wait_copy:
    case Op::shuffle_lane:
    case Op::place_id:
    case Op::send:
    case Op::recv:
      refuse(inst, "a CPU has no tiles, roles or channels");
  }
  refuse(inst, "unknown instruction");
}

// ---- types and small pieces ----

llvm::Type* Emitter::elem(DType type) {
  switch (type) {
    case DType::b8:
      return b_.getInt1Ty();
    case DType::f32:
      return b_.getFloatTy();
    case DType::f64:
      return b_.getDoubleTy();
    default:
      return b_.getIntNTy(std::max<unsigned>(8, info(type).bits));
  }
}

llvm::Type* Emitter::type(DType e, int lanes) {
  if (lanes < 1) throw Unsupported(fn_.loop ? fn_.loop->name + ": a value has no lanes" : "a value has no lanes");
  return lanes == 1 ? elem(e) : llvm::FixedVectorType::get(elem(e), static_cast<unsigned>(lanes));
}

llvm::Type* Emitter::integer(llvm::Type* like, int bits) {
  llvm::Type* t = b_.getIntNTy(static_cast<unsigned>(bits));
  if (auto* v = llvm::dyn_cast<llvm::FixedVectorType>(like)) return llvm::FixedVectorType::get(t, v->getNumElements());
  return t;
}

llvm::Type* Emitter::floating(llvm::Type* like, int bits) {
  llvm::Type* t = bits == 16 ? b_.getHalfTy() : bits == 32 ? b_.getFloatTy() : b_.getDoubleTy();
  if (auto* v = llvm::dyn_cast<llvm::FixedVectorType>(like)) return llvm::FixedVectorType::get(t, v->getNumElements());
  return t;
}

int Emitter::lanes_of(Value* x) {
  auto* v = llvm::dyn_cast<llvm::FixedVectorType>(x->getType());
  return v ? static_cast<int>(v->getNumElements()) : 1;
}

llvm::Value* Emitter::splat(llvm::Type* type, std::int64_t value) {
  return llvm::ConstantInt::get(type, static_cast<std::uint64_t>(value), true);
}

llvm::Value* Emitter::splat_float(llvm::Type* type, double value) { return llvm::ConstantFP::get(type, value); }

llvm::Value* Emitter::spread(Value* scalar, int lanes) {
  return lanes == 1 || lanes_of(scalar) == lanes ? scalar : b_.CreateVectorSplat(static_cast<unsigned>(lanes), scalar);
}

llvm::Value* Emitter::use(loop::Value v) const {
  Value* value =
      v >= 0 && static_cast<std::size_t>(v) < fn_.values.size() ? fn_.values[static_cast<std::size_t>(v)] : nullptr;
  if (!value) throw Unsupported(fn_.loop->name + ": %" + std::to_string(v) + " is used before it is defined");
  return value;
}

void Emitter::set(loop::Value v, Value* value, int zeros) {
  if (value->getType() != type(type_of(v)))
    throw Unsupported(fn_.loop->name + ": %" + std::to_string(v) + " is declared with another type than it has");
  fn_.values[static_cast<std::size_t>(v)] = value;
  fn_.zeros[static_cast<std::size_t>(v)] = static_cast<std::uint8_t>(zeros);
}

const loop::Type& Emitter::type_of(loop::Value v) const {
  if (v < 0 || static_cast<std::size_t>(v) >= fn_.loop->types.size())
    throw Unsupported(fn_.loop->name + ": there is no value %" + std::to_string(v));
  const loop::Type& t = fn_.loop->types[static_cast<std::size_t>(v)];
  if (t.layout >= 0) throw Unsupported(fn_.loop->name + ": %" + std::to_string(v) + " is a tile with a layout");
  return t;
}

int Emitter::trailing_zeros(loop::Value v) const { return fn_.zeros[static_cast<std::size_t>(v)]; }

llvm::Value* Emitter::word(std::int64_t index) {
  Value*& value = fn_.words[index];
  if (!value) {
    llvm::IRBuilder<> prologue(fn_.prologue_end);
    llvm::LoadInst* load = prologue.CreateAlignedLoad(
        b_.getInt64Ty(),
        prologue.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), fn_.frame, static_cast<std::uint64_t>(index)),
        llvm::Align(8));
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(module_.getContext(), {}));
    value = load;
  }
  return value;
}

llvm::Value* Emitter::hidden_pointer(std::size_t offset) {
  return b_.CreateAlignedLoad(b_.getPtrTy(), b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), fn_.context, offset),
                              llvm::Align(8));
}

void Emitter::refuse(const loop::Inst& inst, const std::string& why) const {
  throw Unsupported((fn_.loop ? fn_.loop->name + ": " : std::string()) + std::string(loop::name(inst.op)) + ": " + why);
}

}  // namespace jit::detail
TESSERA_END
