// Owns the functions of fast numerics: within 4 ulp, with fewer operations than those within 1.
#pragma once

#include "jit/math/exp.hpp"
#include "jit/math/trig.hpp"

TESSERA_BEGIN
namespace jit::math::fast {

/// 1 / sqrt(x): two roundings.
template <Builder B>
typename B::Value rsqrt(B& b, typename B::Value x) {
  return b.div(b.constant_f(1), b.sqrt(x));
}

/// 1 / (1 + e^−x), below 0 as e^x / (1 + e^x): nothing overflows, denormal results are rounded twice.
template <Builder B>
typename B::Value sigmoid(B& b, typename B::Value x) {
  auto one = b.constant_f(1), e = exp_nonpositive(b, b.neg(b.abs(x)));
  auto top = b.select(b.lt(x, b.constant_f(0)), e, one);
  return b.div(top, b.add(one, e));
}

/// |x| below which sin, cos and tan here hold, in f32 with FMA; beyond they mean nothing.
inline constexpr double trigonometry_limit = 0x1p13;

namespace detail {

/// x less quarter turns, of which `bits` has the number in its low bits.
template <Builder B>
struct Turned {
  typename B::Value angle, bits;
};

/// By π/2 in three parts (Cody and Waite): the first product leaves an exact difference, the last changes little.
template <Builder B>
Turned<B> turn(B& b, typename B::Value x) {
  auto magic = b.constant_f(0x1.8p23);
  auto t = b.fma(x, b.constant_f(0x1.45f306p-1), magic);
  auto n = b.sub(t, magic);
  auto r = b.fma(n, b.constant_f(-0x1.921fb6p+0), x);
  r = b.fma(n, b.constant_f(0x1.777a5cp-25), r);
  r = b.fma(n, b.constant_f(0x1.ee59dap-50), r);
  return {r, b.float_bits(t)};
}

template <Builder B>
typename B::Value sine(B& b, typename B::Value r, typename B::Value square) {
  return b.fma(b.mul(r, square), math::detail::polynomial(b, square, math::detail::F32::sin), r);
}

/// 1 + u (u q − ½): the inner sum is small, so that only the outer one's rounding counts.
template <Builder B>
typename B::Value cosine(B& b, typename B::Value square) {
  auto slope = b.fma(square, math::detail::polynomial(b, square, math::detail::F32::cos), b.constant_f(-0.5));
  return b.fma(square, slope, b.constant_f(1));
}

template <Builder B>
typename B::Value sin_or_cos(B& b, typename B::Value x, int offset) {
  auto turned = turn(b, x);
  auto square = b.mul(turned.angle, turned.angle);
  auto bits = offset != 0 ? b.iadd(turned.bits, b.constant_i(offset)) : turned.bits;
  auto odd = b.ieq(b.bit_and(bits, b.constant_i(1)), b.constant_i(1));
  auto y = b.select(odd, cosine(b, square), sine(b, turned.angle, square));
  auto sign = b.shl(b.bit_and(bits, b.constant_i(2)), 30);
  return b.bits_float(b.bit_xor(b.float_bits(y), sign));
}

/// Where x is so small that it is its own sine and tangent: there −0 stays −0.
template <Builder B>
typename B::Value is_small(B& b, typename B::Value x) {
  return b.lt(b.abs(x), b.constant_f(0x1p-12));
}

}  // namespace detail

template <Builder B>
typename B::Value sin(B& b, typename B::Value x) {
  return b.select(detail::is_small(b, x), x, detail::sin_or_cos(b, x, 0));
}
template <Builder B>
typename B::Value cos(B& b, typename B::Value x) {
  return detail::sin_or_cos(b, x, 1);
}
template <Builder B>
typename B::Value tan(B& b, typename B::Value x) {
  auto turned = detail::turn(b, x);
  auto square = b.mul(turned.angle, turned.angle);
  auto s = detail::sine(b, turned.angle, square), c = detail::cosine(b, square);
  auto odd = b.ieq(b.bit_and(turned.bits, b.constant_i(1)), b.constant_i(1));
  auto y = b.div(b.select(odd, c, s), b.select(odd, s, c));
  auto z = b.bits_float(b.bit_xor(b.float_bits(y), b.shl(turned.bits, 31)));
  return b.select(detail::is_small(b, x), x, z);
}

}  // namespace jit::math::fast
TESSERA_END
