// Owns sin, cos and tan of every float: a reduction by as many bits of 2/π as the largest argument needs, without a
// table.
#pragma once

#include <cstddef>
#include <iterator>

#include "jit/math/format.hpp"

TESSERA_BEGIN
namespace jit::math {
namespace detail {

/// An angle of at most π/4, and a little, as a pair, and the number of quarter turns taken away, an integer below 16 in
/// size.
template <Builder B>
struct Angle {
  Pair<B> angle;
  typename B::Value turns;
};

/// v less the nearest multiple of 4: what counts of a number of quarter turns.
template <Builder B>
typename B::Value modulo_four(B& b, typename B::Value v) {
  return mul_add(b, b.round_even(b.mul(v, b.constant_f(0.25))), b.constant_f(-4), v);
}

/// x = turns π/2 + angle, of x ≥ 0, to about 2^−(bits + 8) of the angle for every float.
///
/// The product of x and 2/π is wanted modulo 4 and with many bits after the point. Bits of 2/π that give multiples of 4
/// with any float of a range of exponents are left out of that range's chunks, so that five chunks suffice for each
/// range.
template <class F, Builder B>
Angle<B> reduce_angle(B& b, typename B::Value x) {
  using Value = typename B::Value;
  constexpr std::size_t ranges = std::size(F::range_start);
  Value scale = b.constant_f(1);
  Value chunk[5];
  for (std::size_t k = 0; k < 5; ++k) chunk[k] = b.constant_f(F::two_over_pi[0][k]);
  for (std::size_t j = 1; j < ranges; ++j) {
    const Value below = b.lt(x, b.constant_f(F::range_start[j]));
    if (F::range_scale[j] != F::range_scale[j - 1]) scale = b.select(below, scale, b.constant_f(F::range_scale[j]));
    for (std::size_t k = 0; k < 5; ++k) chunk[k] = b.select(below, chunk[k], b.constant_f(F::two_over_pi[j][k]));
  }
  const Value scaled = b.mul(x, scale);
  Pair<B> product[4];
  for (std::size_t k = 0; k < 4; ++k) product[k] = two_product(b, scaled, chunk[k]);
  // The first five terms may be large; the others are below 2^−10 by the widths of the ranges.
  Value terms[] = {modulo_four(b, product[0].high),
                   modulo_four(b, product[0].low),
                   modulo_four(b, product[1].high),
                   modulo_four(b, product[1].low),
                   modulo_four(b, product[2].high),
                   product[2].low,
                   product[3].high};
  constexpr std::size_t count = std::size(terms);
  Value rough = terms[0];
  for (std::size_t k = 1; k < 5; ++k) rough = b.add(rough, terms[k]);
  const Value turns = b.round_even(rough);
  terms[0] = b.sub(terms[0], turns);  // exact
  // The sum cancels when x is close to a quarter turn: its rounding errors are summed exactly too, and theirs plainly.
  Value tail = mul_add(b, scaled, chunk[4], product[3].low);
  Value sum = terms[0], errors[count - 1];
  for (std::size_t k = 1; k < count; ++k) {
    const auto s = two_sum(b, sum, terms[k]);
    sum = s.high;
    errors[k - 1] = s.low;
  }
  Value low = errors[0];
  for (std::size_t k = 1; k + 1 < count; ++k) {
    const auto s = two_sum(b, low, errors[k]);
    low = s.high;
    tail = b.add(tail, s.low);
  }
  const auto head = two_sum(b, sum, low);
  const auto part = fast_two_sum(b, head.high, b.add(head.low, tail));
  // Quarter turns to radians.
  const Value half_pi = b.constant_f(F::half_pi);
  const auto radians = two_product(b, part.high, half_pi);
  const Value rest = mul_add(b, part.high, b.constant_f(F::half_pi_low), mul_add(b, part.low, half_pi, radians.low));
  // Small arguments are their own angle, exactly.
  const Value small = b.le(x, b.constant_f(F::quarter_pi)), zero = b.constant_f(0);
  return {{b.select(small, x, radians.high), b.select(small, zero, rest)}, b.select(small, zero, turns)};
}

/// sin of a reduced angle, as a pair.
template <class F, Builder B>
Pair<B> sin_of_reduced(B& b, const Pair<B>& r, typename B::Value square) {
  auto cubic = b.mul(b.mul(r.high, square), polynomial(b, square, F::sin));
  auto slope = mul_add(b, b.mul(square, b.constant_f(-0.5)), r.low, r.low);
  return fast_two_sum(b, r.high, b.add(cubic, slope));
}

/// cos of a reduced angle, as a pair.
template <class F, Builder B>
Pair<B> cos_of_reduced(B& b, const Pair<B>& r, typename B::Value square) {
  // The square's own rounding error counts: 1 − square / 2 is near ½ at the end of the interval.
  auto lost = product_error(b, r.high, r.high, square);
  auto head = fast_two_sum(b, b.constant_f(1), b.mul(square, b.constant_f(-0.5)));
  auto low = mul_add(b, lost, b.constant_f(-0.5), head.low);
  low = mul_add(b, b.neg(r.high), r.low, low);
  low = mul_add(b, b.mul(square, square), polynomial(b, square, F::cos), low);
  return fast_two_sum(b, head.high, low);
}

/// Bits of `turns`, two's complement in the low ones.
template <class F, Builder B>
typename B::Value turn_bits(B& b, typename B::Value turns) {
  return b.float_bits(b.add(turns, b.constant_f(F::magic)));
}

/// sin where `offset` is 0, cos where it is 1, of |x|: the quarter turns choose the function and the sign.
template <class F, Builder B>
typename B::Value sin_or_cos(B& b, typename B::Value x, int offset) {
  auto reduced = reduce_angle<F>(b, b.abs(x));
  auto square = b.mul(reduced.angle.high, reduced.angle.high);
  auto s = sin_of_reduced<F>(b, reduced.angle, square);
  auto c = cos_of_reduced<F>(b, reduced.angle, square);
  auto bits = turn_bits<F>(b, reduced.turns);
  if (offset != 0) bits = b.iadd(bits, b.constant_i(offset));
  auto odd = b.ieq(b.bit_and(bits, b.constant_i(1)), b.constant_i(1));
  auto y = b.select(odd, c.high, s.high);
  // The second bit, moved to the sign's place, negates.
  auto sign = b.shl(b.bit_and(bits, b.constant_i(2)), F::bits - 2);
  return b.bits_float(b.bit_xor(b.float_bits(y), sign));
}

}  // namespace detail

/// Sine within 1 ulp, of every float; −0 gives −0, ±∞ NaN.
template <Builder B>
typename B::Value sin(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    auto y = detail::sin_or_cos<F>(b, x, 0);
    auto sign = b.bit_and(b.float_bits(x), b.constant_i(detail::sign_bit<F>));
    return b.bits_float(b.bit_xor(b.float_bits(y), sign));
  });
}

/// Cosine within 1 ulp, of every float; ±∞ gives NaN.
template <Builder B>
typename B::Value cos(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) { return detail::sin_or_cos<F>(b, x, 1); });
}

/// Tangent within 1 ulp, of every float; −0 gives −0, ±∞ NaN.
template <Builder B>
typename B::Value tan(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    auto reduced = detail::reduce_angle<F>(b, b.abs(x));
    auto square = b.mul(reduced.angle.high, reduced.angle.high);
    auto s = detail::sin_of_reduced<F>(b, reduced.angle, square);
    auto c = detail::cos_of_reduced<F>(b, reduced.angle, square);
    auto bits = detail::turn_bits<F>(b, reduced.turns);
    auto odd = b.ieq(b.bit_and(bits, b.constant_i(1)), b.constant_i(1));
    // sin / cos, or −cos / sin; the quotient is corrected by what the pairs and the division lost.
    auto top = b.select(odd, c.high, s.high), top_low = b.select(odd, c.low, s.low);
    auto under = b.select(odd, s.high, c.high), under_low = b.select(odd, s.low, c.low);
    auto inverse = b.div(b.constant_f(1), under);
    auto q = b.mul(top, inverse);
    auto error = b.add(detail::remainder(b, top, q, under), top_low);
    error = detail::mul_add(b, b.neg(q), under_low, error);
    auto y = detail::mul_add(b, error, inverse, q);
    auto sign = b.bit_xor(b.shl(bits, F::bits - 1), b.bit_and(b.float_bits(x), b.constant_i(detail::sign_bit<F>)));
    return b.bits_float(b.bit_xor(b.float_bits(y), sign));
  });
}

}  // namespace jit::math
TESSERA_END
