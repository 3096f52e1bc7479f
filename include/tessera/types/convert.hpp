// Owns the exact conversions between element types, on bit patterns: one unpacking, one rounding, no intermediate type.
#pragma once

#include <bit>
#include <cstdint>

#include "tessera/types/dtype.hpp"

// What every conversion keeps to (LANGUAGE.md rule 11 where it speaks, decisions of this file where it does not):
//
//   bits       A value's bits are the low `info(type).bits` of a word; others are ignored on input and 0 on output.
//              Any b8 pattern but 0 is true; true is written as 1.
//   same type  is the identity, NaN payloads and infinities included, whatever is asked for.
//   NaN        into a type with NaN: sign kept, quiet bit set, leading payload bits kept, as processors do. e4m3 has
//              only S.1111.111, e8m0 only 0xff. Into e2m1, e2m3, e3m2, which have none: the largest value, positive
//              (as PTX defines). Into integers 0, into b8 true.
//   −0         keeps its sign between floats; 0 in integers; false in b8.
//   overflow   A value is rounded as if exponents had no limit; what then exceeds the largest finite value overflows.
//              Saturating: to the largest finite value, and so do infinities. Otherwise: to infinity, or to NaN where
//              there is none (e4m3, e8m0); toward zero gives the largest finite value, as IEEE 754 does, but
//              infinities remain. e2m1, e2m3, e3m2 always saturate, as they have neither.
//   e8m0       holds 2^-127 … 2^127 and NaN. What is below 2^-127 gives 2^-127 in every mode, ±0 too; what is
//              negative gives NaN, as no scale is meant by it. Ties go to the even bit pattern.
//   to integer Beyond the range: saturating clamps; otherwise it wraps, modulo 2^bits of the rounded value, and
//              infinities give 0.
//   to b8      x ≠ 0.
//   stochastic The magnitude rounds up exactly when floor(fraction × 2^64) + random carries out of 64 bits, `fraction`
//              being what is cut off in units of the last kept place. With k fraction bits this is adding the top k
//              bits of `random` below the last place and truncating. Who has fewer random bits puts them at the top.

TESSERA_BEGIN

/// How a conversion rounds. `standard` is the language's: nearest even, but toward zero from floats to integers.
enum class Rounding : std::uint8_t { standard, nearest_even, toward_zero, stochastic };

/// What a conversion does beyond the range. `standard` is the language's: floats of 8 bits and fewer saturate, wider
/// ones overflow; integers saturate from floats and wrap from integers. `overflow` is infinity or NaN, and wraps in
/// integers.
enum class Saturation : std::uint8_t { standard, saturate, overflow };

namespace detail {

enum class ValueClass : std::uint8_t { zero, finite, infinite, nan };

/// A value of any element type: ± significand × 2^exponent; of a NaN the significand is the payload, quiet bit topmost.
struct Unpacked {
  ValueClass value_class;
  bool negative;
  int exponent;
  std::uint64_t significand;
};

constexpr std::uint64_t low_mask(int bits) { return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1; }

/// Of a float type: the pattern of the largest finite value.
constexpr std::uint64_t largest_float_bits(const DTypeInfo& t) {
  const std::uint64_t all = low_mask(t.bits - (t.has_sign ? 1 : 0));
  if (t.has_inf) return (all >> t.mantissa_bits << t.mantissa_bits) - 1;
  return t.has_nan ? all - 1 : all;
}

constexpr std::uint64_t sign_bit(const DTypeInfo& t, bool negative) {
  return negative && t.has_sign ? std::uint64_t{1} << (t.bits - 1) : 0;
}

constexpr Unpacked unpack(const DTypeInfo& t, std::uint64_t bits) {
  bits &= low_mask(t.bits);
  Unpacked v{ValueClass::finite, false, 0, bits};
  if (!t.is_floating()) {
    if (t.is_boolean()) v.significand = bits != 0;
    if (t.is_signed_integer() && (bits >> (t.bits - 1)) != 0) {
      v.negative = true;
      v.significand = (0 - bits) & low_mask(t.bits);
    }
  } else {
    const std::uint64_t all = low_mask(t.bits - (t.has_sign ? 1 : 0)), code = bits & all;
    const std::uint64_t mantissa = code & low_mask(t.mantissa_bits);
    const int field = static_cast<int>(code >> t.mantissa_bits);
    v.negative = code != bits;
    if (t.has_inf && code > largest_float_bits(t)) {
      v.value_class = mantissa != 0 ? ValueClass::nan : ValueClass::infinite;
      v.significand = mantissa << (64 - t.mantissa_bits);
      return v;
    }
    if (t.has_nan && code > largest_float_bits(t)) return {ValueClass::nan, v.negative, 0, std::uint64_t{1} << 63};
    const bool normal = field != 0 || !t.has_zero;
    v.significand = mantissa | (normal ? std::uint64_t{1} << t.mantissa_bits : 0);
    v.exponent = normal ? field - t.bias - t.mantissa_bits : t.min_exponent;
  }
  if (v.significand == 0) v.value_class = ValueClass::zero;
  return v;
}

/// Whether to round up, away from zero, what a right shift by `shift` ≥ 1 cuts from `m`; `odd` is the kept last bit.
constexpr bool rounds_up(std::uint64_t m, int shift, bool odd, Rounding rounding, std::uint64_t random) {
  if (rounding == Rounding::toward_zero) return false;
  // The part cut off, × 2^64. What a shift beyond 64 drops of it is too small to matter: it is then below one half.
  const std::uint64_t fraction = shift <= 64 ? m << (64 - shift) : shift < 128 ? m >> (shift - 64) : 0;
  if (rounding == Rounding::stochastic) return random > ~fraction;
  constexpr std::uint64_t half = std::uint64_t{1} << 63;
  return fraction > half || (fraction == half && odd);
}

constexpr std::uint64_t pack_float(const DTypeInfo& t, const Unpacked& v, Rounding rounding, bool saturate,
                                   std::uint64_t random) {
  const std::uint64_t largest = largest_float_bits(t), sign = sign_bit(t, v.negative);
  const std::uint64_t all = low_mask(t.bits - (t.has_sign ? 1 : 0));
  if (v.value_class == ValueClass::nan) {
    if (!t.has_nan) return largest;
    if (!t.has_inf) return sign | all;
    const std::uint64_t quiet = std::uint64_t{1} << (t.mantissa_bits - 1);
    return sign | (largest + 1) | quiet | v.significand >> (64 - t.mantissa_bits);
  }
  if (v.value_class == ValueClass::zero) return sign;
  if (v.negative && !t.has_sign) return all;  // e8m0: NaN
  const std::uint64_t beyond = saturate || !t.has_nan ? sign | largest : sign | (t.has_inf ? largest + 1 : all);
  if (v.value_class == ValueClass::infinite) return beyond;

  const int leading = v.exponent + static_cast<int>(std::bit_width(v.significand)) - 1;
  const int least_normal = t.min_exponent + t.mantissa_bits;
  if (leading < least_normal && !t.has_zero) return 0;  // e8m0: 2^-127
  const std::uint64_t overflowed = rounding == Rounding::toward_zero ? sign | largest : beyond;
  if (leading > t.max_exponent) return overflowed;

  const int place = leading > least_normal ? leading : least_normal;  // what the exponent field stands for
  const int shift = place - t.mantissa_bits - v.exponent;
  const std::uint64_t kept = shift <= 0 ? v.significand << -shift : shift < 64 ? v.significand >> shift : 0;
  // A carry out of the mantissa moves into the exponent field, and out of the subnormals into the normals.
  std::uint64_t code =
      (static_cast<std::uint64_t>(place + t.bias) << t.mantissa_bits) + kept - (std::uint64_t{1} << t.mantissa_bits);
  if (shift > 0 && rounds_up(v.significand, shift, (code & 1) != 0, rounding, random)) ++code;
  return code > largest ? overflowed : sign | code;
}

constexpr std::uint64_t pack_integer(const DTypeInfo& t, const Unpacked& v, Rounding rounding, bool saturate,
                                     std::uint64_t random) {
  if (v.value_class == ValueClass::nan || v.value_class == ValueClass::zero) return 0;
  const std::uint64_t limit = !v.negative ? low_mask(t.precision) : t.has_sign ? std::uint64_t{1} << (t.bits - 1) : 0;
  std::uint64_t magnitude = 0;
  bool beyond = v.value_class == ValueClass::infinite;
  if (!beyond && v.exponent >= 0) {
    magnitude = v.exponent < 64 ? v.significand << v.exponent : 0;
    beyond = static_cast<int>(std::bit_width(v.significand)) + v.exponent > 64;
  } else if (!beyond) {
    const int shift = -v.exponent;
    magnitude = shift < 64 ? v.significand >> shift : 0;
    if (rounds_up(v.significand, shift, (magnitude & 1) != 0, rounding, random)) ++magnitude;
  }
  if (saturate && (beyond || magnitude > limit)) magnitude = limit;
  return (v.negative ? 0 - magnitude : magnitude) & low_mask(t.bits);
}

}  // namespace detail

/// Converts a value of `from`, given by its bits, into the bits of `to`: exact but for one rounding. The comment at the
/// top of this header defines it; `random` is read by stochastic rounding only.
constexpr std::uint64_t convert_bits(DType from, DType to, std::uint64_t bits, Rounding rounding = Rounding::standard,
                                     Saturation saturation = Saturation::standard, std::uint64_t random = 0) {
  const DTypeInfo &f = info(from), &t = info(to);
  if (from == to && !f.is_boolean()) return bits & detail::low_mask(f.bits);
  const detail::Unpacked v = detail::unpack(f, bits);
  if (t.is_boolean()) return v.value_class != detail::ValueClass::zero;
  if (t.is_floating()) {
    const bool saturate = saturation == Saturation::standard ? t.bits <= 8 : saturation == Saturation::saturate;
    return detail::pack_float(t, v, rounding == Rounding::standard ? Rounding::nearest_even : rounding, saturate,
                              random);
  }
  const bool saturate = saturation == Saturation::standard ? f.is_floating() : saturation == Saturation::saturate;
  return detail::pack_integer(t, v, rounding == Rounding::standard ? Rounding::toward_zero : rounding, saturate,
                              random);
}

/// The value as a double: exact for every type but i64 and u64, which round to nearest even.
constexpr double to_double(DType type, std::uint64_t bits) {
  if (type == DType::f64) return std::bit_cast<double>(bits);
  if (!std::is_constant_evaluated()) {
    if (type == DType::f32) return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    // The common cases once more, faster: integers, and normal values of narrow floats, whose fields only move.
    const DTypeInfo& t = info(type);
    if (t.is_signed_integer())
      return static_cast<double>(static_cast<std::int64_t>(bits << (64 - t.bits)) >> (64 - t.bits));
    if (t.is_unsigned_integer()) return static_cast<double>(bits & detail::low_mask(t.bits));
    const std::uint64_t code = bits & detail::low_mask(t.bits - (t.has_sign ? 1 : 0));
    const std::uint64_t field = code >> t.mantissa_bits;
    if (t.is_floating() && field != 0 && code <= detail::largest_float_bits(t)) {
      const std::uint64_t sign = t.has_sign ? bits >> (t.bits - 1) << 63 : 0;
      const std::uint64_t mantissa = (code & detail::low_mask(t.mantissa_bits)) << (52 - t.mantissa_bits);
      return std::bit_cast<double>(sign | (field + static_cast<std::uint64_t>(1023 - t.bias)) << 52 | mantissa);
    }
  }
  return std::bit_cast<double>(convert_bits(type, DType::f64, bits));
}

/// The bits of `value` in `type`.
constexpr std::uint64_t bits_from_double(DType type, double value, Rounding rounding = Rounding::standard,
                                         Saturation saturation = Saturation::standard, std::uint64_t random = 0) {
  if (!std::is_constant_evaluated()) {
    if (type == DType::f32 && rounding <= Rounding::nearest_even && saturation != Saturation::saturate)
      return std::bit_cast<std::uint32_t>(static_cast<float>(value));
    const DTypeInfo& t = info(type);
    if (t.is_integer() && t.precision < 64 && rounding == Rounding::standard && saturation != Saturation::overflow &&
        value > -0x1p63 && value < 0x1p63) {
      const std::int64_t highest = static_cast<std::int64_t>(detail::low_mask(t.precision));
      const std::int64_t lowest = t.has_sign ? -highest - 1 : 0, whole = static_cast<std::int64_t>(value);
      const std::int64_t clamped = whole < lowest ? lowest : whole > highest ? highest : whole;
      return static_cast<std::uint64_t>(clamped) & detail::low_mask(t.bits);
    }
  }
  return convert_bits(DType::f64, type, std::bit_cast<std::uint64_t>(value), rounding, saturation, random);
}

/// The value as an i64, by the language's `cast<i64>`: integers exactly (u64 wraps), floats truncated and saturated.
constexpr std::int64_t to_int64(DType type, std::uint64_t bits) {
  return static_cast<std::int64_t>(convert_bits(type, DType::i64, bits));
}

/// The bits of `value` in `type`, by the language's `cast`: wraps in narrower integers.
constexpr std::uint64_t bits_from_int64(DType type, std::int64_t value) {
  return convert_bits(DType::i64, type, static_cast<std::uint64_t>(value));
}

/// The largest finite value: 448 for e4m3, 127 for i8, true for b8.
constexpr std::uint64_t largest_bits(DType type) {
  const DTypeInfo& t = info(type);
  return t.is_floating() ? detail::largest_float_bits(t) : detail::low_mask(t.precision);
}

/// The lowest finite value: −448 for e4m3, −128 for i8, 0 for unsigned integers, 2^-127 for e8m0.
constexpr std::uint64_t lowest_bits(DType type) {
  const DTypeInfo& t = info(type);
  if (!t.has_sign) return 0;
  return detail::sign_bit(t, true) | (t.is_floating() ? detail::largest_float_bits(t) : 0);
}

/// The maximum of nothing (LANGUAGE.md rule 4): −∞, or the lowest value where there is no infinity.
constexpr std::uint64_t max_identity_bits(DType type) {
  return info(type).has_inf ? lowest_bits(type) + 1 : lowest_bits(type);
}

/// The minimum of nothing (LANGUAGE.md rule 4): +∞, or the highest value where there is no infinity.
constexpr std::uint64_t min_identity_bits(DType type) {
  return info(type).has_inf ? largest_bits(type) + 1 : largest_bits(type);
}

/// Whether the bits are a NaN of `type`.
constexpr bool is_nan_bits(DType type, std::uint64_t bits) {
  return detail::unpack(info(type), bits).value_class == detail::ValueClass::nan;
}

/// The type's quiet NaN; of a type without NaN, what a NaN becomes in it: its largest value, 0 in integers, true in b8.
constexpr std::uint64_t nan_bits(DType type) { return convert_bits(DType::f64, type, std::uint64_t{0x7ff8} << 48); }

TESSERA_END
