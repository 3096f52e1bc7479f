// Owns what the mathematical functions ask of a builder, and the small steps that they share.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit::math {

/// What the functions of this folder are written over: something that makes values, in a compiler's IR or in plain C++.
///
/// A builder works at one float format, of `bits()` (32 or 64) bits, and one number of lanes. A Value is a float of
/// that format, an integer of the same width, or a mask; each operation below takes and gives the kinds that its
/// comment says, so that a typed IR needs no conversions beyond `float_bits`, `bits_float` and `to_float`. Every float
/// operation rounds once, to nearest even, keeps denormals, and must not be contracted with another one.
///
/// - `min(a, b)` is a < b ? a : b and `max(a, b)` is a > b ? a : b: b when either is NaN (one instruction on x86).
/// - Comparisons of floats give false for NaN; `ne` alone gives true. There are no signed zeros among integers.
/// - Shift counts are known, 0 ≤ count < bits(). Integer arithmetic wraps.
/// - `has_fma()`: `fma` is one fast instruction that rounds once. Where false, `fma` is never called.
template <class B>
concept Builder = requires(B b, typename B::Value v, double d, std::int64_t i, int n) {
  { b.bits() } -> std::convertible_to<int>;
  { b.has_fma() } -> std::convertible_to<bool>;
  { b.constant_f(d) } -> std::same_as<typename B::Value>;  // float, splatted; d is exact in the format
  { b.constant_i(i) } -> std::same_as<typename B::Value>;  // integer, splatted
  { b.add(v, v) } -> std::same_as<typename B::Value>;      // floats from here …
  { b.sub(v, v) } -> std::same_as<typename B::Value>;
  { b.mul(v, v) } -> std::same_as<typename B::Value>;
  { b.div(v, v) } -> std::same_as<typename B::Value>;
  { b.fma(v, v, v) } -> std::same_as<typename B::Value>;
  { b.neg(v) } -> std::same_as<typename B::Value>;
  { b.abs(v) } -> std::same_as<typename B::Value>;
  { b.sqrt(v) } -> std::same_as<typename B::Value>;
  { b.min(v, v) } -> std::same_as<typename B::Value>;
  { b.max(v, v) } -> std::same_as<typename B::Value>;
  { b.round_even(v) } -> std::same_as<typename B::Value>;  // … to here
  { b.lt(v, v) } -> std::same_as<typename B::Value>;       // floats to mask
  { b.le(v, v) } -> std::same_as<typename B::Value>;
  { b.eq(v, v) } -> std::same_as<typename B::Value>;
  { b.ne(v, v) } -> std::same_as<typename B::Value>;
  { b.select(v, v, v) } -> std::same_as<typename B::Value>;  // mask, then two floats or two integers
  { b.mask_and(v, v) } -> std::same_as<typename B::Value>;   // masks
  { b.mask_or(v, v) } -> std::same_as<typename B::Value>;
  { b.iadd(v, v) } -> std::same_as<typename B::Value>;  // integers from here …
  { b.isub(v, v) } -> std::same_as<typename B::Value>;
  { b.bit_and(v, v) } -> std::same_as<typename B::Value>;
  { b.bit_or(v, v) } -> std::same_as<typename B::Value>;
  { b.bit_xor(v, v) } -> std::same_as<typename B::Value>;
  { b.shl(v, n) } -> std::same_as<typename B::Value>;
  { b.shr(v, n) } -> std::same_as<typename B::Value>;  // logical
  { b.sar(v, n) } -> std::same_as<typename B::Value>;  // arithmetic … to here
  { b.ilt(v, v) } -> std::same_as<typename B::Value>;  // signed integers to mask
  { b.ieq(v, v) } -> std::same_as<typename B::Value>;
  { b.float_bits(v) } -> std::same_as<typename B::Value>;  // float to integer, bit for bit
  { b.bits_float(v) } -> std::same_as<typename B::Value>;
  { b.to_float(v) } -> std::same_as<typename B::Value>;  // signed integer below 2^23 (2^51) in size to float
};

namespace detail {

/// x y + z where the error of rounding x y does no harm: one rounding with FMA, two without.
template <Builder B>
typename B::Value mul_add(B& b, typename B::Value x, typename B::Value y, typename B::Value z) {
  return b.has_fma() ? b.fma(x, y, z) : b.add(b.mul(x, y), z);
}

/// (c[first] + c[first + 1] x + …) unit by Horner's rule, where `unit` is a power of two.
template <Builder B, std::size_t N>
typename B::Value polynomial(B& b, typename B::Value x, const double (&c)[N], std::size_t first = 0, double unit = 1) {
  typename B::Value p = b.constant_f(c[N - 1] * unit);
  for (std::size_t k = N - 1; k-- > first;) p = mul_add(b, p, x, b.constant_f(c[k] * unit));
  return p;
}

/// The error of a product: x y − p where p is x y rounded, exact unless it is denormal. Without FMA by Veltkamp's and
/// Dekker's splitting, done on the bits so that nothing overflows that x y does not.
template <Builder B>
typename B::Value product_error(B& b, typename B::Value x, typename B::Value y, typename B::Value p) {
  if (b.has_fma()) return b.fma(x, y, b.neg(p));
  // Both halves have at most 12 (26) significant bits, so that their products are exact, and so is each sum.
  const bool single = b.bits() == 32;
  const std::int64_t keep = single ? ~std::int64_t{0xFFF} : ~std::int64_t{0x7FFFFFF};
  const auto upper = [&](typename B::Value v) {
    auto bits = b.float_bits(v);
    if (!single) bits = b.iadd(bits, b.constant_i(0x4000000));  // 53 is odd: to nearest, so that the lower half has 26
    return b.bits_float(b.bit_and(bits, b.constant_i(keep)));
  };
  auto xh = upper(x), yh = upper(y);
  auto xl = b.sub(x, xh), yl = b.sub(y, yh);
  auto e = b.sub(b.mul(xh, yh), p);
  e = b.add(e, b.mul(xh, yl));
  e = b.add(e, b.mul(xl, yh));
  return b.add(e, b.mul(xl, yl));
}

/// z − x y where z is close to x y (the remainder of a division), exact or nearly so.
template <Builder B>
typename B::Value remainder(B& b, typename B::Value z, typename B::Value x, typename B::Value y) {
  if (b.has_fma()) return b.fma(b.neg(x), y, z);
  auto p = b.mul(x, y);
  return b.sub(b.sub(z, p), product_error(b, x, y, p));
}

/// An unevaluated sum of two floats, the second below half a last place of the first.
template <Builder B>
struct Pair {
  typename B::Value high, low;
};

/// x + y exactly, where |x| ≥ |y| or x is 0.
template <Builder B>
Pair<B> fast_two_sum(B& b, typename B::Value x, typename B::Value y) {
  auto s = b.add(x, y);
  return {s, b.sub(y, b.sub(s, x))};
}

/// x + y exactly.
template <Builder B>
Pair<B> two_sum(B& b, typename B::Value x, typename B::Value y) {
  auto s = b.add(x, y);
  auto t = b.sub(s, x);
  return {s, b.add(b.sub(x, b.sub(s, t)), b.sub(y, t))};
}

/// 1 + x + small, where |x| ≤ ½ and `small` is small beside it, with one rounding of consequence.
template <Builder B>
typename B::Value one_plus(B& b, typename B::Value x, typename B::Value small) {
  auto sum = fast_two_sum(b, b.constant_f(1), x);
  return b.add(sum.high, b.add(sum.low, small));
}

/// x y exactly (in the absence of underflow).
template <Builder B>
Pair<B> two_product(B& b, typename B::Value x, typename B::Value y) {
  auto p = b.mul(x, y);
  return {p, product_error(b, x, y, p)};
}

}  // namespace detail
}  // namespace jit::math
TESSERA_END
