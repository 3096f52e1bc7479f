// Owns what the tests call an error of one ulp of f64, against a true value in MPFR.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tessera_test {

/// A number of 160 bits, freed at the end.
struct Wide {
  mpfr_t value;
  Wide() { mpfr_init2(value, 160); }
  ~Wide() { mpfr_clear(value); }
  Wide(const Wide&) = delete;
  Wide& operator=(const Wide&) = delete;
};

/// As `ulp_error` of ulp.hpp, for f64 and a true value in MPFR.
inline double ulp_error_wide(double y, const mpfr_t exact) {
  const double inf = std::numeric_limits<double>::infinity();
  if (mpfr_nan_p(exact) || std::isnan(y)) return mpfr_nan_p(exact) && std::isnan(y) ? 0 : inf;
  if (mpfr_inf_p(exact) || (mpfr_regular_p(exact) && mpfr_get_exp(exact) > 1024))
    return std::isinf(y) && std::signbit(y) == (mpfr_signbit(exact) != 0) ? 0 : inf;
  if (std::isinf(y)) return std::fabs(mpfr_get_d(exact, MPFR_RNDN)) > std::numeric_limits<double>::max() ? 1 : inf;
  Wide difference;
  mpfr_sub_d(difference.value, exact, y, MPFR_RNDN);
  const long e = mpfr_regular_p(exact) ? std::max<long>(mpfr_get_exp(exact) - 1, -1022) : -1022;
  mpfr_mul_2si(difference.value, difference.value, 52 - e, MPFR_RNDN);
  return std::fabs(mpfr_get_d(difference.value, MPFR_RNDN));
}

}  // namespace tessera_test
