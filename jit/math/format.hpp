// Owns the constants that differ between the two float formats: widths, limits, ln 2 in two parts, coefficient tables.
#pragma once

#include <cstdint>
#include <limits>

#include "jit/math/builder.hpp"
#include "jit/math/coefficients.hpp"

TESSERA_BEGIN
namespace jit::math::detail {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// IEEE binary32.
struct F32 {
  static constexpr int bits = 32, mantissa = 23, bias = 127;
  static constexpr double magic = 0x1.8p23;  ///< x + magic has round(x) in its low bits
  static constexpr double log2_e = 0x1.715476p+0, log2_e_low = 0x1.4ae0c0p-26;
  /// ln 2 = high + low; n high is exact for |n| < 2^9.
  static constexpr double ln2_high = 0x1.62e4p-1, ln2_low = 0x1.7f7d1cp-20;
  static constexpr double exp_low = -104.0, exp_high = 89.0;  ///< beyond: 0, infinity
  static constexpr double exp2_low = -151.0, exp2_high = 129.0;
  static constexpr double expm1_low = -18.0;  ///< beyond: −1
  static constexpr double least_normal = 0x1p-126;
  static constexpr double tanh_high = 10.0;
  static constexpr double erf_cut = 0.84375, erf_high = 4.0;
  static constexpr auto& exp = exp_f32;
  static constexpr auto& exp2 = exp2_f32;
  static constexpr auto& expm1 = expm1_f32;
  static constexpr auto& log = log_f32;
  static constexpr auto& log2 = log2_f32;
  static constexpr auto& tanh = tanh_f32;
  static constexpr auto& erf_small = erf_small_f32;
  static constexpr auto& erf_large = erf_large_f32;
  static constexpr auto& pow = pow_f32;
  static constexpr double pow0 = 0x1.715476p+1, pow0_low = 0x1.4ae0c0p-25;   ///< 2 log2 e
  static constexpr double pow1 = 0x1.ec709ep-1, pow1_low = -0x1.e2fe02p-28;  ///< its third
  static constexpr double exponent_limit = 0x1p36;  ///< any larger exponent takes every base but 1 to 0 or infinity
  static constexpr auto& sin = sin_f32;
  static constexpr auto& cos = cos_f32;
  static constexpr double half_pi = 0x1.921fb6p+0, half_pi_low = -0x1.777a5cp-25, quarter_pi = 0x1.921fb6p-1;
  static constexpr auto& range_start = range_start_f32;
  static constexpr auto& range_scale = range_scale_f32;
  static constexpr auto& two_over_pi = two_over_pi_f32;
};

/// IEEE binary64.
struct F64 {
  static constexpr int bits = 64, mantissa = 52, bias = 1023;
  static constexpr double magic = 0x1.8p52;
  static constexpr double log2_e = 0x1.71547652b82fep+0, log2_e_low = 0x1.777d0ffda0d24p-56;
  static constexpr double ln2_high = 0x1.62e42fefa38p-1, ln2_low = 0x1.ef35793c76730p-45;
  static constexpr double exp_low = -746.0, exp_high = 710.0;
  static constexpr double exp2_low = -1076.0, exp2_high = 1025.0;
  static constexpr double expm1_low = -39.0;
  static constexpr double least_normal = 0x1p-1022;
  static constexpr double tanh_high = 20.0;
  static constexpr double erf_cut = 0.84375, erf_high = 6.0;
  static constexpr auto& exp = exp_f64;
  static constexpr auto& exp2 = exp2_f64;
  static constexpr auto& expm1 = expm1_f64;
  static constexpr auto& log = log_f64;
  static constexpr auto& log2 = log2_f64;
  static constexpr auto& tanh = tanh_f64;
  static constexpr auto& erf_small = erf_small_f64;
  static constexpr auto& erf_large = erf_large_f64;
  static constexpr auto& pow = pow_f64;
  static constexpr double pow0 = 0x1.71547652b82fep+1, pow0_low = 0x1.777d0ffda0d24p-55;  ///< 2 log2 e
  static constexpr double pow1 = 0x1.ec709dc3a03fdp-1, pow1_low = 0x1.d27f05548af0cp-55;  ///< its third
  static constexpr double exponent_limit = 0x1p65;  ///< any larger exponent takes every base but 1 to 0 or infinity
  static constexpr auto& sin = sin_f64;
  static constexpr auto& cos = cos_f64;
  static constexpr double half_pi = 0x1.921fb54442d18p+0, half_pi_low = 0x1.1a62633145c07p-54,
                          quarter_pi = 0x1.921fb54442d18p-1;
  static constexpr auto& range_start = range_start_f64;
  static constexpr auto& range_scale = range_scale_f64;
  static constexpr auto& two_over_pi = two_over_pi_f64;
};

/// Calls `f` with the format of the builder.
template <Builder B, class Function>
typename B::Value with_format(B& b, Function f) {
  return b.bits() == 32 ? f(F32{}) : f(F64{});
}

/// The sign's place in an integer of the width of F.
template <class F>
inline constexpr std::int64_t sign_bit =
    F::bits == 32 ? std::int64_t{std::numeric_limits<std::int32_t>::min()} : std::numeric_limits<std::int64_t>::min();

/// The magnitude of `value` with the sign bit of `sign`; the value's own sign bit must be clear.
template <class F, Builder B>
typename B::Value with_sign_of(B& b, typename B::Value value, typename B::Value sign) {
  auto bit = b.bit_and(b.float_bits(sign), b.constant_i(sign_bit<F>));
  return b.bits_float(b.bit_or(b.float_bits(value), bit));
}

}  // namespace jit::math::detail
TESSERA_END
