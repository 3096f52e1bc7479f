// Owns pow: 2^(y log2 |x|) with the logarithm and the product as pairs, and the many special cases of IEEE 754.
#pragma once

#include "jit/math/exp.hpp"
#include "jit/math/log.hpp"

TESSERA_BEGIN
namespace jit::math {
namespace detail {

/// log2 x of a positive finite x with ten bits more than the format has.
template <class F, Builder B>
Pair<B> log2_pair(B& b, typename B::Value x) {
  // From s = f / (2 + f): log2(1 + f) = s (c0 + c1 s² + …), where only the first two terms need to be pairs.
  auto split = split_mantissa<F>(b, x, F::bits == 32 ? 0x3F3504F3 : 0x3FE6A09E667F3BCD);  // from √½ to √2
  auto f = split.f;
  auto d = fast_two_sum(b, b.constant_f(2), f);
  auto inverse = b.div(b.constant_f(1), d.high);
  auto s = b.mul(f, inverse);
  auto s_low = b.mul(mul_add(b, b.neg(s), d.low, remainder(b, f, s, d.high)), inverse);
  auto square = two_product(b, s, s);
  auto square_low = mul_add(b, b.add(s, s), s_low, square.low);
  auto u = square.high;
  auto second = two_product(b, u, b.constant_f(F::pow1));
  auto second_low = mul_add(b, square_low, b.constant_f(F::pow1), second.low);
  second_low = mul_add(b, u, b.constant_f(F::pow1_low), second_low);
  second_low = mul_add(b, b.mul(u, u), polynomial(b, u, F::pow), second_low);
  auto w = fast_two_sum(b, b.constant_f(F::pow0), second.high);
  auto w_low = b.add(w.low, b.add(second_low, b.constant_f(F::pow0_low)));
  auto v = two_product(b, s, w.high);
  auto v_low = mul_add(b, s_low, w.high, mul_add(b, s, w_low, v.low));
  auto sum = fast_two_sum(b, split.e, v.high);
  return fast_two_sum(b, sum.high, b.add(sum.low, v_low));
}

}  // namespace detail

/// x to the power y within 1 ulp; special cases as IEEE 754 has them: pow(x, 0) = pow(1, y) = 1 even for NaN; negative
/// x with y that is no integer gives NaN; zero and infinite x and y give limits, with the sign of x where y is odd.
template <Builder B>
typename B::Value pow(B& b, typename B::Value x, typename B::Value y) {
  return detail::with_format(b, [&]<class F>(F) {
    auto zero = b.constant_f(0), one = b.constant_f(1), infinite = b.constant_f(detail::infinity);
    auto a = b.abs(x);
    auto log = detail::log2_pair<F>(b, a);
    auto limit = b.constant_f(F::exponent_limit);
    auto factor = b.max(b.neg(limit), b.min(limit, y));
    auto product = detail::two_product(b, factor, log.high);
    auto low = detail::mul_add(b, factor, log.low, product.low);
    // Far out the result is 0 or infinity whatever the lower part is.
    auto z = b.max(b.constant_f(F::exp2_low - 1), b.min(b.constant_f(F::exp2_high + 1), product.high));
    low = b.max(b.constant_f(-1), b.min(one, low));
    auto magic = b.constant_f(F::magic + 2 * F::bias);
    auto t = b.add(z, magic);
    auto sum = detail::two_sum(b, b.sub(z, b.sub(t, magic)), low);
    auto f = sum.high;
    // 2^f = 1 + c0 f + f² (…), the first terms exactly.
    auto linear = detail::two_product(b, f, b.constant_f(F::exp2[0]));
    auto small = detail::mul_add(b, sum.low, b.constant_f(F::exp2[0]), linear.low);
    small = detail::mul_add(b, b.mul(f, f), detail::polynomial(b, f, F::exp2, 1), small);
    auto result = detail::scale<F>(b, detail::one_plus(b, linear.high, small), b.float_bits(t));

    auto y_negative = b.lt(y, zero);
    result = b.select(b.eq(a, zero), b.select(y_negative, infinite, zero), result);
    result = b.select(b.eq(a, infinite), b.select(y_negative, zero, infinite), result);
    auto half = b.mul(y, b.constant_f(0.5));
    auto fraction = b.ne(b.round_even(y), y);
    result =
        b.select(b.mask_and(b.mask_and(b.lt(x, zero), b.lt(a, infinite)), fraction), b.constant_f(detail::nan), result);
    // An odd integer: y is whole and its half is not. (Halving the smallest float rounds, but that is a fraction
    // anyhow.)
    auto halves = b.select(fraction, zero, half);
    auto odd = b.ne(b.round_even(halves), halves);
    auto sign = b.select(odd, b.bit_and(b.float_bits(x), b.constant_i(detail::sign_bit<F>)), b.constant_i(0));
    result = b.bits_float(b.bit_xor(b.float_bits(result), sign));
    result = b.select(b.mask_or(b.ne(x, x), b.ne(y, y)), b.add(x, y), result);
    return b.select(b.mask_or(b.eq(y, zero), b.eq(x, one)), one, result);
  });
}

}  // namespace jit::math
TESSERA_END
