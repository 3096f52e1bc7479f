// Owns what the tests call an error of one ulp.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace tessera_test {

/// The error of an f32 result `y` against the true value `exact`, in units in the last place of the true value:
/// |y − exact| / ulp(exact), where ulp(exact) = 2^(max(e, −126) − 23) for 2^e ≤ |exact| < 2^(e+1): the distance of the
/// floats around it. A correctly rounded result has at most 0.5. Infinity counts as 2^128, and so does a true value
/// beyond: an infinite result is therefore at most 1 off where the true value rounds to the largest float. NaN matches
/// NaN only. `exact` comes from double arithmetic: its own error adds less than 10^-7.
inline double ulp_error(float y, double exact) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  if (std::isnan(exact) || std::isnan(y)) return std::isnan(exact) && std::isnan(y) ? 0 : inf;
  const double limit = 0x1p128;
  const double want = std::clamp(exact, -limit, limit);
  const double have = std::clamp(static_cast<double>(y), -limit, limit);
  if (have == want) return 0;
  const double size = std::max(std::fabs(want), 0x1p-126);
  const auto e = std::min<std::uint64_t>(std::bit_cast<std::uint64_t>(size) >> 52, 1023 + 127);  // biased
  return std::fabs(have - want) * std::bit_cast<double>((std::uint64_t{2 * 1023 + 23} - e) << 52);
}

}  // namespace tessera_test
