// Owns the translation of casts and bitcasts: every element type to every other, as types/convert.hpp defines it.
#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <cmath>

#include "jit/llvm/emitter.hpp"

// Agrees with convert_bits bit for bit, but for a signalling NaN of bf16 widened to f32, which stays signalling (its
// payload is the same; the next operation makes it quiet): a test in every bf16 load would cost more than it is worth.

TESSERA_BEGIN
namespace jit::detail {

namespace {

/// Numbers of a float type as constants of the integer arithmetic.
struct Format {
  int mantissa, bias, bits;
  bool has_sign, has_inf, has_nan;
  std::int64_t largest;  // pattern of the largest finite value
  std::int64_t all;      // every bit but the sign
  explicit Format(DType t)
      : mantissa(info(t).mantissa_bits),
        bias(info(t).bias),
        bits(info(t).bits),
        has_sign(info(t).has_sign),
        has_inf(info(t).has_inf),
        has_nan(info(t).has_nan),
        largest(static_cast<std::int64_t>(tessera::detail::largest_float_bits(info(t)))),
        all(static_cast<std::int64_t>(tessera::detail::low_mask(info(t).bits - (info(t).has_sign ? 1 : 0)))) {}
};

bool is_wide(DType t) { return t == DType::f32 || t == DType::f64; }

}  // namespace

llvm::Value* Emitter::cast(Value* x, const loop::Type& from, const loop::Type& to, Rounding rounding,
                           Saturation saturation, Value* random) {
  if (from.elem == to.elem) return x;
  const DTypeInfo &f = info(from.elem), &t = info(to.elem);
  llvm::Type* ty = type(to);
  if (t.is_boolean()) {
    if (!f.is_floating()) return b_.CreateICmpNE(x, splat(x->getType(), 0));
    if (is_wide(from.elem)) return b_.CreateFCmpUNE(x, splat_float(x->getType(), 0));
    if (!f.has_zero) return splat(ty, 1);
    return b_.CreateICmpNE(b_.CreateAnd(x, splat(x->getType(), Format(from.elem).all)), splat(x->getType(), 0));
  }
  if (f.is_boolean()) {
    const auto one = static_cast<std::int64_t>(convert_bits(DType::b8, to.elem, 1));
    const auto zero = static_cast<std::int64_t>(convert_bits(DType::b8, to.elem, 0));
    if (t.is_integer()) return b_.CreateZExt(x, ty);
    return select(x, constant(to, one), constant(to, zero));
  }
  if (t.is_floating()) {
    const bool saturate = saturation == Saturation::standard ? t.bits <= 8 : saturation == Saturation::saturate;
    const Rounding mode = rounding == Rounding::standard ? Rounding::nearest_even : rounding;
    if (!f.is_floating()) return integer_to_float(x, from.elem, to.elem, mode, saturate, random);
    const bool exact = to.elem == DType::f64 || (to.elem == DType::f32 && from.elem != DType::f64);
    if (exact) {
      Value* y = widen(x, from.elem);
      if (to.elem == DType::f64) y = b_.CreateFPExt(y, ty);
      return saturate && f.has_inf ? below_infinity(y) : y;
    }
    const DType wide = is_wide(from.elem) ? from.elem : DType::f32;
    return narrow(widen(x, from.elem), wide, to.elem, mode, saturate, random);
  }
  if (f.is_floating()) {
    const bool saturate = saturation != Saturation::overflow;
    const Rounding mode = rounding == Rounding::standard ? Rounding::toward_zero : rounding;
    const DType wide = is_wide(from.elem) ? from.elem : DType::f32;
    return float_to_integer(widen(x, from.elem), wide, to.elem, mode, saturate, random);
  }
  // Integer to integer: values are held extended, so that a change of width is a truncation or an extension.
  const int have = std::max<int>(8, f.bits), want = std::max<int>(8, t.bits);
  if (saturation == Saturation::saturate) {
    const int wide = std::max(have, want);
    Value* v = have == wide            ? x
               : f.is_signed_integer() ? b_.CreateSExt(x, integer(ty, wide))
                                       : b_.CreateZExt(x, integer(ty, wide));
    llvm::Type* wt = v->getType();
    const auto largest = static_cast<std::int64_t>(largest_bits(to.elem));
    const std::int64_t lowest = t.has_sign ? -largest - 1 : 0;
    if (f.is_signed_integer()) {
      if (t.bits < wide || f.has_sign != t.has_sign) {
        if (t.precision < wide) v = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, v, splat(wt, largest));
        v = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, v, splat(wt, lowest));
      }
    } else if (t.precision < f.precision) {
      v = b_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, v, splat(wt, largest));
    }
    return want == wide ? v : b_.CreateTrunc(v, ty);
  }
  if (want > have) return f.is_signed_integer() ? b_.CreateSExt(x, ty) : b_.CreateZExt(x, ty);
  return wrap(want < have ? b_.CreateTrunc(x, ty) : x, to.elem);
}

llvm::Value* Emitter::widen(Value* x, DType from) {
  if (is_wide(from)) return x;
  llvm::Type *it = integer(x->getType(), 32), *ft = floating(x->getType(), 32);
  if (from == DType::bf16) return as(b_.CreateShl(b_.CreateZExt(x, it), splat(it, 16)), ft);
  if (from == DType::f16 && options_.f16c) return b_.CreateFPExt(as(x, floating(x->getType(), 16)), ft);
  Value* bits = b_.CreateZExt(x, it);
  const Format f(from);
  if (from == DType::e8m0) {
    Value* value = b_.CreateShl(bits, splat(it, 23));
    value = select(b_.CreateICmpEQ(bits, splat(it, 0)), splat(it, 0x00400000), value);  // 2^-127 is subnormal in f32
    return as(select(b_.CreateICmpEQ(bits, splat(it, 255)), splat(it, 0x7fc00000), value), ft);
  }
  Value* magnitude = b_.CreateAnd(bits, splat(it, f.all));
  Value* sign = b_.CreateShl(b_.CreateXor(bits, magnitude), splat(it, 32 - f.bits));
  Value* moved = b_.CreateShl(magnitude, splat(it, 23 - f.mantissa));
  Value* normal = b_.CreateAdd(moved, splat(it, std::int64_t{127 - f.bias} << 23));
  // A subnormal gets the exponent of the least normal with its leading one, which is taken away again as a float.
  const std::int64_t least = std::int64_t{127 - f.bias + 1} << 23;
  Value* subnormal = b_.CreateFSub(as(b_.CreateAdd(moved, splat(it, least)), ft), as(splat(it, least), ft));
  Value* value =
      select(b_.CreateICmpULT(magnitude, splat(it, std::int64_t{1} << f.mantissa)), as(subnormal, it), normal);
  if (f.has_inf) {
    Value* infinity = b_.CreateOr(moved, splat(it, 0x7f800000));
    Value* quiet = b_.CreateOr(infinity, splat(it, 0x00400000));
    value = select(b_.CreateICmpUGT(magnitude, splat(it, f.largest)), infinity, value);
    value = select(b_.CreateICmpUGT(magnitude, splat(it, f.largest + 1)), quiet, value);
  } else if (f.has_nan) {
    value = select(b_.CreateICmpEQ(magnitude, splat(it, f.all)), splat(it, 0x7fc00000), value);
  }
  return as(b_.CreateOr(value, sign), ft);
}

// Infinities of f32 or f64 become the largest finite values, whose patterns are one less.
llvm::Value* Emitter::below_infinity(Value* x) {
  const bool wide = x->getType()->getScalarType()->isDoubleTy();
  llvm::Type* it = integer(x->getType(), wide ? 64 : 32);
  Value* bits = as(x, it);
  Value* magnitude = b_.CreateAnd(bits, splat(it, wide ? INT64_MAX : INT32_MAX));
  Value* infinite = b_.CreateICmpEQ(magnitude, splat(it, wide ? std::int64_t{0x7ff} << 52 : 0x7f800000));
  return as(b_.CreateAdd(bits, b_.CreateSExt(infinite, it)), x->getType());
}

// Random bits as 64-bit words, those of narrower sources at the top.
llvm::Value* Emitter::random_word(Value* random) {
  const int have = static_cast<int>(random->getType()->getScalarSizeInBits());
  llvm::Type* it = integer(random->getType(), 64);
  if (have == 64) return random;
  return b_.CreateShl(b_.CreateZExt(random, it), splat(it, 64 - have));
}

// Whether a right shift of `significand` (64-bit lanes) by `shift` ≥ 1 rounds up; `odd`: the last kept bit.
llvm::Value* Emitter::rounds_up(Value* significand, Value* shift, Value* odd, Rounding rounding, Value* random) {
  llvm::Type* it = significand->getType();
  if (rounding == Rounding::toward_zero) return splat(integer(it, 1), 0);
  Value* zero = splat(it, 0);
  Value* left = b_.CreateSub(splat(it, 64), shift);
  Value* right = b_.CreateSub(shift, splat(it, 64));
  Value* near = b_.CreateICmpULE(shift, splat(it, 64));
  Value* far = b_.CreateICmpUGE(shift, splat(it, 128));
  // Counts are kept below 64 everywhere: the lanes of the other case must not be poison.
  Value* fraction = select(near, b_.CreateShl(significand, b_.CreateAnd(left, splat(it, 63))),
                           b_.CreateLShr(significand, b_.CreateAnd(right, splat(it, 63))));
  fraction = select(far, zero, fraction);
  if (rounding == Rounding::stochastic) return b_.CreateICmpUGT(random_word(random), b_.CreateNot(fraction));
  Value* half = splat(it, INT64_MIN);
  // Beyond a shift of 64 the significand (at most 54 bits) is less than half, so that nothing below matters.
  return b_.CreateOr(b_.CreateICmpUGT(fraction, half), b_.CreateAnd(b_.CreateICmpEQ(fraction, half), odd));
}

// f32 or f64 to a narrower float type, with one rounding.
llvm::Value* Emitter::narrow(Value* x, DType from, DType to, Rounding rounding, bool saturate, Value* random) {
  const Format t(to);
  if (from == DType::f64 && to == DType::f32 && rounding == Rounding::nearest_even) {
    Value* y = b_.CreateFPTrunc(x, floating(x->getType(), 32));
    return saturate ? below_infinity(y) : y;
  }
  if (from == DType::f32 && to == DType::f16 && options_.f16c && rounding == Rounding::nearest_even) {
    llvm::Type* it = integer(x->getType(), 16);
    Value* bits = as(b_.CreateFPTrunc(x, floating(x->getType(), 16)), it);
    if (!saturate) return bits;
    Value* infinite = b_.CreateICmpEQ(b_.CreateAnd(bits, splat(it, 0x7fff)), splat(it, 0x7c00));
    return b_.CreateAdd(bits, b_.CreateSExt(infinite, it));
  }
  if (to == DType::e8m0) {
    if (from == DType::f32 && rounding == Rounding::stochastic) x = b_.CreateFPExt(x, floating(x->getType(), 64));
    return narrow_scale(x, rounding, saturate, random);
  }
  if (from == DType::f32 && rounding == Rounding::stochastic) {
    x = b_.CreateFPExt(x, floating(x->getType(), 64));  // 64 bits of fraction, as random words have
    from = DType::f64;
  }
  const bool wide = from == DType::f64;
  const int width = wide ? 64 : 32, mantissa = wide ? 52 : 23, bias = wide ? 1023 : 127;
  llvm::Type* it = integer(x->getType(), width);
  const auto C = [&](std::int64_t v) { return splat(it, v); };
  Value* bits = as(x, it);
  Value* magnitude = b_.CreateAnd(bits, C(wide ? INT64_MAX : INT32_MAX));
  const std::int64_t infinity = wide ? std::int64_t{0x7ff} << 52 : 0x7f800000;
  Value* code = nullptr;
  if (to == DType::bf16 && !wide) {  // the same exponents: subnormals are no special case
    code = magnitude;
    if (rounding == Rounding::nearest_even)
      code = b_.CreateAdd(b_.CreateAdd(magnitude, C(0x7fff)), b_.CreateAnd(b_.CreateLShr(magnitude, C(16)), C(1)));
    code = b_.CreateLShr(code, C(16));
  } else if (!wide && rounding == Rounding::nearest_even) {
    // A normal number is rounded as an integer. One that is subnormal in `to` is rounded by an addition: to a float
    // whose last place is the least value of `to`, so that the code stands in its last bits.
    const int dropped = mantissa - t.mantissa;
    const std::int64_t rebias = std::int64_t{bias - t.bias} << mantissa;
    Value* odd = b_.CreateAnd(b_.CreateLShr(magnitude, C(dropped)), C(1));
    Value* half = C((std::int64_t{1} << (dropped - 1)) - 1 - rebias);
    Value* normal = b_.CreateLShr(b_.CreateAdd(b_.CreateAdd(magnitude, odd), half), C(dropped));
    Value* large = C(std::int64_t{bias + 1 - t.bias + dropped} << mantissa);
    Value* moved = b_.CreateFAdd(as(magnitude, x->getType()), as(large, x->getType()));
    Value* subnormal = b_.CreateSub(as(moved, it), large);
    code = select(b_.CreateICmpSLT(magnitude, C(rebias + (std::int64_t{1} << mantissa))), subnormal, normal);
  } else {
    // The exponent's distance above the least normal of `to`; below it the significand is shifted further. What is
    // subnormal in `from` is far below half the least value of `to`: its missing leading one does not matter.
    Value* above = b_.CreateSub(b_.CreateLShr(magnitude, C(mantissa)), C(bias - t.bias + 1));
    Value* is_normal = b_.CreateICmpSGE(above, C(0));
    Value* shift = b_.CreateSub(C(mantissa - t.mantissa), select(is_normal, C(0), above));
    Value* significand =
        b_.CreateOr(b_.CreateAnd(magnitude, C((std::int64_t{1} << mantissa) - 1)), C(std::int64_t{1} << mantissa));
    Value* exponent = b_.CreateShl(select(is_normal, above, C(0)), C(t.mantissa));
    Value* bounded = select(b_.CreateICmpULT(shift, C(width - 1)), shift, C(width - 1));
    if (rounding == Rounding::stochastic) {
      Value* kept = b_.CreateLShr(significand, bounded);  // 53 bits: nothing is left at 63
      Value* up = rounds_up(significand, shift, nullptr, rounding, random);
      code = b_.CreateAdd(b_.CreateAdd(kept, exponent), b_.CreateZExt(up, it));
    } else {
      Value* sum = significand;
      if (rounding == Rounding::nearest_even) {
        Value* half = b_.CreateShl(C(1), b_.CreateSub(bounded, C(1)));
        Value* odd = b_.CreateAnd(b_.CreateLShr(significand, bounded), C(1));
        sum = b_.CreateAdd(significand, b_.CreateAdd(b_.CreateSub(half, C(1)), odd));
      }
      code = b_.CreateAdd(b_.CreateLShr(sum, bounded), exponent);
    }
  }
  const std::int64_t beyond = saturate || !t.has_nan ? t.largest : t.has_inf ? t.largest + 1 : t.all;
  const std::int64_t overflowed = rounding == Rounding::toward_zero ? t.largest : beyond;
  // Codes and magnitudes are not negative: signed comparisons cost less on x86.
  code = select(b_.CreateICmpSGT(code, C(t.largest)), C(overflowed), code);
  if (overflowed != beyond) code = select(b_.CreateICmpEQ(magnitude, C(infinity)), C(beyond), code);
  Value* is_nan = b_.CreateICmpSGT(magnitude, C(infinity));
  const int sign_place = t.bits - 1;
  Value* sign = b_.CreateAnd(b_.CreateLShr(bits, C(width - 1 - sign_place)), C(std::int64_t{1} << sign_place));
  if (t.has_inf) {
    Value* payload =
        b_.CreateAnd(b_.CreateLShr(magnitude, C(mantissa - t.mantissa)), C((std::int64_t{1} << t.mantissa) - 1));
    code = select(is_nan, b_.CreateOr(payload, C((t.largest + 1) | std::int64_t{1} << (t.mantissa - 1))), code);
    code = b_.CreateOr(code, sign);
  } else if (t.has_nan) {
    code = b_.CreateOr(select(is_nan, C(t.all), code), sign);
  } else {
    code = select(is_nan, C(t.largest), b_.CreateOr(code, sign));
  }
  if (to == DType::f32) return as(b_.CreateTrunc(code, integer(it, 32)), floating(it, 32));
  return b_.CreateTrunc(code, integer(it, std::max(8, t.bits)));
}

// f32 or f64 to e8m0: the exponent, rounded. Random bits are for f64.
llvm::Value* Emitter::narrow_scale(Value* x, Rounding rounding, bool saturate, Value* random) {
  if (x->getType()->getScalarType()->isFloatTy()) {
    // The same exponents, but for 2^-127, which is subnormal in f32.
    llvm::Type* it = integer(x->getType(), 32);
    const auto C = [&](std::int64_t v) { return splat(it, v); };
    const bool nearest = rounding == Rounding::nearest_even;
    Value* bits = as(x, it);
    Value* magnitude = b_.CreateAnd(bits, C(INT32_MAX));
    Value* code = magnitude;
    if (nearest) {
      Value* odd = b_.CreateAnd(b_.CreateLShr(magnitude, C(23)), C(1));
      code = b_.CreateAdd(b_.CreateAdd(magnitude, C(0x3fffff)), odd);
    }
    code = b_.CreateLShr(code, C(23));
    // Below 2^-126 everything becomes 2^-127, or 2^-126 from above the middle of both.
    Value* least = C(0);
    if (nearest) least = b_.CreateZExt(b_.CreateICmpSGT(magnitude, C(0x600000)), it);
    code = select(b_.CreateICmpSLT(magnitude, C(0x800000)), least, code);
    const std::int64_t beyond = saturate ? 254 : 255;
    code = select(b_.CreateICmpSGT(code, C(254)), C(nearest ? beyond : 254), code);
    if (!nearest) code = select(b_.CreateICmpEQ(magnitude, C(0x7f800000)), C(beyond), code);
    Value* negative = b_.CreateAnd(b_.CreateICmpSLT(bits, C(0)), b_.CreateICmpNE(magnitude, C(0)));
    code = select(b_.CreateOr(negative, b_.CreateICmpSGT(magnitude, C(0x7f800000))), C(255), code);
    return b_.CreateTrunc(code, integer(it, 8));
  }
  llvm::Type* it = integer(x->getType(), 64);
  const auto C = [&](std::int64_t v) { return splat(it, v); };
  Value* bits = as(x, it);
  Value* magnitude = b_.CreateAnd(bits, C(INT64_MAX));
  Value* exponent = b_.CreateSub(b_.CreateLShr(magnitude, C(52)), C(1023 - 127));
  Value* fraction = b_.CreateAnd(magnitude, C((std::int64_t{1} << 52) - 1));
  Value* odd = b_.CreateICmpNE(b_.CreateAnd(exponent, C(1)), C(0));
  Value* code = b_.CreateAdd(exponent, b_.CreateZExt(rounds_up(fraction, C(52), odd, rounding, random), it));
  const std::int64_t beyond = saturate ? 254 : 255;
  code = select(b_.CreateICmpSGT(code, C(254)), C(rounding == Rounding::toward_zero ? 254 : beyond), code);
  Value* infinity = C(std::int64_t{0x7ff} << 52);
  code = select(b_.CreateICmpEQ(magnitude, infinity), C(beyond), code);
  code = select(b_.CreateICmpSLT(exponent, C(0)), C(0), code);
  Value* negative = b_.CreateAnd(b_.CreateICmpSLT(bits, C(0)), b_.CreateICmpNE(magnitude, C(0)));
  code = select(b_.CreateOr(negative, b_.CreateICmpUGT(magnitude, infinity)), C(255), code);
  return b_.CreateTrunc(code, integer(it, 8));
}

llvm::Value* Emitter::integer_to_float(Value* x, DType from, DType to, Rounding rounding, bool saturate,
                                       Value* random) {
  const bool sgn = info(from).is_signed_integer();
  const int bits = info(from).bits;
  const auto convert = [&](Value* v, int width) {
    llvm::Type* ft = floating(v->getType(), width);
    return sgn ? b_.CreateSIToFP(v, ft) : b_.CreateUIToFP(v, ft);
  };
  if (is_wide(to) && (rounding == Rounding::nearest_even || info(from).precision <= info(to).precision))
    return convert(x, info(to).bits);
  if (bits <= 16 && rounding != Rounding::stochastic)
    return narrow(convert(x, 32), DType::f32, to, rounding, saturate, random);
  if (bits <= 32) return narrow(convert(x, 64), DType::f64, to, rounding, saturate, random);
  // 64 bits: cut to the 53 that a double holds; the last of them says whether anything was cut off, so that rounding
  // once more is right for every type of fewer bits. Toward zero nothing has to be said.
  llvm::Type* it = x->getType();
  const auto C = [&](std::int64_t v) { return splat(it, v); };
  Value* negative = sgn ? b_.CreateICmpSLT(x, C(0)) : splat(integer(it, 1), 0);
  Value* magnitude = select(negative, b_.CreateNeg(x), x);
  Value* leading = b_.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, magnitude, b_.getFalse());
  Value* cut = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, b_.CreateSub(C(11), leading), C(0));
  Value* dropped = b_.CreateSub(b_.CreateShl(C(1), cut), C(1));
  Value* kept = b_.CreateAnd(magnitude, b_.CreateNot(dropped));
  if (rounding != Rounding::toward_zero) {
    Value* sticky = b_.CreateZExt(b_.CreateICmpNE(b_.CreateAnd(magnitude, dropped), C(0)), it);
    kept = b_.CreateOr(kept, b_.CreateShl(sticky, cut));
  }
  Value* wide = b_.CreateUIToFP(kept, floating(it, 64));
  wide = select(negative, b_.CreateFNeg(wide), wide);
  return to == DType::f64 ? wide : narrow(wide, DType::f64, to, rounding, saturate, random);
}

// f32 or f64 to integers. The usual cast is one intrinsic; the others take the significand apart.
llvm::Value* Emitter::float_to_integer(Value* x, DType from, DType to, Rounding rounding, bool saturate,
                                       Value* random) {
  const DTypeInfo& t = info(to);
  llvm::Type* ty = integer(x->getType(), std::max<int>(8, t.bits));
  if (saturate && rounding != Rounding::stochastic) {
    if (rounding == Rounding::nearest_even)
      x = round(loop::Op::round, x, {from, static_cast<std::uint16_t>(lanes_of(x)), -1});
    // Vectors: the intrinsic would go lane by lane. One instruction converts what is inside; the rest is put in after.
    const auto whole = [&]() -> Value* {
      llvm::Type* ft = x->getType();
      const int bits = std::max<int>(8, t.bits);
      if (lanes_of(x) == 1 || bits > 32)
        return b_.CreateIntrinsic(t.has_sign ? llvm::Intrinsic::fptosi_sat : llvm::Intrinsic::fptoui_sat, {ty, ft},
                                  {x});
      llvm::Type* it = integer(ft, 32);
      const double top = std::ldexp(1.0, t.has_sign ? bits - 1 : bits), low = t.has_sign ? -top : 0.0;
      const auto number = [&](double v) { return splat_float(ft, v); };
      if (bits < 32) {
        Value* y = select(b_.CreateFCmpORD(x, x), x, number(0));
        y = select(b_.CreateFCmpOGT(y, number(low)), y, number(low));
        y = select(b_.CreateFCmpOLT(y, number(top - 1)), y, number(top - 1));
        return b_.CreateTrunc(b_.CreateFPToSI(y, it), ty);
      }
      Value* above = b_.CreateFCmpOGE(x, number(top));
      if (t.has_sign) {
        Value* inside = b_.CreateAnd(b_.CreateFCmpOLT(x, number(top)), b_.CreateFCmpOGE(x, number(low)));
        Value* r = b_.CreateFPToSI(select(inside, x, number(0)), it);
        r = select(above, splat(it, INT32_MAX), r);
        return select(b_.CreateFCmpOLT(x, number(low)), splat(it, INT32_MIN), r);
      }
      // There is no unsigned conversion before AVX-512: the upper half of the range goes down by 2^31 and up again.
      Value* half = number(top / 2);
      Value* y = select(b_.CreateAnd(b_.CreateFCmpOGT(x, number(0)), b_.CreateFCmpOLT(x, number(top))), x, number(0));
      Value* large = b_.CreateFCmpOGE(y, half);
      Value* r = b_.CreateFPToSI(select(large, b_.CreateFSub(y, half), y), it);
      r = b_.CreateXor(r, select(large, splat(it, INT32_MIN), splat(it, 0)));
      return select(above, splat(it, -1), r);
    };
    if (t.bits >= 8) return whole();
    Value* byte = whole();
    if (!t.has_sign) return b_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, byte, splat(ty, 15));
    byte = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, byte, splat(ty, 7));
    return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, byte, splat(ty, -8));
  }
  if (from == DType::f32) x = b_.CreateFPExt(x, floating(x->getType(), 64));
  llvm::Type* it = integer(x->getType(), 64);
  const auto C = [&](std::int64_t v) { return splat(it, v); };
  Value* bits = as(x, it);
  Value* field = b_.CreateAnd(b_.CreateLShr(bits, C(52)), C(0x7ff));
  Value* mantissa = b_.CreateAnd(bits, C((std::int64_t{1} << 52) - 1));
  Value* significand = select(b_.CreateICmpEQ(field, C(0)), mantissa, b_.CreateOr(mantissa, C(std::int64_t{1} << 52)));
  Value* shift = b_.CreateSub(C(1075), field);  // to the right
  Value* to_left = b_.CreateSub(C(0), shift);
  Value* fractional = b_.CreateICmpSGT(shift, C(0));
  Value* kept = b_.CreateLShr(significand, b_.CreateAnd(shift, C(63)));
  kept = select(b_.CreateICmpUGE(shift, C(64)), C(0), kept);
  Value* odd = b_.CreateICmpNE(b_.CreateAnd(kept, C(1)), C(0));
  Value* up = rounds_up(significand, shift, odd, rounding, random);
  Value* whole = b_.CreateShl(significand, b_.CreateAnd(to_left, C(63)));
  whole = select(b_.CreateICmpUGE(to_left, C(64)), C(0), whole);
  Value* magnitude = select(fractional, b_.CreateAdd(kept, b_.CreateZExt(up, it)), whole);
  Value* negative = b_.CreateICmpSLT(bits, C(0));
  Value* special = b_.CreateICmpEQ(field, C(0x7ff));
  if (saturate) {
    const auto largest = static_cast<std::int64_t>(largest_bits(to));
    Value* limit = select(negative, C(t.has_sign ? static_cast<std::int64_t>(1ull << (t.bits - 1)) : 0), C(largest));
    Value* beyond = b_.CreateOr(b_.CreateICmpSGT(to_left, C(11)), b_.CreateICmpUGT(magnitude, limit));
    magnitude = select(beyond, limit, magnitude);
    Value* nan = b_.CreateAnd(special, b_.CreateICmpNE(mantissa, C(0)));
    magnitude = select(nan, C(0), magnitude);
  } else {
    magnitude = select(special, C(0), magnitude);
  }
  Value* value = select(negative, b_.CreateNeg(magnitude), magnitude);
  return wrap(t.bits == 64 ? value : b_.CreateTrunc(value, ty), to);
}

// ---- bits ----

llvm::Value* Emitter::to_storage(Value* x, DType t) {
  return t == DType::b8 ? b_.CreateZExt(x, integer(x->getType(), 8)) : x;
}

llvm::Value* Emitter::from_storage(Value* x, DType t) {
  if (t == DType::b8) return b_.CreateICmpNE(x, splat(x->getType(), 0));
  llvm::Type* ty = type(t, lanes_of(x));
  return x->getType() == ty ? x : as(x, ty);
}

llvm::Value* Emitter::to_bytes(Value* x, const loop::Type& t) {
  const int width = info(t.elem).bits, lanes = t.lanes;
  if (width >= 8) {
    Value* stored = to_storage(x, t.elem);
    const int bytes = lanes * width / 8;
    return as(stored, bytes == 1 ? static_cast<llvm::Type*>(b_.getInt8Ty())
                                 : llvm::FixedVectorType::get(b_.getInt8Ty(), static_cast<unsigned>(bytes)));
  }
  // Sub-byte lanes are gathered a byte at a time: byte k takes the lanes whose bits it holds.
  const int total = lanes * width;
  if (total % 8 != 0)
    throw Unsupported(fn_.loop->name + ": " + std::to_string(lanes) + " lanes of " + std::string(dtype_name(t.elem)) +
                      " fill no whole bytes");
  const int bytes = total / 8;
  Value* low = b_.CreateAnd(x, splat(x->getType(), (1 << width) - 1));
  if (width == 4 && bytes > 1) {  // a pair of lanes, as 16 bits, is one byte too wide in its middle
    auto* pairs = llvm::FixedVectorType::get(b_.getInt16Ty(), static_cast<unsigned>(bytes));
    Value* wide = as(low, pairs);
    return b_.CreateTrunc(b_.CreateOr(wide, b_.CreateLShr(wide, splat(pairs, 4))),
                          llvm::FixedVectorType::get(b_.getInt8Ty(), static_cast<unsigned>(bytes)));
  }
  Value* result = nullptr;
  const int parts = width == 4 ? 2 : 3;  // lanes that share a byte, at most
  for (int part = 0; part < parts; ++part) {
    std::vector<int> index;
    std::vector<llvm::Constant*> left, right;
    bool any = false;
    for (int k = 0; k < bytes; ++k) {
      const int lane = k * 8 / width + part, at = lane * width - k * 8;
      const bool inside = lane < lanes && at < 8;
      any = any || inside;
      index.push_back(inside ? lane : 0);
      // A lane that is not there shifts out: it has 6 bits at most.
      left.push_back(b_.getInt8(static_cast<std::uint8_t>(!inside ? 7 : std::max(at, 0))));
      right.push_back(b_.getInt8(static_cast<std::uint8_t>(!inside ? 7 : std::max(-at, 0))));
    }
    if (!any) continue;
    Value* picked = b_.CreateShuffleVector(low, index);
    picked = b_.CreateLShr(picked, llvm::ConstantVector::get(right));
    picked = b_.CreateShl(picked, llvm::ConstantVector::get(left));
    result = result ? b_.CreateOr(result, picked) : picked;
  }
  return bytes == 1 ? b_.CreateExtractElement(result, std::uint64_t{0}) : result;
}

llvm::Value* Emitter::from_bytes(Value* x, const loop::Type& t) {
  const int width = info(t.elem).bits, lanes = t.lanes;
  if (width >= 8) {
    llvm::Type* stored = t.elem == DType::b8 ? integer(type(t), 8) : type(t);
    return from_storage(as(x, stored), t.elem);
  }
  if (lanes == 1)
    throw Unsupported(fn_.loop->name + ": one lane of " + std::string(dtype_name(t.elem)) + " fills no byte");
  const int bytes = lanes * width / 8;
  if (bytes == 1) x = as(x, llvm::FixedVectorType::get(b_.getInt8Ty(), 1));
  if (width == 4) {  // each byte as 16 bits, its nibbles moved apart
    auto* pairs = llvm::FixedVectorType::get(b_.getInt16Ty(), static_cast<unsigned>(bytes));
    Value* wide = b_.CreateZExt(x, pairs);
    wide = b_.CreateAnd(b_.CreateOr(wide, b_.CreateShl(wide, splat(pairs, 4))), splat(pairs, 0x0f0f));
    Value* nibbles = as(wide, llvm::FixedVectorType::get(b_.getInt8Ty(), static_cast<unsigned>(lanes)));
    return t.elem == DType::i4 ? wrap(nibbles, t.elem) : nibbles;
  }
  std::vector<int> first, second;
  std::vector<llvm::Constant*> right, left;
  bool spans = false;
  for (int lane = 0; lane < lanes; ++lane) {
    const int bit = lane * width, over = bit % 8 + width - 8;  // bits in the next byte
    first.push_back(bit / 8);
    second.push_back(over > 0 ? bit / 8 + 1 : bit / 8);
    right.push_back(b_.getInt8(static_cast<std::uint8_t>(bit % 8)));
    left.push_back(b_.getInt8(static_cast<std::uint8_t>(over > 0 ? 8 - bit % 8 : 0)));
    spans = spans || over > 0;
  }
  Value* value = b_.CreateLShr(b_.CreateShuffleVector(x, first), llvm::ConstantVector::get(right));
  if (spans) {
    // A lane that lies in one byte takes that byte again, unshifted, and must not be changed by it: mask it out.
    std::vector<llvm::Constant*> used;
    for (int lane = 0; lane < lanes; ++lane)
      used.push_back(
          b_.getInt8(second[static_cast<std::size_t>(lane)] != first[static_cast<std::size_t>(lane)] ? 0xff : 0));
    Value* next = b_.CreateAnd(b_.CreateShuffleVector(x, second), llvm::ConstantVector::get(used));
    value = b_.CreateOr(value, b_.CreateShl(next, llvm::ConstantVector::get(left)));
  }
  return wrap(value, t.elem);
}

llvm::Value* Emitter::bitcast(Value* x, const loop::Type& from, const loop::Type& to) {
  const int have = info(from.elem).bits, want = info(to.elem).bits;
  if (have * from.lanes != want * to.lanes)
    throw Unsupported(fn_.loop->name + ": bitcast: its sides have other numbers of bits");
  if (have == want && have < 8) return wrap(x, to.elem);
  if (have == want && from.elem != DType::b8 && to.elem != DType::b8) return as(x, type(to));
  if (have >= 8 && want >= 8) {
    llvm::Type* stored = to.elem == DType::b8 ? integer(type(to), 8) : type(to);
    return from_storage(as(to_storage(x, from.elem), stored), to.elem);
  }
  return from_bytes(to_bytes(x, from), to);
}

}  // namespace jit::detail
TESSERA_END
