// Owns a plain definition of element types and conversions, by tables of values, independent of include/tessera/types.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "tessera/types/convert.hpp"

namespace reference {

using tessera::DType;
using tessera::Rounding;
using tessera::Saturation;

/// Holds every value of every element type exactly, and the midpoints of all but f64 and the 64-bit integers.
using Real = long double;
static_assert(std::numeric_limits<Real>::digits >= 64 && std::numeric_limits<Real>::max_exponent > 1100);

inline const std::vector<DType> all_types = {
    DType::b8,   DType::i4,   DType::u4,   DType::i8,  DType::u8,   DType::i16,  DType::u16,
    DType::i32,  DType::u32,  DType::i64,  DType::u64, DType::e2m1, DType::e2m3, DType::e3m2,
    DType::e4m3, DType::e5m2, DType::e8m0, DType::f16, DType::bf16, DType::f32,  DType::f64};

/// Facts on a type, written down apart from the library's table.
struct Facts {
  int bits = 0, exponent = 0, mantissa = 0;  // of a float
  bool integer = false, is_signed = false, infinity = false, nan = false;
};

inline Facts facts(DType t) {
  switch (t) {
    case DType::b8:
      return {8, 0, 0, false, false, false, false};
    case DType::i4:
      return {4, 0, 0, true, true, false, false};
    case DType::u4:
      return {4, 0, 0, true, false, false, false};
    case DType::i8:
      return {8, 0, 0, true, true, false, false};
    case DType::u8:
      return {8, 0, 0, true, false, false, false};
    case DType::i16:
      return {16, 0, 0, true, true, false, false};
    case DType::u16:
      return {16, 0, 0, true, false, false, false};
    case DType::i32:
      return {32, 0, 0, true, true, false, false};
    case DType::u32:
      return {32, 0, 0, true, false, false, false};
    case DType::i64:
      return {64, 0, 0, true, true, false, false};
    case DType::u64:
      return {64, 0, 0, true, false, false, false};
    case DType::e2m1:
      return {4, 2, 1, false, true, false, false};
    case DType::e2m3:
      return {6, 2, 3, false, true, false, false};
    case DType::e3m2:
      return {6, 3, 2, false, true, false, false};
    case DType::e4m3:
      return {8, 4, 3, false, true, false, true};
    case DType::e5m2:
      return {8, 5, 2, false, true, true, true};
    case DType::e8m0:
      return {8, 8, 0, false, false, false, true};
    case DType::f16:
      return {16, 5, 10, false, true, true, true};
    case DType::bf16:
      return {16, 8, 7, false, true, true, true};
    case DType::f32:
      return {32, 8, 23, false, true, true, true};
    case DType::f64:
      return {64, 11, 52, false, true, true, true};
  }
  return {};
}

inline bool is_float(DType t) { return facts(t).exponent != 0; }

inline Real decode(DType t, std::uint64_t bits) {
  const Real nan = std::numeric_limits<Real>::quiet_NaN(), infinity = std::numeric_limits<Real>::infinity();
  const Facts f = facts(t);
  switch (t) {
    case DType::b8:
      return bits != 0 ? 1 : 0;
    case DType::f32: {
      const auto word = static_cast<std::uint32_t>(bits);
      float value;
      std::memcpy(&value, &word, 4);
      return value;
    }
    case DType::f64: {
      double value;
      std::memcpy(&value, &bits, 8);
      return value;
    }
    case DType::e8m0:
      return bits == 255 ? nan : std::ldexp(Real{1}, static_cast<int>(bits) - 127);
    default:
      break;
  }
  if (f.integer) {
    const Real value = static_cast<Real>(bits);
    return f.is_signed && value >= std::ldexp(Real{1}, f.bits - 1) ? value - std::ldexp(Real{1}, f.bits) : value;
  }
  const int bias = (1 << (f.exponent - 1)) - 1, top = (1 << f.exponent) - 1;
  const int m = static_cast<int>(bits) & ((1 << f.mantissa) - 1), e = static_cast<int>(bits >> f.mantissa) & top;
  const Real sign = (bits >> (f.bits - 1)) != 0 ? -1 : 1;
  if (f.infinity && e == top) return m == 0 ? sign * infinity : nan;
  if (f.nan && e == top && m == (1 << f.mantissa) - 1) return nan;
  const Real scale = std::ldexp(Real{1}, (e == 0 ? 1 : e) - bias - f.mantissa);
  return sign * scale * static_cast<Real>(m + (e == 0 ? 0 : 1 << f.mantissa));
}

/// The finite values of a float type that are not negative, ascending, with their bits; then the first value beyond.
struct Table {
  std::vector<Real> values;
  std::vector<std::uint64_t> bits;
  Real beyond = 0;
};

inline const Table& table(DType t) {
  static std::map<DType, Table> tables;
  Table& out = tables[t];
  if (!out.values.empty()) return out;
  const Facts f = facts(t);
  for (std::uint64_t code = 0; code < (std::uint64_t{1} << (f.bits - (f.is_signed ? 1 : 0))); ++code) {
    const Real value = decode(t, code);
    if (!std::isfinite(value)) continue;
    out.values.push_back(value);
    out.bits.push_back(code);
  }
  const std::size_t n = out.values.size();
  out.beyond = t == DType::e8m0 ? 2 * out.values[n - 1] : 2 * out.values[n - 1] - out.values[n - 2];
  return out;
}

/// Of a magnitude between neighbours `low` and `high`: whether it goes to `high`. `low_even`: the pattern of low is
/// even.
inline bool goes_up(Real x, Real low, Real high, bool low_even, Rounding rounding, std::uint64_t random) {
  if (x == low || rounding == Rounding::toward_zero) return false;
  if (rounding == Rounding::stochastic) {
    const Real fraction = std::floor(std::ldexp((x - low) / (high - low), 64));
    return fraction + static_cast<Real>(random) >= std::ldexp(Real{1}, 64) ||
           static_cast<std::uint64_t>(fraction) + random < random;  // the first sum may have been rounded down
  }
  const Real twice = (x - low) * 2;  // exact: x has at most 64 significant bits, low cuts off the upper ones
  return twice > high - low || (twice == high - low && !low_even);
}

/// The finite magnitude x ≥ 0 in a float type of at most 16 bits, or -1 where it overflows.
inline std::int64_t round_to_table(DType t, Real x, Rounding rounding, std::uint64_t random) {
  const Table& tab = table(t);
  const std::size_t n = tab.values.size();
  const std::size_t at =
      static_cast<std::size_t>(std::upper_bound(tab.values.begin(), tab.values.end(), x) - tab.values.begin());
  if (at == 0) return static_cast<std::int64_t>(tab.bits[0]);  // below everything: e8m0
  const Real low = tab.values[at - 1], high = at == n ? tab.beyond : tab.values[at];
  if (x >= tab.beyond) return -1;
  const bool up = goes_up(x, low, high, tab.bits[at - 1] % 2 == 0, rounding, random);
  if (up && at == n) return -1;
  return static_cast<std::int64_t>(tab.bits[up ? at : at - 1]);
}

inline std::uint64_t wrap(Real x, int bits) {  // x is whole
  const Real modulus = std::ldexp(Real{1}, bits);
  Real rest = std::fmod(x, modulus);
  if (rest < 0) rest += modulus;
  return static_cast<std::uint64_t>(rest);
}

inline std::uint64_t to_integer(DType t, Real x, Rounding rounding, bool saturate, std::uint64_t random) {
  const Facts f = facts(t);
  if (std::isnan(x)) return 0;
  const Real low = f.is_signed ? -std::ldexp(Real{1}, f.bits - 1) : 0;
  const Real high = std::ldexp(Real{1}, f.is_signed ? f.bits - 1 : f.bits) - 1;
  if (std::isinf(x)) return saturate ? wrap(x < 0 ? low : high, f.bits) : 0;
  Real whole = std::floor(std::fabs(x));
  if (goes_up(std::fabs(x), whole, whole + 1, std::fmod(whole, 2) == 0, rounding, random)) whole += 1;
  if (x < 0) whole = -whole;
  if (saturate) whole = std::min(std::max(whole, low), high);
  return wrap(whole, f.bits);
}

/// A conversion as the comment of convert.hpp defines it; NaN results are those of `is_nan` with any bits. Targets f32
/// and f64 are not covered here.
inline std::uint64_t convert(DType from, DType to, std::uint64_t bits, Rounding rounding, Saturation saturation,
                             std::uint64_t random) {
  const Facts f = facts(to);
  const Real x = decode(from, bits);
  if (from == to) return from == DType::b8 ? x != 0 : bits;
  if (to == DType::b8) return x != 0;
  if (f.integer) {
    const bool saturate = saturation == Saturation::standard ? is_float(from) : saturation == Saturation::saturate;
    return to_integer(to, x, rounding == Rounding::standard ? Rounding::toward_zero : rounding, saturate, random);
  }
  if (rounding == Rounding::standard) rounding = Rounding::nearest_even;
  const bool saturate = saturation == Saturation::standard ? f.bits <= 8 : saturation == Saturation::saturate;
  const std::uint64_t largest = table(to).bits.back(),
                      infinity_or_nan = f.infinity ? largest + 1 : std::uint64_t{255} >> f.is_signed;
  if (std::isnan(x)) return f.nan ? infinity_or_nan + f.infinity : largest;
  if (to == DType::e8m0 && x < 0) return 255;
  const std::uint64_t sign = f.is_signed && std::signbit(x) ? std::uint64_t{1} << (f.bits - 1) : 0;
  if (std::isinf(x)) return sign | (saturate || !f.nan ? largest : infinity_or_nan);
  const std::int64_t code = round_to_table(to, std::fabs(x), rounding, random);
  if (code >= 0) return sign | static_cast<std::uint64_t>(code);
  return sign | (saturate || !f.nan || rounding == Rounding::toward_zero ? largest : infinity_or_nan);
}

inline bool is_nan(DType t, std::uint64_t bits) { return is_float(t) && std::isnan(decode(t, bits)); }

inline bool same(DType t, std::uint64_t a, std::uint64_t b) { return a == b || (is_nan(t, a) && is_nan(t, b)); }

inline std::string describe(DType from, DType to, std::uint64_t bits) {
  return std::string(tessera::dtype_name(from)) + " " + std::to_string(bits) + " to " +
         std::string(tessera::dtype_name(to));
}

/// A cheap sequence of 64-bit words (SplitMix64).
struct Random {
  std::uint64_t state;
  std::uint64_t operator()() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
};

}  // namespace reference
