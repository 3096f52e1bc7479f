// Owns tanh and sigmoid, which divide by 1 + e^x.
#pragma once

#include "jit/math/exp.hpp"

TESSERA_BEGIN
namespace jit::math {

/// Hyperbolic tangent within 1 ulp; odd, −0 gives −0.
template <Builder B>
typename B::Value tanh(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    auto a = b.abs(x);
    auto one = b.constant_f(1);
    // Small: x + x³ q(x²).
    auto u = b.mul(a, a);
    auto small = detail::mul_add(b, b.mul(a, u), detail::polynomial(b, u, F::tanh), a);
    // Large: 1 − 2 / (e^2a + 1), whose second term may be a little wrong when it is below a quarter.
    auto c = b.min(b.constant_f(F::tanh_high), a);
    auto reduced = detail::reduce_exp<F>(b, b.add(c, c), F::bias);
    auto scaled = detail::power_of_two<F>(b, reduced.bits);
    auto two = b.constant_f(2);
    typename B::Value large;
    if (b.has_fma()) {
      large = b.sub(one, b.div(two, b.fma(detail::exp_of_reduced<F>(b, reduced.r), scaled, one)));
    } else {  // more roundings: what the sums lose is made good, to first order
      auto p = detail::exp_pair_of_reduced<F>(b, reduced.r);
      auto d = detail::fast_two_sum(b, b.mul(p.high, scaled), one);
      auto lost = b.add(d.low, b.mul(p.low, scaled));
      auto t = b.div(two, d.high);
      auto sum = detail::fast_two_sum(b, one, b.neg(t));
      large = b.add(sum.high, b.add(sum.low, b.mul(b.mul(t, t), b.mul(lost, b.constant_f(0.5)))));
    }
    return detail::with_sign_of<F>(b, b.select(b.lt(a, b.constant_f(b.has_fma() ? 1 : 0.6875)), small, large), x);
  });
}

/// 1 / (1 + e^−x) within 1 ulp, to the denormal results of x near exp's lower limit.
template <Builder B>
typename B::Value sigmoid(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    // Above the first bound 1 is the nearest float. The divisor is held down by 2^−lift, so that it never overflows.
    x = b.max(b.constant_f(F::exp_low), b.min(b.constant_f(F::bits == 32 ? 18 : 40), x));
    auto reduced = detail::reduce_exp<F>(b, b.neg(x), F::bias - detail::lift);
    auto r = reduced.r;
    auto s = detail::power_of_two<F>(b, reduced.bits);
    auto m = detail::mul_add(b, b.mul(r, r), detail::polynomial(b, r, F::exp), r);
    auto one = b.constant_f(1), unit = b.constant_f(0x1p-64);
    // 1 + 2^n + 2^n m as a pair.
    auto base = b.add(unit, s);
    auto lost = b.sub(unit, b.sub(base, s));
    auto high = detail::mul_add(b, s, m, base);
    auto low = b.add(detail::mul_add(b, s, m, b.sub(base, high)), lost);
    // One step of Newton's rule on the quotient takes both the rounding of the division and the pair's lower half.
    auto q = b.div(one, high);
    auto error = detail::remainder(b, one, q, high);
    error = detail::mul_add(b, b.neg(q), low, error);
    return b.mul(detail::mul_add(b, q, error, q), unit);
  });
}

}  // namespace jit::math
TESSERA_END
