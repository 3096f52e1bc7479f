// Owns rsqrt: 1 / sqrt(x), whose two roundings alone could be 1.5 units off, corrected once.
#pragma once

#include "jit/math/format.hpp"

TESSERA_BEGIN
namespace jit::math {

/// 1 / sqrt(x) within 1 ulp; rsqrt(±0) = ±∞, rsqrt(∞) = 0, of negative numbers NaN.
template <Builder B>
typename B::Value rsqrt(B& b, typename B::Value x) {
  auto one = b.constant_f(1);
  auto y = b.div(one, b.sqrt(x));
  // One step of Newton's rule, y + y (1 − x y²) / 2; x y is neither too small nor too large for any x.
  auto u = detail::two_product(b, x, y);
  auto error = detail::mul_add(b, b.neg(u.low), y, detail::remainder(b, one, u.high, y));
  auto better = detail::mul_add(b, b.mul(y, b.constant_f(0.5)), error, y);
  // At 0 and infinity the step gives NaN.
  return b.select(b.eq(better, better), better, y);
}

}  // namespace jit::math
TESSERA_END
