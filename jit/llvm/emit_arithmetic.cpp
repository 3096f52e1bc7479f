// Owns the translation of arithmetic, comparisons, shuffles and reductions of vectors to LLVM IR.
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/IntrinsicsX86.h>

#include <algorithm>
#include <bit>
#include <numeric>

#include "jit/llvm/emitter.hpp"
#include "jit/runtime/context.hpp"

TESSERA_BEGIN
namespace jit::detail {

using loop::Op;

namespace {
bool is_float(DType t) { return t == DType::f32 || t == DType::f64; }
bool is_signed(DType t) { return info(t).is_signed_integer(); }
}  // namespace

llvm::Value* Emitter::constant(const loop::Type& t, std::int64_t bits) {
  llvm::Type* ty = type(t);
  const auto word = static_cast<std::uint64_t>(bits);
  switch (t.elem) {
    case DType::b8:
      return splat(ty, (bits & 0xff) != 0);
    case DType::f32:
      return llvm::ConstantFP::get(ty, llvm::APFloat(std::bit_cast<float>(static_cast<std::uint32_t>(word))));
    case DType::f64:
      return llvm::ConstantFP::get(ty, llvm::APFloat(std::bit_cast<double>(word)));
    case DType::i4:
      return splat(ty, static_cast<std::int64_t>(((word & 15) ^ 8)) - 8);
    default: {
      const int width = info(t.elem).bits;
      const std::uint64_t masked = width < 64 ? word & ((std::uint64_t{1} << width) - 1) : word;
      const int held = std::max(width, 8);
      return llvm::ConstantInt::get(ty, llvm::APInt(static_cast<unsigned>(held), masked));
    }
  }
}

llvm::Value* Emitter::iota(const loop::Type& t) {
  std::vector<llvm::Constant*> lanes;
  for (int i = 0; i < t.lanes; ++i)
    lanes.push_back(is_float(t.elem) ? llvm::ConstantFP::get(elem(t.elem), i)
                                     : llvm::cast<llvm::Constant>(wrap(splat(elem(t.elem), i), t.elem)));
  if (!is_float(t.elem) && !info(t.elem).is_integer())
    throw Unsupported(fn_.loop->name + ": iota of " + std::string(dtype_name(t.elem)));
  return t.lanes == 1 ? lanes[0] : llvm::ConstantVector::get(lanes);
}

// Keeps 4-bit integers as their i8 lanes hold them: extended.
llvm::Value* Emitter::wrap(Value* x, DType t) {
  if (info(t).bits >= 8) return x;
  llvm::Type* ty = x->getType();
  Value* low = b_.CreateAnd(x, splat(ty, (1 << info(t).bits) - 1));
  return t == DType::i4 ? b_.CreateSub(b_.CreateXor(low, splat(ty, 8)), splat(ty, 8)) : low;
}

llvm::Value* Emitter::unary(Op op, Value* x, const loop::Type& t) {
  llvm::Type* ty = x->getType();
  if (op == Op::logical_not) return b_.CreateNot(x);  // of b8 logical, of integers every bit
  if (is_float(t.elem)) {
    switch (op) {
      case Op::neg:
        return b_.CreateFNeg(x);
      case Op::abs:
        return b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
      case Op::sqrt:
        return b_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x);
      default:
        return round(op, x, t);
    }
  }
  if (info(t.elem).is_integer()) {
    switch (op) {
      case Op::neg:
        return wrap(b_.CreateNeg(x), t.elem);
      case Op::abs:
        if (!is_signed(t.elem)) return x;
        return wrap(b_.CreateBinaryIntrinsic(llvm::Intrinsic::abs, x, b_.getFalse()), t.elem);
      case Op::floor:
      case Op::ceil:
      case Op::trunc:
      case Op::round:
        return x;
      default:
        break;
    }
  }
  (void)ty;
  throw Unsupported(fn_.loop->name + ": " + std::string(loop::name(op)) + " of " + std::string(dtype_name(t.elem)) +
                    ": the planner computes it in another type");
}

// Without SSE4.1 rounding would be a call into libm: adding and taking away 2^23 (2^52) rounds to nearest even.
llvm::Value* Emitter::round(Op op, Value* x, const loop::Type& t) {
  if (options_.round) {
    switch (op) {
      case Op::floor:
        return b_.CreateUnaryIntrinsic(llvm::Intrinsic::floor, x);
      case Op::ceil:
        return b_.CreateUnaryIntrinsic(llvm::Intrinsic::ceil, x);
      case Op::trunc:
        return b_.CreateUnaryIntrinsic(llvm::Intrinsic::trunc, x);
      default:
        return b_.CreateUnaryIntrinsic(llvm::Intrinsic::roundeven, x);
    }
  }
  llvm::Type* ty = x->getType();
  const double magic = t.elem == DType::f32 ? 8388608.0 : 4503599627370496.0;
  Value* size = b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
  Value* big = b_.CreateNot(b_.CreateFCmpOLT(size, splat_float(ty, magic)));  // NaN too
  Value* nearest = b_.CreateFSub(b_.CreateFAdd(size, splat_float(ty, magic)), splat_float(ty, magic));
  const int bits = info(t.elem).bits;
  llvm::Type* it = integer(ty, bits);
  Value* sign = b_.CreateAnd(as(x, it), splat(it, bits == 32 ? INT32_MIN : INT64_MIN));
  const auto with_sign = [&](Value* v) { return as(b_.CreateOr(as(v, it), sign), ty); };
  Value *zero = splat_float(ty, 0), *one = splat_float(ty, 1);
  Value* result = nullptr;
  if (op == Op::round) {
    result = with_sign(nearest);
  } else if (op == Op::trunc) {
    result = with_sign(b_.CreateFSub(nearest, select(b_.CreateFCmpOGT(nearest, size), one, zero)));
  } else {
    Value* r = with_sign(nearest);
    result = op == Op::floor ? b_.CreateFSub(r, select(b_.CreateFCmpOGT(r, x), one, zero))
                             : b_.CreateFAdd(r, select(b_.CreateFCmpOLT(r, x), one, zero));
    // A correction of ±1 that gives zero must keep the sign; the magnitude of the result never crosses zero otherwise.
    result = select(b_.CreateFCmpOEQ(result, zero), with_sign(zero), result);
  }
  // A signalling NaN becomes quiet by an addition, as the instructions do.
  return select(big, b_.CreateFAdd(x, with_sign(zero)), result);
}

llvm::Value* Emitter::binary(Op op, Value* x, Value* y, const loop::Type& t, bool contract) {
  if (x->getType() != y->getType())
    throw Unsupported(fn_.loop->name + ": " + std::string(loop::name(op)) + ": its operands differ in type");
  const auto refuse_type = [&]() {
    return Unsupported(fn_.loop->name + ": " + std::string(loop::name(op)) + " of " + std::string(dtype_name(t.elem)) +
                       ": the planner computes it in another type");
  };
  switch (op) {
    case Op::bit_and:
    case Op::bit_or:
    case Op::bit_xor: {
      if (is_float(t.elem)) throw refuse_type();
      return op == Op::bit_and ? b_.CreateAnd(x, y) : op == Op::bit_or ? b_.CreateOr(x, y) : b_.CreateXor(x, y);
    }
    case Op::min:
    case Op::max:
    case Op::min_number:
    case Op::max_number:
    case Op::fast_min:
    case Op::fast_max:
      if (info(t.elem).is_floating() && !is_float(t.elem)) throw refuse_type();
      return minmax(op, x, y, t);
    default:
      break;
  }
  if (is_float(t.elem)) {
    llvm::IRBuilderBase::FastMathFlagGuard guard(b_);
    if (contract) {
      llvm::FastMathFlags flags;
      flags.setAllowContract();
      b_.setFastMathFlags(flags);
    }
    switch (op) {
      case Op::add:
        return b_.CreateFAdd(x, y);
      case Op::sub:
        return b_.CreateFSub(x, y);
      case Op::mul:
        return b_.CreateFMul(x, y);
      case Op::div:
        return b_.CreateFDiv(x, y);
      case Op::rem:
        return each_lane(offsetof(Context, remainder), {x, y}, t);
      default:
        throw refuse_type();
    }
  }
  if (!info(t.elem).is_integer()) throw refuse_type();
  switch (op) {
    case Op::add:
      return wrap(b_.CreateAdd(x, y), t.elem);
    case Op::sub:
      return wrap(b_.CreateSub(x, y), t.elem);
    case Op::mul:
      return wrap(b_.CreateMul(x, y), t.elem);
    case Op::div:
    case Op::rem:
    case Op::floor_div:
    case Op::floor_rem:
      return divide(op, x, y, t);
    case Op::shl:
    case Op::shr:
      return shift(op, x, y, t);
    default:
      throw refuse_type();
  }
}

// Vectors of narrow integers divide as floats: processors have no such division, and LLVM would do it lane by lane. The
// truncated quotient is right: a/b that is no integer is at least 1/b from one, and rounding moves it by less than
// a/b · 2^-p, which is smaller as long as a < 2^p.
llvm::Value* Emitter::quotient(Value* x, Value* y, const loop::Type& t) {
  const int bits = std::max<int>(8, info(t.elem).bits);
  if (t.lanes == 1 || bits > 32 || llvm::isa<llvm::Constant>(y))
    return is_signed(t.elem) ? b_.CreateSDiv(x, y) : b_.CreateUDiv(x, y);
  llvm::Type* ty = x->getType();
  llvm::Type* ft = floating(ty, bits <= 16 ? 32 : 64);
  if (is_signed(t.elem)) {
    Value* q = b_.CreateFDiv(b_.CreateSIToFP(x, ft), b_.CreateSIToFP(y, ft));
    return b_.CreateTrunc(b_.CreateFPToSI(q, integer(ty, 32)), ty);
  }
  if (bits == 32) {  // unsigned to double by way of the signed conversion, which every processor has
    Value* bias = splat_float(ft, 2147483648.0);
    llvm::Type* it = integer(ty, 32);
    const auto widen = [&](Value* v) {
      return b_.CreateFAdd(b_.CreateSIToFP(b_.CreateXor(v, splat(it, INT32_MIN)), ft), bias);
    };
    Value* q = b_.CreateFDiv(widen(x), widen(y));
    // Truncate by hand: q < 2^32, so that q − 2^31 fits an i32, but truncating it would round negative ones up.
    Value* large = b_.CreateFCmpOGE(q, bias);
    Value* low = b_.CreateFPToSI(select(large, b_.CreateFSub(q, bias), q), it);
    return b_.CreateXor(low, select(large, splat(it, INT32_MIN), splat(it, 0)));
  }
  llvm::Type* it = integer(ty, 32);
  const auto widen = [&](Value* v) { return b_.CreateSIToFP(b_.CreateZExt(v, it), ft); };
  return b_.CreateTrunc(b_.CreateFPToSI(b_.CreateFDiv(widen(x), widen(y)), it), ty);
}

llvm::Value* Emitter::divide(Op op, Value* x, Value* y, const loop::Type& t) {
  llvm::Type* ty = x->getType();
  const bool sgn = is_signed(t.elem);
  const bool rounds_down = op == Op::floor_div || op == Op::floor_rem;
  const bool wants_quotient = op == Op::div || op == Op::floor_div;
  Value *zero = splat(ty, 0), *one = splat(ty, 1);

  auto* constant = llvm::dyn_cast<llvm::Constant>(y);
  const llvm::APInt* known = nullptr;
  if (constant) {
    auto* element = constant->getType()->isVectorTy() ? constant->getSplatValue() : constant;
    if (auto* number = llvm::dyn_cast_or_null<llvm::ConstantInt>(element)) known = &number->getValue();
  }
  if (known && known->isZero()) return zero;
  const bool power = known && known->isPowerOf2() && (!sgn || !known->isSignMask());
  if (power && (rounds_down || !sgn)) {
    Value* shift = splat(ty, static_cast<std::int64_t>(known->logBase2()));
    Value* low = splat(ty, static_cast<std::int64_t>(known->getZExtValue() - 1));
    if (!wants_quotient) return b_.CreateAnd(x, low);
    return sgn ? b_.CreateAShr(x, shift) : b_.CreateLShr(x, shift);
  }

  // What would trap: 0, and −1 whose quotient may overflow; both divide by 1 and are mended after.
  Value *divisor = y, *is_zero = nullptr, *is_minus_one = nullptr;
  if (!known) {
    is_zero = b_.CreateICmpEQ(y, zero);  // of div and rem only a masked-off lane can be
    if (sgn) is_minus_one = b_.CreateICmpEQ(y, splat(ty, -1));
    divisor = select(is_minus_one ? b_.CreateOr(is_zero, is_minus_one) : is_zero, one, y);
  } else if (sgn && known->isAllOnes()) {
    return wants_quotient ? wrap(b_.CreateNeg(x), t.elem) : zero;
  }
  Value* q = quotient(x, divisor, t);
  Value* r = b_.CreateSub(x, b_.CreateMul(q, divisor));
  if (rounds_down && sgn) {
    Value* lower = b_.CreateAnd(b_.CreateICmpNE(r, zero), b_.CreateICmpSLT(b_.CreateXor(r, divisor), zero));
    if (wants_quotient)
      q = b_.CreateAdd(q, b_.CreateSExt(lower, ty));
    else
      r = b_.CreateAdd(r, select(lower, divisor, zero));
  }
  Value* result = wants_quotient ? q : r;
  if (is_minus_one) result = select(is_minus_one, wants_quotient ? b_.CreateNeg(x) : zero, result);
  if (is_zero) result = select(is_zero, zero, result);
  return wrap(result, t.elem);
}

llvm::Value* Emitter::shift(Op op, Value* x, Value* y, const loop::Type& t) {
  llvm::Type* ty = x->getType();
  const int width = info(t.elem).bits;
  Value* in_range = b_.CreateICmpULT(y, splat(ty, width));
  if (op == Op::shr && is_signed(t.elem)) {
    Value* count = select(in_range, y, splat(ty, width - 1));
    return b_.CreateAShr(x, count);
  }
  Value* shifted = op == Op::shl ? b_.CreateShl(x, y) : b_.CreateLShr(x, y);
  return wrap(select(in_range, shifted, splat(ty, 0)), t.elem);
}

llvm::Value* Emitter::minmax(Op op, Value* x, Value* y, const loop::Type& t) {
  const bool least = op == Op::min || op == Op::min_number || op == Op::fast_min;
  if (t.elem == DType::b8) return least ? b_.CreateAnd(x, y) : b_.CreateOr(x, y);
  if (!info(t.elem).is_floating()) {
    const auto id = is_signed(t.elem) ? (least ? llvm::Intrinsic::smin : llvm::Intrinsic::smax)
                                      : (least ? llvm::Intrinsic::umin : llvm::Intrinsic::umax);
    return b_.CreateBinaryIntrinsic(id, x, y);
  }
  // One instruction, which gives y when either is NaN.
  Value* picked = select(least ? b_.CreateFCmpOLT(x, y) : b_.CreateFCmpOGT(x, y), x, y);
  if (op == Op::min || op == Op::max) return select(b_.CreateFCmpUNO(x, x), x, picked);
  if (op == Op::min_number || op == Op::max_number) return select(b_.CreateFCmpUNO(y, y), x, picked);
  return picked;
}

llvm::Value* Emitter::compare(Op op, Value* x, Value* y, const loop::Type& t) {
  if (x->getType() != y->getType())
    throw Unsupported(fn_.loop->name + ": " + std::string(loop::name(op)) + ": its operands differ in type");
  using P = llvm::CmpInst::Predicate;
  if (info(t.elem).is_floating()) {
    if (!is_float(t.elem)) {
      x = widen(x, t.elem);
      y = widen(y, t.elem);
    }
    switch (op) {
      case Op::eq:
        return b_.CreateFCmpOEQ(x, y);
      case Op::ne:
        return b_.CreateFCmpUNE(x, y);
      case Op::lt:
        return b_.CreateFCmpOLT(x, y);
      case Op::le:
        return b_.CreateFCmpOLE(x, y);
      case Op::gt:
        return b_.CreateFCmpOGT(x, y);
      default:
        return b_.CreateFCmpOGE(x, y);
    }
  }
  const bool sgn = is_signed(t.elem);
  P p = P::ICMP_EQ;
  switch (op) {
    case Op::eq:
      p = P::ICMP_EQ;
      break;
    case Op::ne:
      p = P::ICMP_NE;
      break;
    case Op::lt:
      p = sgn ? P::ICMP_SLT : P::ICMP_ULT;
      break;
    case Op::le:
      p = sgn ? P::ICMP_SLE : P::ICMP_ULE;
      break;
    case Op::gt:
      p = sgn ? P::ICMP_SGT : P::ICMP_UGT;
      break;
    default:
      p = sgn ? P::ICMP_SGE : P::ICMP_UGE;
      break;
  }
  return b_.CreateICmp(p, x, y);
}

// Calls a function of doubles that the context has, for each lane.
llvm::Value* Emitter::each_lane(std::size_t function, std::initializer_list<Value*> operands, const loop::Type& t) {
  llvm::Type* wide = b_.getDoubleTy();
  const std::vector<llvm::Type*> types(operands.size(), wide);
  llvm::FunctionType* signature = llvm::FunctionType::get(wide, types, false);
  Value* pointer = hidden_pointer(function);
  Value* result = t.lanes == 1 ? nullptr : llvm::PoisonValue::get(type(t));
  for (int lane = 0; lane < t.lanes; ++lane) {
    std::vector<Value*> arguments;
    for (Value* v : operands) {
      if (t.lanes > 1) v = b_.CreateExtractElement(v, static_cast<std::uint64_t>(lane));
      arguments.push_back(t.elem == DType::f32 ? b_.CreateFPExt(v, wide) : v);
    }
    Value* y = b_.CreateCall(signature, pointer, arguments);
    if (t.elem == DType::f32) y = b_.CreateFPTrunc(y, b_.getFloatTy());
    result = t.lanes == 1 ? y : b_.CreateInsertElement(result, y, static_cast<std::uint64_t>(lane));
  }
  return result;
}

// Of f32 in f64: the product is exact there, and the sum is rounded to odd, so that rounding it once more is right
// (Boldo and Melquiond, 2008).
llvm::Value* Emitter::fma_without_fma(Value* x, Value* y, Value* z, const loop::Type& t) {
  if (t.elem == DType::f64) return each_lane(offsetof(Context, fma), {x, y, z}, t);
  llvm::Type* ft = floating(x->getType(), 64);
  llvm::Type* it = integer(x->getType(), 64);
  Value *p = b_.CreateFMul(b_.CreateFPExt(x, ft), b_.CreateFPExt(y, ft)), *c = b_.CreateFPExt(z, ft);
  Value* s = b_.CreateFAdd(p, c);
  Value* part = b_.CreateFSub(s, p);
  Value* lost = b_.CreateFAdd(b_.CreateFSub(p, b_.CreateFSub(s, part)), b_.CreateFSub(c, part));
  Value* zero = splat_float(ft, 0);
  Value *above = b_.CreateFCmpOGT(lost, zero), *below = b_.CreateFCmpOLT(lost, zero);  // neither where it is NaN
  Value* bits = as(s, it);
  Value* even = b_.CreateICmpEQ(b_.CreateAnd(bits, splat(it, 1)), splat(it, 0));
  Value* away = b_.CreateICmpEQ(above, b_.CreateFCmpOGT(s, zero));
  Value* step = select(away, splat(it, 1), splat(it, -1));
  Value* odd = b_.CreateAdd(bits, select(b_.CreateAnd(even, b_.CreateOr(above, below)), step, splat(it, 0)));
  return b_.CreateFPTrunc(as(odd, ft), x->getType());
}

// Narrow lanes are multiplied and added to the 32-bit lane over them: by one instruction, with pmaddwd and an addition,
// or lane by lane of each group, widened.
llvm::Value* Emitter::fma_of_groups(const loop::Inst& inst) {
  Value *a = use(inst.operands[0]), *b = use(inst.operands[1]), *c = use(inst.operands[2]);
  const loop::Type &from = type_of(inst.operands[0]), &other = type_of(inst.operands[1]);
  const loop::Type& to = type_of(inst.operands[2]);
  const int bits = to.lanes * 32, group = from.lanes / to.lanes;
  const bool whole = bits <= options_.vector_bits && (bits == 128 || bits == 256 || bits == 512);
  const auto by_width = [&](llvm::Intrinsic::ID narrow, llvm::Intrinsic::ID middle, llvm::Intrinsic::ID wide) {
    return bits == 128 ? narrow : bits == 256 ? middle : wide;
  };
  namespace x86 = llvm::Intrinsic;
  llvm::Type* words = integer(c->getType(), 32);
  if (whole && from.elem == DType::i16 && options_.vnni)
    return b_.CreateIntrinsic(
        by_width(x86::x86_avx512_vpdpwssd_128, x86::x86_avx512_vpdpwssd_256, x86::x86_avx512_vpdpwssd_512), {},
        {c, as(a, words), as(b, words)});
  if (whole && from.elem == DType::i16)
    return b_.CreateAdd(
        c, b_.CreateIntrinsic(by_width(x86::x86_sse2_pmadd_wd, x86::x86_avx2_pmadd_wd, x86::x86_avx512_pmaddw_d_512),
                              {}, {a, b}));
  if (whole && options_.vnni && group == 4 && from.elem != other.elem) {
    if (from.elem == DType::i8) std::swap(a, b);  // the instruction's first factor is the unsigned one
    return b_.CreateIntrinsic(
        by_width(x86::x86_avx512_vpdpbusd_128, x86::x86_avx512_vpdpbusd_256, x86::x86_avx512_vpdpbusd_512), {},
        {c, as(a, words), as(b, words)});
  }
  if (whole && options_.bf16 && from.elem == DType::bf16) {
    llvm::Type* pairs = llvm::FixedVectorType::get(b_.getBFloatTy(), from.lanes);
    return b_.CreateIntrinsic(
        by_width(x86::x86_avx512bf16_dpbf16ps_128, x86::x86_avx512bf16_dpbf16ps_256, x86::x86_avx512bf16_dpbf16ps_512),
        {}, {c, as(a, pairs), as(b, pairs)});
  }
  const auto lane = [&](Value* x, DType elem, int u) {
    std::vector<int> pick;
    for (int i = 0; i < to.lanes; ++i) pick.push_back(i * group + u);
    Value* y =
        to.lanes == 1 ? b_.CreateExtractElement(x, static_cast<std::uint64_t>(u)) : b_.CreateShuffleVector(x, pick);
    if (elem == DType::bf16) return widen(y, elem);
    return is_signed(elem) ? b_.CreateSExt(y, words) : b_.CreateZExt(y, words);
  };
  for (int u = 0; u < group; ++u)
    c = binary(Op::add, c, binary(Op::mul, lane(a, from.elem, u), lane(b, other.elem, u), to), to);
  return c;
}

llvm::Value* Emitter::fma(Value* x, Value* y, Value* z, const loop::Type& t, bool contract) {
  if (is_float(t.elem) && options_.fma) return b_.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, y, z});
  if (is_float(t.elem)) return fma_without_fma(x, y, z, t);
  return binary(Op::add, binary(Op::mul, x, y, t, contract), z, t, contract);
}

llvm::Value* Emitter::slice(Value* x, int first, int count) {
  if (count == 1) return b_.CreateExtractElement(x, static_cast<std::uint64_t>(first));
  std::vector<int> lanes(static_cast<std::size_t>(count));
  std::iota(lanes.begin(), lanes.end(), first);
  return b_.CreateShuffleVector(x, lanes);
}

llvm::Value* Emitter::shuffle(const loop::Inst& inst) {
  if (inst.operands.size() != 2) refuse(inst, "it takes two vectors");
  Value *a = use(inst.operands[0]), *b = use(inst.operands[1]);
  const int left = lanes_of(a), right = lanes_of(b), wanted = type_of(inst.results[0]).lanes;
  if (static_cast<int>(inst.imm.size()) != wanted) refuse(inst, "imm has a lane for each of its lanes");
  const int width = std::max({left, right, 2});
  const auto widened = [&](Value* v, int lanes) -> Value* {
    if (lanes == width) return v;
    if (lanes == 1)
      return b_.CreateInsertElement(
          llvm::PoisonValue::get(llvm::FixedVectorType::get(v->getType(), static_cast<unsigned>(width))), v,
          std::uint64_t{0});
    std::vector<int> all(static_cast<std::size_t>(width), -1);
    std::iota(all.begin(), all.begin() + lanes, 0);
    return b_.CreateShuffleVector(v, all);
  };
  std::vector<int> lanes;
  for (std::int64_t lane : inst.imm) {
    if (lane >= left + right || lane < -1) refuse(inst, "a lane number is outside both vectors");
    lanes.push_back(lane < left ? static_cast<int>(lane) : static_cast<int>(lane) - left + width);
  }
  if (wanted == 1) {
    if (lanes[0] < 0) return llvm::PoisonValue::get(elem(type_of(inst.results[0]).elem));
    const bool first = lanes[0] < width;
    Value* from = first ? a : b;
    const int lane = first ? lanes[0] : lanes[0] - width;
    return lanes_of(from) == 1 ? from : b_.CreateExtractElement(from, static_cast<std::uint64_t>(lane));
  }
  return b_.CreateShuffleVector(widened(a, left), widened(b, right), lanes);
}

llvm::Value* Emitter::reduce(Op op, Value* x, const loop::Type& t) {
  int lanes = lanes_of(x);
  if (t.elem == DType::b8 && lanes > 1 &&
      (op == Op::reduce_and || op == Op::reduce_or || op == Op::reduce_min || op == Op::reduce_max)) {
    llvm::Type* bits = b_.getIntNTy(static_cast<unsigned>(lanes));
    Value* all = as(x, bits);
    return op == Op::reduce_and || op == Op::reduce_min ? b_.CreateICmpEQ(all, llvm::ConstantInt::getAllOnesValue(bits))
                                                        : b_.CreateICmpNE(all, llvm::ConstantInt::get(bits, 0));
  }
  const Op step = op == Op::reduce_add   ? Op::add
                  : op == Op::reduce_mul ? Op::mul
                  : op == Op::reduce_min ? Op::min
                  : op == Op::reduce_max ? Op::max
                  : op == Op::reduce_and ? Op::bit_and
                                         : Op::bit_or;
  Value* rest = nullptr;  // lanes of odd halves, one at a time
  while (lanes > 1) {
    if (lanes % 2 != 0) {
      Value* last = b_.CreateExtractElement(x, static_cast<std::uint64_t>(lanes - 1));
      const loop::Type scalar{t.elem, 1, -1};
      rest = rest ? binary(step, rest, last, scalar) : last;
      x = slice(x, 0, --lanes);
      continue;
    }
    lanes /= 2;
    const loop::Type half{t.elem, static_cast<std::uint16_t>(lanes), -1};
    Value* low = slice(x, 0, lanes);
    x = binary(step, low, slice(x, lanes, lanes), half);
  }
  return rest ? binary(step, x, rest, {t.elem, 1, -1}) : x;
}

}  // namespace jit::detail
TESSERA_END
