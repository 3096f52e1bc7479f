// Owns erf: a polynomial near 0, and 1 − e^−g(x) with a polynomial g further out.
#pragma once

#include "jit/math/exp.hpp"

TESSERA_BEGIN
namespace jit::math {

/// Gauss's error function within 1 ulp; odd, −0 gives −0.
template <Builder B>
typename B::Value erf(B& b, typename B::Value x) {
  return detail::with_format(b, [&]<class F>(F) {
    auto a = b.abs(x);
    auto small = detail::mul_add(b, a, detail::polynomial(b, b.mul(a, a), F::erf_small), a);
    auto c = b.min(b.constant_f(F::erf_high), a);
    auto q = detail::polynomial(b, c, F::erf_large);
    // g = c + c q; what its rounding took is given back to the reduced argument, for e^−g would show it.
    auto g = detail::mul_add(b, c, q, c);
    auto lost = detail::mul_add(b, c, q, b.sub(c, g));
    auto reduced = detail::reduce_exp<F>(b, b.neg(g), F::bias);
    auto p = detail::exp_of_reduced<F>(b, b.sub(reduced.r, lost));
    auto large = b.sub(b.constant_f(1), b.mul(p, detail::power_of_two<F>(b, reduced.bits)));
    return detail::with_sign_of<F>(b, b.select(b.lt(a, b.constant_f(F::erf_cut)), small, large), x);
  });
}

}  // namespace jit::math
TESSERA_END
