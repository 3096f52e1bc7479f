// Owns exp, exp2 and expm1: reduction to |r| ≤ ln 2 / 2, a polynomial, and a power of two made in the exponent field.
#pragma once

#include "jit/math/format.hpp"

TESSERA_BEGIN
namespace jit::math {
namespace detail {

/// x = n ln 2 + r with |r| ≤ ln 2 / 2 and a little; `first` is x less the first part of n ln 2, exactly; the low bits
/// of `bits` are n + offset.
template <Builder B>
struct Reduced {
  typename B::Value r, first, n, bits;
};

template <class F, Builder B>
Reduced<B> reduce_exp(B& b, typename B::Value x, int offset) {
  // Adding 1.5 × 2^mantissa leaves the nearest integer in the low bits, which need no conversion, and no rounding mode.
  auto magic = b.constant_f(F::magic + offset);
  auto t = mul_add(b, x, b.constant_f(F::log2_e), magic);
  auto n = b.sub(t, magic);
  auto first = mul_add(b, n, b.constant_f(-F::ln2_high), x);
  return {mul_add(b, n, b.constant_f(-F::ln2_low), first), first, n, b.float_bits(t)};
}

/// e^r for a reduced r.
template <class F, Builder B>
typename B::Value exp_of_reduced(B& b, typename B::Value r) {
  auto q = polynomial(b, r, F::exp);
  auto one = b.constant_f(1);
  if (b.has_fma()) return b.fma(r, b.fma(r, q, one), one);
  return one_plus(b, r, b.mul(b.mul(r, r), q));
}

/// e^r for a reduced r as a pair: about ten bits more than `exp_of_reduced`, but for the rounding of r itself.
template <class F, Builder B>
Pair<B> exp_pair_of_reduced(B& b, typename B::Value r) {
  auto sum = fast_two_sum(b, b.constant_f(1), r);
  return fast_two_sum(b, sum.high, mul_add(b, b.mul(r, r), polynomial(b, r, F::exp), sum.low));
}

/// 2^f for |f| ≤ ½.
template <class F, Builder B>
typename B::Value exp2_of_reduced(B& b, typename B::Value f) {
  if (b.has_fma()) return b.fma(f, polynomial(b, f, F::exp2), b.constant_f(1));
  auto q = polynomial(b, f, F::exp2, 1);
  return one_plus(b, b.mul(f, b.constant_f(F::exp2[0])), b.mul(b.mul(f, f), q));
}

/// The number 2^n, from bits whose low ones are n + bias; the sum must be a valid exponent field.
template <class F, Builder B>
typename B::Value power_of_two(B& b, typename B::Value biased) {
  return b.bits_float(b.shl(biased, F::mantissa));
}

/// p 2^n rounded once, whether the result is denormal, normal or too large; the low bits of `bits` are n + 2 bias.
template <class F, Builder B>
typename B::Value scale(B& b, typename B::Value p, typename B::Value bits) {
  auto half = b.shr(bits, 1);
  return b.mul(b.mul(p, power_of_two<F>(b, half)), power_of_two<F>(b, b.isub(bits, half)));
}

/// How far results of e^x for x ≤ 0 are held above their place, so that they are normal until the last multiplication.
inline constexpr int lift = 64;

}  // namespace detail

/// e^x within 1 ulp. e^−∞ = 0, e^∞ = ∞; denormal results are rounded once.
template <Builder B>
typename B::Value exp(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    x = b.max(b.constant_f(F::exp_low), b.min(b.constant_f(F::exp_high), x));
    auto reduced = detail::reduce_exp<F>(b, x, 2 * F::bias);
    return detail::scale<F>(b, detail::exp_of_reduced<F>(b, reduced.r), reduced.bits);
  });
}

/// e^x for x ≤ 0 or NaN (what softmax needs), as exact as `exp`, with fewer operations: 13 with FMA. It holds up to
/// x = 43; beyond, the result means nothing.
template <Builder B>
typename B::Value exp_nonpositive(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    x = b.max(b.constant_f(F::exp_low), x);
    auto reduced = detail::reduce_exp<F>(b, x, F::bias + detail::lift);
    auto s = detail::power_of_two<F>(b, reduced.bits);
    const double low = 0x1p-64;
    static_assert(detail::lift == 64);
    if (!b.has_fma()) return b.mul(b.mul(detail::exp_of_reduced<F>(b, reduced.r), s), b.constant_f(low));
    // The coefficients themselves bring the result down again: the last multiplication is the only one that may round
    // to a denormal.
    auto r = reduced.r, one = b.constant_f(low);
    auto q = detail::polynomial(b, r, F::exp, 0, low);
    return b.mul(b.fma(r, b.fma(r, q, one), one), s);
  });
}

/// 2^x within 1 ulp, exact where x is an integer.
template <Builder B>
typename B::Value exp2(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    x = b.max(b.constant_f(F::exp2_low), b.min(b.constant_f(F::exp2_high), x));
    auto magic = b.constant_f(F::magic + 2 * F::bias);
    auto t = b.add(x, magic);
    auto f = b.sub(x, b.sub(t, magic));
    return detail::scale<F>(b, detail::exp2_of_reduced<F>(b, f), b.float_bits(t));
  });
}

/// e^x − 1 within 1 ulp, also where x is small; −0 gives −0.
template <Builder B>
typename B::Value expm1(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    auto clamped = b.max(b.constant_f(F::expm1_low), b.min(b.constant_f(F::exp_high), x));
    auto reduced = detail::reduce_exp<F>(b, clamped, F::bias - 1);
    auto r = reduced.r;
    // What rounding took from r.
    auto lost_r = detail::mul_add(b, reduced.n, b.constant_f(-F::ln2_low), b.sub(reduced.first, r));
    auto tail = detail::mul_add(b, lost_r, r, lost_r);
    tail = detail::mul_add(b, b.mul(r, r), detail::polynomial(b, r, F::expm1), tail);
    // 2^n (1 + r + tail) − 1 = (2^n − 1) + 2^n r + 2^n tail, halved so that n may be one more than the largest
    // exponent.
    auto s = detail::power_of_two<F>(b, reduced.bits);
    auto half = b.constant_f(0.5);
    auto base = b.sub(s, half);
    auto lost = b.sub(b.sub(s, base), half);
    auto sum = detail::fast_two_sum(b, base, b.mul(s, r));
    auto y = b.add(sum.high, detail::mul_add(b, s, tail, b.add(sum.low, lost)));
    y = b.add(y, y);
    // Below 2^−mantissa/2 the square does not count, and halving would lose bits of a denormal; it also keeps −0.
    return b.select(b.lt(b.abs(x), b.constant_f(F::bits == 32 ? 0x1p-25 : 0x1p-54)), x, y);
  });
}

}  // namespace jit::math
TESSERA_END
