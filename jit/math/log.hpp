// Owns log, log2 and log1p: a mantissa in [⅔, 4/3), a polynomial around 1, and the exponent's share added in two parts.
#pragma once

#include "jit/math/format.hpp"

TESSERA_BEGIN
namespace jit::math {
namespace detail {

/// x = 2^e (1 + f) of a positive finite x, denormal ones too; e is a float.
template <Builder B>
struct Split {
  typename B::Value f, e;
};

/// The bits of ⅔: mantissas from there to 4/3 keep |f| least, and the polynomials short.
template <class F>
inline constexpr std::int64_t two_thirds = F::bits == 32 ? 0x3F2AAAAB : 0x3FE5555555555555;

/// With 1 + f in [least, 2 least), `least` given by its bits.
template <class F, Builder B>
Split<B> split_mantissa(B& b, typename B::Value x, std::int64_t least = two_thirds<F>) {
  constexpr double up = F::bits == 32 ? 0x1p24 : 0x1p53;
  auto small = b.lt(x, b.constant_f(F::least_normal));
  auto bits = b.float_bits(b.select(small, b.mul(x, b.constant_f(up)), x));
  auto above = b.isub(bits, b.constant_i(least));
  auto exponent = b.sar(above, F::mantissa);
  auto m = b.bits_float(b.isub(bits, b.shl(exponent, F::mantissa)));
  auto shift = b.select(small, b.constant_i(F::mantissa + 1), b.constant_i(0));
  return {b.sub(m, b.constant_f(1)), b.to_float(b.isub(exponent, shift))};
}

/// f² q(f) + low, for the logarithms' polynomials.
template <Builder B, std::size_t N>
typename B::Value add_square_times(B& b, typename B::Value f, const double (&q)[N], typename B::Value low) {
  auto square = b.mul(f, f);
  if (b.has_fma()) return b.fma(square, polynomial(b, f, q), low);
  // The last sum of Horner's rule as a pair: its rounding would show.
  auto head = fast_two_sum(b, b.constant_f(q[0]), b.mul(f, polynomial(b, f, q, 1)));
  return b.add(b.mul(square, head.high), b.add(low, b.mul(square, head.low)));
}

/// Puts right what the general path does not: log of 0 is −∞, of a negative number NaN, of ∞ and NaN themselves.
template <Builder B>
typename B::Value log_special(B& b, typename B::Value x, typename B::Value y) {
  auto zero = b.constant_f(0);
  y = b.select(b.lt(x, b.constant_f(infinity)), y, x);
  y = b.select(b.lt(x, zero), b.constant_f(nan), y);
  return b.select(b.eq(x, zero), b.constant_f(-infinity), y);
}

}  // namespace detail

/// Natural logarithm within 1 ulp; log(±0) = −∞, of negative numbers NaN.
template <Builder B>
typename B::Value log(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    auto s = detail::split_mantissa<F>(b, x);
    auto sum = detail::fast_two_sum(b, b.mul(s.e, b.constant_f(F::ln2_high)), s.f);
    auto low = detail::mul_add(b, s.e, b.constant_f(F::ln2_low), sum.low);
    low = detail::add_square_times(b, s.f, F::log, low);
    return detail::log_special(b, x, b.add(sum.high, low));
  });
}

/// Logarithm to base 2 within 1 ulp, exact for powers of two.
template <Builder B>
typename B::Value log2(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    auto s = detail::split_mantissa<F>(b, x);
    // f log2 e in two parts, and the rest.
    auto main = detail::two_product(b, s.f, b.constant_f(F::log2_e));
    auto sum = detail::fast_two_sum(b, s.e, main.high);
    auto low = detail::mul_add(b, s.f, b.constant_f(F::log2_e_low), b.add(main.low, sum.low));
    low = detail::add_square_times(b, s.f, F::log2, low);
    return detail::log_special(b, x, b.add(sum.high, low));
  });
}

/// log(1 + x) within 1 ulp, also where x is small; −0 gives −0, −1 gives −∞.
template <Builder B>
typename B::Value log1p(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    auto one = b.constant_f(1);
    auto u = b.add(x, one);
    // 1 + x = u + lost exactly, whichever is larger.
    auto back = b.sub(u, one);
    auto lost = b.add(b.sub(x, back), b.sub(one, b.sub(u, back)));
    constexpr std::int64_t two_bits = F::bits == 32 ? 0x40000000 : 0x4000000000000000;
    auto bits = b.float_bits(u);
    auto field = b.shl(b.sar(b.isub(bits, b.constant_i(detail::two_thirds<F>)), F::mantissa), F::mantissa);
    auto e = b.to_float(b.sar(field, F::mantissa));
    // Scaled by 2^−e, exactly: f + g = (1 + x) 2^−e − 1. The scale is made twice as large, so that the largest e gives
    // 0 and not a negative exponent; g does not count there.
    auto f = b.sub(b.bits_float(b.isub(bits, field)), one);
    auto g = b.mul(b.mul(lost, b.constant_f(0.5)), b.bits_float(b.isub(b.constant_i(two_bits), field)));
    auto sum = detail::fast_two_sum(b, b.mul(e, b.constant_f(F::ln2_high)), f);
    // g / (1 + f), of which the first terms suffice; the factor 0.875 stands for those left out.
    auto slope = detail::mul_add(b, f, b.constant_f(0.875), b.constant_f(-1));
    auto low = detail::mul_add(b, g, detail::mul_add(b, f, slope, one), sum.low);
    low = detail::mul_add(b, e, b.constant_f(F::ln2_low), low);
    low = detail::add_square_times(b, f, F::log, low);
    auto y = b.add(sum.high, low);
    y = detail::log_special(b, u, y);
    return b.select(b.lt(b.abs(x), b.constant_f(F::bits == 32 ? 0x1p-25 : 0x1p-54)), x, y);
  });
}

}  // namespace jit::math
TESSERA_END
