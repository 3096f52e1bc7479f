// Owns the translation of loads, stores, gathers, atomics and scratch to LLVM IR.
#include <llvm/IR/Intrinsics.h>

#include <algorithm>

#include "jit/llvm/emitter.hpp"
#include "jit/runtime/context.hpp"
#include "tessera/ir/tile.hpp"

// Elements narrower than a byte lie packed (types/packed.hpp). A store of a part of a byte clears and sets its bits
// with two atomic operations, so that threads which write other elements of that byte do not disturb each other.

TESSERA_BEGIN
namespace jit::detail {

using loop::Op;

namespace {

/// Whether a mask is a constant, all of whose lanes are `present`.
bool known(const llvm::Value* mask, bool present) {
  const auto* c = llvm::dyn_cast_or_null<llvm::Constant>(mask);
  return c && (present ? c->isAllOnesValue() : c->isNullValue());
}

}  // namespace

llvm::Value* Emitter::load(const loop::Inst& inst) {
  const bool masked = (inst.flags & loop::flag_masked) != 0;
  if (inst.buffer < 0 || inst.operands.size() != (masked ? 2u : 1u))
    refuse(inst, "it takes a buffer, an offset and a mask if masked");
  const loop::Type& t = type_of(inst.results[0]);
  const DType e = program_.buffers[static_cast<std::size_t>(inst.buffer)].elem;
  if (t.elem != e) refuse(inst, "its result has another element type than the buffer");
  Value* offset = use(inst.operands[0]);
  Value* mask = masked ? use(inst.operands[1]) : nullptr;
  if (mask && lanes_of(mask) != t.lanes) refuse(inst, "its mask has other lanes");
  if (known(mask, true)) mask = nullptr;
  if (known(mask, false)) return llvm::Constant::getNullValue(type(t));
  if (info(e).bits < 8) return load_packed(inst.buffer, offset, t.lanes, mask, trailing_zeros(inst.operands[0]));

  llvm::Type* stored = e == DType::b8 ? integer(type(t), 8) : type(t);
  const llvm::Align alignment = align(inst.buffer, inst.operands[0]);
  Value* pointer = address(inst.buffer, offset);
  const bool is_volatile = (inst.flags & loop::flag_volatile) != 0;
  if (!mask) {
    llvm::LoadInst* value = b_.CreateAlignedLoad(stored, pointer, alignment, is_volatile);
    if (!is_volatile) annotate(value, inst.buffer);
    return from_storage(value, e);
  }
  if (t.lanes > 1) {
    return from_storage(load_masked(stored, pointer, alignment, mask, inst.buffer), e);
  }
  Value* value = branch(
      mask, [&] { return b_.CreateAlignedLoad(stored, pointer, alignment, is_volatile); },
      [&] { return llvm::Constant::getNullValue(stored); });
  return from_storage(value, e);
}

void Emitter::store(const loop::Inst& inst) {
  const bool masked = (inst.flags & loop::flag_masked) != 0;
  if (inst.buffer < 0 || inst.operands.size() != (masked ? 3u : 2u))
    refuse(inst, "it takes a buffer, an offset, a value and a mask if masked");
  const loop::Type& t = type_of(inst.operands[1]);
  const DType e = program_.buffers[static_cast<std::size_t>(inst.buffer)].elem;
  if (t.elem != e) refuse(inst, "its value has another element type than the buffer");
  Value *offset = use(inst.operands[0]), *value = use(inst.operands[1]);
  Value* mask = masked ? use(inst.operands[2]) : nullptr;
  if (mask && lanes_of(mask) != t.lanes) refuse(inst, "its mask has other lanes");
  if (known(mask, true)) mask = nullptr;
  if (known(mask, false)) return;
  if (info(e).bits < 8)
    return store_packed(inst.buffer, offset, value, t.lanes, mask, trailing_zeros(inst.operands[0]));

  value = to_storage(value, e);
  llvm::Align alignment = align(inst.buffer, inst.operands[0]);
  // A store past the caches is of a whole vector at a multiple of its size: ops.hpp asks that of whoever writes it.
  if ((inst.flags & loop::flag_nontemporal) != 0)
    alignment = std::max(alignment, llvm::Align(static_cast<std::uint64_t>(t.lanes) * info(e).bits / 8));
  Value* pointer = address(inst.buffer, offset);
  if (mask && t.lanes > 1) {
    store_masked(value, pointer, alignment, mask);
    return;
  }
  llvm::BasicBlock* join = nullptr;
  if (mask) {
    llvm::BasicBlock* then = block("present");
    join = block("stored");
    b_.CreateCondBr(mask, then, join);
    b_.SetInsertPoint(then);
  }
  llvm::StoreInst* stored = b_.CreateAlignedStore(value, pointer, alignment, (inst.flags & loop::flag_volatile) != 0);
  if ((inst.flags & loop::flag_nontemporal) != 0)
    stored->setMetadata(llvm::LLVMContext::MD_nontemporal,
                        llvm::MDNode::get(module_.getContext(), {llvm::ConstantAsMetadata::get(b_.getInt32(1))}));
  if (join) {
    b_.CreateBr(join);
    b_.SetInsertPoint(join);
  }
}

// ---- packed elements ----

// One element of 4 or 6 bits by its index, a scalar. Both bytes read hold bits of the element: none is outside the
// array.
llvm::Value* Emitter::load_packed_scalar(int buffer, Value* index) {
  const DType e = program_.buffers[static_cast<std::size_t>(buffer)].elem;
  const int width = info(e).bits;
  Value* bit = b_.CreateMul(index, b_.getInt64(static_cast<std::uint64_t>(width)));
  const auto byte_at = [&](Value* at) -> Value* {
    return b_.CreateLoad(b_.getInt8Ty(), b_.CreateGEP(b_.getInt8Ty(), base(buffer), b_.CreateAShr(at, b_.getInt64(3))));
  };
  Value* shift = b_.CreateTrunc(b_.CreateAnd(bit, b_.getInt64(7)), b_.getInt16Ty());
  Value* bits = b_.CreateZExt(byte_at(bit), b_.getInt16Ty());
  if (width == 6) {
    Value* last = b_.CreateZExt(byte_at(b_.CreateAdd(bit, b_.getInt64(5))), b_.getInt16Ty());
    bits = b_.CreateOr(bits, b_.CreateShl(last, b_.getInt16(8)));
  }
  return wrap(b_.CreateTrunc(b_.CreateLShr(bits, shift), b_.getInt8Ty()), e);
}

void Emitter::store_packed_scalar(int buffer, Value* index, Value* value) {
  const int width = info(program_.buffers[static_cast<std::size_t>(buffer)].elem).bits;
  Value* bit = b_.CreateMul(index, b_.getInt64(static_cast<std::uint64_t>(width)));
  Value* shift = b_.CreateTrunc(b_.CreateAnd(bit, b_.getInt64(7)), b_.getInt16Ty());
  Value* ones = b_.getInt16(static_cast<std::uint16_t>((1 << width) - 1));
  Value* bits = b_.CreateShl(b_.CreateAnd(b_.CreateZExt(value, b_.getInt16Ty()), ones), shift);
  Value* place = b_.CreateShl(ones, shift);
  const auto put = [&](Value* at, Value* byte_bits, Value* byte_place) {
    Value* pointer = b_.CreateGEP(b_.getInt8Ty(), base(buffer), b_.CreateAShr(at, b_.getInt64(3)));
    const auto order = llvm::AtomicOrdering::Monotonic;
    b_.CreateAtomicRMW(llvm::AtomicRMWInst::And, pointer, b_.CreateNot(byte_place), llvm::MaybeAlign(1), order);
    b_.CreateAtomicRMW(llvm::AtomicRMWInst::Or, pointer, byte_bits, llvm::MaybeAlign(1), order);
  };
  const auto low = [&](Value* v) { return b_.CreateTrunc(v, b_.getInt8Ty()); };
  const auto high = [&](Value* v) { return b_.CreateTrunc(b_.CreateLShr(v, b_.getInt16(8)), b_.getInt8Ty()); };
  put(bit, low(bits), low(place));
  if (width == 6) {
    // The second byte only where the element reaches into it: it may lie beyond the array otherwise.
    llvm::BasicBlock *then = block("second_byte"), *join = block("packed");
    b_.CreateCondBr(b_.CreateICmpUGT(shift, b_.getInt16(2)), then, join);
    b_.SetInsertPoint(then);
    put(b_.CreateAdd(bit, b_.getInt64(5)), high(bits), high(place));
    b_.CreateBr(join);
    b_.SetInsertPoint(join);
  }
}

// Vectors of 4-bit elements read their bytes and, where the first may be a high nibble, one byte more, and take the
// right nibbles of both readings. 6-bit elements do so from a whole number of bytes only; otherwise lane by lane.
llvm::Value* Emitter::load_packed(int buffer, Value* offset, int lanes, Value* mask, int zeros) {
  const DType e = program_.buffers[static_cast<std::size_t>(buffer)].elem;
  const int width = info(e).bits;
  const loop::Type t{e, static_cast<std::uint16_t>(lanes), -1};
  llvm::Type* ty = type(t);
  const bool whole = lanes > 1 && lanes * width % 8 == 0 && (zeros >= 2 || (width == 4 && zeros >= 1));
  if (whole && !mask) {
    const int bytes = lanes * width / 8;
    Value* at = b_.CreateAShr(b_.CreateMul(offset, b_.getInt64(static_cast<std::uint64_t>(width))), b_.getInt64(3));
    llvm::Type* bt = bytes == 1 ? static_cast<llvm::Type*>(b_.getInt8Ty())
                                : llvm::FixedVectorType::get(b_.getInt8Ty(), static_cast<unsigned>(bytes));
    llvm::LoadInst* raw =
        b_.CreateAlignedLoad(bt, b_.CreateInBoundsGEP(b_.getInt8Ty(), base(buffer), at), llvm::Align(1));
    annotate(raw, buffer);
    return from_bytes(raw, t);
  }
  if (width == 4 && lanes > 1 && lanes % 2 == 0 && !mask) {
    const int bytes = lanes / 2;
    llvm::Type* bt = bytes == 1 ? static_cast<llvm::Type*>(b_.getInt8Ty())
                                : llvm::FixedVectorType::get(b_.getInt8Ty(), static_cast<unsigned>(bytes));
    Value* first = b_.CreateAShr(offset, b_.getInt64(1));
    Value* end =
        b_.CreateAShr(b_.CreateAdd(offset, b_.getInt64(static_cast<std::uint64_t>(lanes - 1))), b_.getInt64(1));
    Value* raw = b_.CreateAlignedLoad(bt, b_.CreateInBoundsGEP(b_.getInt8Ty(), base(buffer), first), llvm::Align(1));
    Value* last = b_.CreateLoad(b_.getInt8Ty(), b_.CreateInBoundsGEP(b_.getInt8Ty(), base(buffer), end));
    Value* even = from_bytes(raw, t);
    std::vector<int> next;
    for (int lane = 1; lane <= lanes; ++lane) next.push_back(lane);
    Value* tail = b_.CreateInsertElement(llvm::PoisonValue::get(ty), wrap(last, e), std::uint64_t{0});
    Value* odd = b_.CreateShuffleVector(even, tail, next);
    return select(b_.CreateTrunc(offset, b_.getInt1Ty()), odd, even);
  }
  Value* result = llvm::Constant::getNullValue(ty);
  if (mask && lanes > 1) {
    Value* bit = b_.CreateMul(offset, b_.getInt64(static_cast<std::uint64_t>(width)));
    Value* first = b_.CreateInBoundsGEP(b_.getInt8Ty(), base(buffer), b_.CreateAShr(bit, b_.getInt64(3)));
    return branch(
        readable(first, (lanes * width + 7) / 8 + 1, mask),
        [&] { return select(mask, load_packed(buffer, offset, lanes, nullptr, zeros), result); },
        [&]() -> Value* {
          Value* slot = stack_slot(lanes);
          b_.CreateStore(result, slot);
          for_each_set(mask, [&](Value* lane) {
            b_.CreateStore(load_packed_scalar(buffer, b_.CreateAdd(offset, lane)),
                           b_.CreateGEP(b_.getInt8Ty(), slot, lane));
          });
          return b_.CreateLoad(ty, slot);
        });
  }
  if (mask) return branch(mask, [&] { return load_packed_scalar(buffer, offset); }, [&] { return result; });
  if (lanes == 1) return load_packed_scalar(buffer, offset);
  for (int lane = 0; lane < lanes; ++lane) {
    const auto number = static_cast<std::uint64_t>(lane);
    Value* index = b_.CreateAdd(offset, b_.getInt64(number));
    result = b_.CreateInsertElement(result, load_packed_scalar(buffer, index), number);
  }
  return result;
}

void Emitter::store_packed(int buffer, Value* offset, Value* value, int lanes, Value* mask, int zeros) {
  const DType e = program_.buffers[static_cast<std::size_t>(buffer)].elem;
  const int width = info(e).bits;
  const bool whole = lanes > 1 && lanes * width % 8 == 0 && (zeros >= 2 || (width == 4 && zeros >= 1));
  if (whole && !mask) {
    Value* at = b_.CreateAShr(b_.CreateMul(offset, b_.getInt64(static_cast<std::uint64_t>(width))), b_.getInt64(3));
    b_.CreateAlignedStore(to_bytes(value, {e, static_cast<std::uint16_t>(lanes), -1}),
                          b_.CreateInBoundsGEP(b_.getInt8Ty(), base(buffer), at), llvm::Align(1));
    return;
  }
  for (int lane = 0; lane < lanes; ++lane) {
    llvm::BasicBlock* join = nullptr;
    if (mask) {
      llvm::BasicBlock* then = block("present");
      join = block("stored");
      b_.CreateCondBr(lanes == 1 ? mask : b_.CreateExtractElement(mask, static_cast<std::uint64_t>(lane)), then, join);
      b_.SetInsertPoint(then);
    }
    store_packed_scalar(buffer, b_.CreateAdd(offset, b_.getInt64(static_cast<std::uint64_t>(lane))),
                        lanes == 1 ? value : b_.CreateExtractElement(value, static_cast<std::uint64_t>(lane)));
    if (join) {
      b_.CreateBr(join);
      b_.SetInsertPoint(join);
    }
  }
}

// ---- indexed ----

llvm::Value* Emitter::gather(const loop::Inst& inst) {
  const bool masked = (inst.flags & loop::flag_masked) != 0;
  if (inst.buffer < 0 || inst.operands.size() != (masked ? 3u : 2u))
    refuse(inst, "it takes a buffer, an offset, indices and a mask if masked");
  const loop::Type& t = type_of(inst.results[0]);
  const DType e = program_.buffers[static_cast<std::size_t>(inst.buffer)].elem;
  if (t.elem != e) refuse(inst, "its result has another element type than the buffer");
  Value *offset = use(inst.operands[0]), *indices = use(inst.operands[1]);
  if (lanes_of(indices) != t.lanes) refuse(inst, "its indices have other lanes");
  Value* mask = masked ? use(inst.operands[2]) : splat(type(DType::b8, t.lanes), 1);
  if (lanes_of(mask) != t.lanes) refuse(inst, "its mask has other lanes");
  if (t.lanes == 1) {
    Value* at = b_.CreateAdd(offset, b_.CreateSExtOrTrunc(indices, b_.getInt64Ty()));
    const bool packed = info(e).bits < 8;
    llvm::Type* stored = packed || e == DType::b8 ? b_.getInt8Ty() : elem(e);
    Value* value = branch(
        mask,
        [&] { return packed ? load_packed_scalar(inst.buffer, at) : b_.CreateLoad(stored, address(inst.buffer, at)); },
        [&] { return llvm::Constant::getNullValue(stored); });
    return packed ? value : from_storage(value, e);
  }
  if (info(e).bits >= 8) {
    llvm::Type* stored = e == DType::b8 ? integer(type(t), 8) : type(t);
    Value* pointers = b_.CreateGEP(b_.getIntNTy(info(e).bits), address(inst.buffer, offset), indices);
    llvm::CallInst* value = b_.CreateMaskedGather(stored, pointers, llvm::Align(std::max(1, info(e).bits / 8)), mask,
                                                  llvm::Constant::getNullValue(stored));
    annotate(value, inst.buffer);
    return from_storage(value, e);
  }
  const int width = info(e).bits;
  llvm::Type* wide = integer(indices->getType(), 64);
  Value* index = b_.CreateAdd(b_.CreateSExtOrTrunc(indices, wide), spread(offset, t.lanes));
  Value* bit = b_.CreateMul(index, splat(wide, width));
  llvm::Type* bytes = integer(indices->getType(), 8);
  const auto byte_at = [&](Value* at) {
    Value* pointers = b_.CreateGEP(b_.getInt8Ty(), base(inst.buffer), b_.CreateAShr(at, splat(wide, 3)));
    return b_.CreateMaskedGather(bytes, pointers, llvm::Align(1), mask, llvm::Constant::getNullValue(bytes));
  };
  llvm::Type* half = integer(indices->getType(), 16);
  Value* bits = b_.CreateZExt(byte_at(bit), half);
  if (width == 6)
    bits = b_.CreateOr(bits,
                       b_.CreateShl(b_.CreateZExt(byte_at(b_.CreateAdd(bit, splat(wide, 5))), half), splat(half, 8)));
  Value* value = b_.CreateLShr(bits, b_.CreateTrunc(b_.CreateAnd(bit, splat(wide, 7)), half));
  return wrap(b_.CreateTrunc(value, bytes), e);
}

void Emitter::scatter(const loop::Inst& inst) {
  const bool masked = (inst.flags & loop::flag_masked) != 0;
  if (inst.buffer < 0 || inst.operands.size() != (masked ? 4u : 3u))
    refuse(inst, "it takes a buffer, an offset, indices, values and a mask if masked");
  const loop::Type& t = type_of(inst.operands[2]);
  const DType e = program_.buffers[static_cast<std::size_t>(inst.buffer)].elem;
  if (t.elem != e) refuse(inst, "its values have another element type than the buffer");
  Value *offset = use(inst.operands[0]), *indices = use(inst.operands[1]), *values = use(inst.operands[2]);
  if (lanes_of(indices) != t.lanes) refuse(inst, "its indices have other lanes");
  Value* mask = masked ? use(inst.operands[3]) : splat(type(DType::b8, t.lanes), 1);
  if (t.lanes > 1 && info(e).bits >= 8) {
    Value* pointers = b_.CreateGEP(b_.getIntNTy(info(e).bits), address(inst.buffer, offset), indices);
    b_.CreateMaskedScatter(to_storage(values, e), pointers, llvm::Align(std::max(1, info(e).bits / 8)), mask);
    return;
  }
  for (int lane = 0; lane < t.lanes; ++lane) {
    const auto pick = [&](Value* v) {
      return t.lanes == 1 ? v : b_.CreateExtractElement(v, static_cast<std::uint64_t>(lane));
    };
    llvm::BasicBlock *then = block("present"), *join = block("stored");
    b_.CreateCondBr(pick(mask), then, join);
    b_.SetInsertPoint(then);
    Value* at = b_.CreateAdd(offset, b_.CreateSExtOrTrunc(pick(indices), b_.getInt64Ty()));
    if (info(e).bits < 8)
      store_packed_scalar(inst.buffer, at, pick(values));
    else
      b_.CreateStore(to_storage(pick(values), e), address(inst.buffer, at));
    b_.CreateBr(join);
    b_.SetInsertPoint(join);
  }
}

// ---- atomics ----

llvm::Value* Emitter::atomic(const loop::Inst& inst) {
  if (inst.buffer < 0 || inst.operands.size() != 2) refuse(inst, "it takes a buffer, an offset and a value");
  const loop::Type& t = type_of(inst.operands[1]);
  if (t.lanes != 1 || info(t.elem).bits < 8) refuse(inst, "only scalars of at least a byte are atomic");
  if (t.elem != program_.buffers[static_cast<std::size_t>(inst.buffer)].elem)
    refuse(inst, "its value has another element type than the buffer");
  const auto kind = static_cast<ir::AtomicKind>(inst.imm.empty() ? -1 : inst.imm[0]);
  const bool shared = inst.imm.size() < 2 || inst.imm[1] > 1;  // a program runs on one thread
  Value *pointer = address(inst.buffer, use(inst.operands[0])), *value = use(inst.operands[1]);
  const auto order = llvm::AtomicOrdering::Monotonic;
  const llvm::Align alignment(std::max(1, info(t.elem).bits / 8));

  // The new value from the old one.
  const auto combine = [&](Value* old) -> Value* {
    const bool small = info(t.elem).is_floating() && t.elem != DType::f32 && t.elem != DType::f64;
    const loop::Type wide{small ? DType::f32 : t.elem, 1, -1};
    Value *x = small ? widen(old, t.elem) : old, *y = small ? widen(value, t.elem) : value, *r = nullptr;
    switch (kind) {
      case ir::AtomicKind::min:
        r = binary(Op::min, x, y, wide);
        break;
      case ir::AtomicKind::max:
        r = binary(Op::max, x, y, wide);
        break;
      case ir::AtomicKind::exchange:
        return value;
      case ir::AtomicKind::bit_and:
        return binary(Op::bit_and, old, value, t);
      case ir::AtomicKind::bit_or:
        return binary(Op::bit_or, old, value, t);
      case ir::AtomicKind::bit_xor:
        return binary(Op::bit_xor, old, value, t);
      case ir::AtomicKind::add:
        r = binary(Op::add, x, y, wide);
        break;
      default:
        refuse(inst, "imm[0] names no atomic operation");
    }
    return small ? narrow(r, DType::f32, t.elem, Rounding::nearest_even, info(t.elem).bits <= 8, nullptr) : r;
  };
  llvm::Type* bits = b_.getIntNTy(info(t.elem).bits);
  const auto from_bits = [&](Value* v) { return from_storage(v, t.elem); };
  const auto to_bits = [&](Value* v) { return as(to_storage(v, t.elem), bits); };
  if (!shared) {
    Value* old = from_bits(b_.CreateAlignedLoad(bits, pointer, alignment));
    b_.CreateAlignedStore(to_bits(combine(old)), pointer, alignment);
    return old;
  }
  if (info(t.elem).is_integer() || kind == ir::AtomicKind::exchange) {
    using R = llvm::AtomicRMWInst;
    R::BinOp op = R::Xchg;
    const bool sgn = info(t.elem).is_signed_integer();
    switch (kind) {
      case ir::AtomicKind::min:
        op = sgn ? R::Min : R::UMin;
        break;
      case ir::AtomicKind::max:
        op = sgn ? R::Max : R::UMax;
        break;
      case ir::AtomicKind::exchange:
        op = R::Xchg;
        break;
      case ir::AtomicKind::bit_and:
        op = R::And;
        break;
      case ir::AtomicKind::bit_or:
        op = R::Or;
        break;
      case ir::AtomicKind::bit_xor:
        op = R::Xor;
        break;
      case ir::AtomicKind::add:
        op = R::Add;
        break;
      default:
        refuse(inst, "imm[0] names no atomic operation");
    }
    return from_bits(b_.CreateAtomicRMW(op, pointer, to_bits(value), alignment, order));
  }
  llvm::LoadInst* first = b_.CreateAlignedLoad(bits, pointer, alignment);
  first->setAtomic(order);
  llvm::BasicBlock *before = b_.GetInsertBlock(), *retry = block("retry"), *done = block("done");
  b_.CreateBr(retry);
  b_.SetInsertPoint(retry);
  llvm::PHINode* seen = b_.CreatePHI(bits, 2);
  seen->addIncoming(first, before);
  llvm::AtomicCmpXchgInst* pair =
      b_.CreateAtomicCmpXchg(pointer, seen, to_bits(combine(from_bits(seen))), alignment, order, order);
  pair->setWeak(true);
  seen->addIncoming(b_.CreateExtractValue(pair, 0), b_.GetInsertBlock());
  b_.CreateCondBr(b_.CreateExtractValue(pair, 1), done, retry);
  b_.SetInsertPoint(done);
  return from_bits(seen);
}

llvm::Value* Emitter::compare_exchange(const loop::Inst& inst) {
  if (inst.buffer < 0 || inst.operands.size() != 3)
    refuse(inst, "it takes a buffer, an offset, the expected and the desired value");
  const loop::Type& t = type_of(inst.operands[1]);
  if (t.lanes != 1 || info(t.elem).bits < 8) refuse(inst, "only scalars of at least a byte are atomic");
  llvm::Type* bits = b_.getIntNTy(info(t.elem).bits);
  const auto to_bits = [&](loop::Value v) { return as(to_storage(use(v), t.elem), bits); };
  const auto order = llvm::AtomicOrdering::Monotonic;
  Value* pair =
      b_.CreateAtomicCmpXchg(address(inst.buffer, use(inst.operands[0])), to_bits(inst.operands[1]),
                             to_bits(inst.operands[2]), llvm::Align(std::max(1, info(t.elem).bits / 8)), order, order);
  return from_storage(b_.CreateExtractValue(pair, 0), t.elem);
}

// ---- the rest ----

void Emitter::prefetch(const loop::Inst& inst) {
  if (inst.buffer < 0 || inst.operands.size() != 1) refuse(inst, "it takes a buffer and an offset");
  const DType e = program_.buffers[static_cast<std::size_t>(inst.buffer)].elem;
  Value* offset = use(inst.operands[0]);
  if (info(e).bits < 8) offset = b_.CreateAShr(b_.CreateMul(offset, b_.getInt64(info(e).bits)), b_.getInt64(3));
  Value* pointer = b_.CreateGEP(b_.getIntNTy(std::max<unsigned>(8, info(e).bits)), base(inst.buffer), offset);
  const bool write = !inst.imm.empty() && inst.imm[0] != 0;
  const std::int64_t locality = inst.imm.size() > 1 ? std::clamp<std::int64_t>(inst.imm[1], 0, 3) : 3;
  b_.CreateIntrinsic(llvm::Intrinsic::prefetch, {b_.getPtrTy()},
                     {pointer, b_.getInt32(write), b_.getInt32(static_cast<std::uint32_t>(locality)), b_.getInt32(1)});
}

// A constant size is taken once at the start of the function, wherever the instruction stands; so in a loop it is the
// same memory each time. Register buffers, and small ones, lie on the stack.
void Emitter::alloc(const loop::Inst& inst) {
  if (inst.buffer < 0 || inst.operands.size() != 1) refuse(inst, "it takes a buffer and a count of elements");
  const loop::Buffer& buffer = program_.buffers[static_cast<std::size_t>(inst.buffer)];
  Value* count = use(inst.operands[0]);
  const int width = info(buffer.elem).bits;
  Value*& base = fn_.bases[static_cast<std::size_t>(inst.buffer)];
  auto* known = llvm::dyn_cast<llvm::ConstantInt>(count);
  const std::int64_t known_bytes = known ? (known->getSExtValue() * width + 7) / 8 : -1;
  if (known && (buffer.space == loop::Space::registers || known_bytes <= 256)) {
    // A load under a mask may read what lies beside; LLVM must not take that for beside the buffer.
    const std::int64_t beside = masks_in_one(width) ? 0 : 64;
    Value* slot = stack_slot(std::max<std::int64_t>(known_bytes, 1) + 2 * beside);
    base = beside == 0 ? slot : b_.CreateGEP(b_.getInt8Ty(), slot, b_.getInt64(static_cast<std::uint64_t>(beside)));
    return;
  }
  const bool early = known != nullptr;
  const auto saved = b_.saveIP();
  if (early) b_.SetInsertPoint(fn_.prologue_end);
  Value* bytes = known ? static_cast<Value*>(b_.getInt64(static_cast<std::uint64_t>(known_bytes)))
                       : b_.CreateLShr(b_.CreateAdd(b_.CreateMul(count, b_.getInt64(static_cast<std::uint64_t>(width))),
                                                    b_.getInt64(7)),
                                       b_.getInt64(3));
  auto* signature = llvm::FunctionType::get(b_.getPtrTy(), {b_.getPtrTy(), b_.getInt64Ty()}, false);
  base = b_.CreateCall(signature, hidden_pointer(offsetof(Context, scratch)), {fn_.context, bytes});
  // Without memory the function returns at once: the runtime has noted the failure.
  Value* missing = b_.CreateICmpEQ(base, llvm::ConstantPointerNull::get(b_.getPtrTy()));
  llvm::BasicBlock *here = b_.GetInsertBlock(), *out = block("no_memory"), *next = nullptr;
  if (early) {
    next = here->splitBasicBlock(fn_.prologue_end, "placed");
    here->getTerminator()->eraseFromParent();
    b_.SetInsertPoint(here);
  } else {
    next = block("placed");
  }
  b_.CreateCondBr(missing, out, next);
  b_.SetInsertPoint(out);
  if (fn_.llvm->getReturnType()->isVoidTy())
    b_.CreateRetVoid();
  else
    b_.CreateRet(llvm::Constant::getNullValue(fn_.llvm->getReturnType()));
  if (early)
    b_.restoreIP(saved);
  else
    b_.SetInsertPoint(next);
}

// Stack memory has to be asked for in the entry block, or it would move the stack pointer each time.
llvm::Value* Emitter::stack_slot(std::int64_t bytes) {
  llvm::BasicBlock& entry = fn_.llvm->getEntryBlock();
  llvm::IRBuilder<> first(&entry, entry.begin());
  llvm::AllocaInst* slot = first.CreateAlloca(b_.getInt8Ty(), b_.getInt64(static_cast<std::uint64_t>(bytes)));
  slot->setAlignment(llvm::Align(64));
  return slot;
}

void Emitter::counted_loop(Value* lo, Value* hi, std::int64_t step, const std::function<void(Value*)>& body) {
  llvm::BasicBlock *before = b_.GetInsertBlock(), *head = block("loop"), *exit = block("exit");
  b_.CreateCondBr(b_.CreateICmpSLT(lo, hi), head, exit);
  b_.SetInsertPoint(head);
  llvm::PHINode* iv = b_.CreatePHI(lo->getType(), 2);
  iv->addIncoming(lo, before);
  body(iv);
  Value* next = b_.CreateNSWAdd(iv, b_.getInt64(static_cast<std::uint64_t>(step)));
  iv->addIncoming(next, b_.GetInsertBlock());
  b_.CreateCondBr(b_.CreateICmpSLT(next, hi), head, exit);
  b_.SetInsertPoint(exit);
}

void Emitter::fill(const loop::Inst& inst) {
  if (inst.buffer < 0 || inst.operands.size() != 3) refuse(inst, "it takes a buffer, an offset, a count and a value");
  const DType e = program_.buffers[static_cast<std::size_t>(inst.buffer)].elem;
  const loop::Type& t = type_of(inst.operands[2]);
  if (t.lanes != 1 || t.elem != e) refuse(inst, "its value is one element of the buffer");
  Value *offset = use(inst.operands[0]), *count = use(inst.operands[1]), *value = use(inst.operands[2]);
  Value* end = b_.CreateAdd(offset, count);
  if (info(e).bits < 8) {  // up to a whole byte, by vectors of whole bytes, and the rest
    const int width = info(e).bits, lanes = 32;
    const auto down = ~static_cast<std::uint64_t>(lanes - 1);
    Value* first = b_.CreateBinaryIntrinsic(
        llvm::Intrinsic::smin, b_.CreateAnd(b_.CreateAdd(offset, b_.getInt64(3)), b_.getInt64(~std::uint64_t{3})), end);
    Value* last = b_.CreateAdd(first, b_.CreateAnd(b_.CreateSub(end, first), b_.getInt64(down)));
    const auto one = [&](Value* at) { store_packed_scalar(inst.buffer, at, value); };
    counted_loop(offset, first, 1, one);
    Value* bytes = to_bytes(spread(value, lanes), {e, static_cast<std::uint16_t>(lanes), -1});
    counted_loop(first, last, lanes, [&](Value* at) {
      Value* byte = b_.CreateAShr(b_.CreateMul(at, b_.getInt64(static_cast<std::uint64_t>(width))), b_.getInt64(3));
      b_.CreateAlignedStore(bytes, b_.CreateInBoundsGEP(b_.getInt8Ty(), base(inst.buffer), byte), llvm::Align(1));
    });
    counted_loop(last, end, 1, one);
    return;
  }
  const int lanes = std::max(1, options_.vector_bits / info(e).bits);
  Value* stored = to_storage(value, e);
  Value* wide = spread(stored, lanes);
  Value* whole = b_.CreateAdd(offset, b_.CreateAnd(count, b_.getInt64(~static_cast<std::uint64_t>(lanes - 1))));
  const llvm::Align alignment(static_cast<std::uint64_t>(std::max(1, info(e).bits / 8)));
  counted_loop(offset, whole, lanes,
               [&](Value* at) { b_.CreateAlignedStore(wide, address(inst.buffer, at), alignment); });
  counted_loop(whole, end, 1, [&](Value* at) { b_.CreateAlignedStore(stored, address(inst.buffer, at), alignment); });
}

}  // namespace jit::detail
TESSERA_END
