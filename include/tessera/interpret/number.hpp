// Owns single numbers: element words to and from C++ numbers, correctly rounded results, and unit roundoffs.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tessera/types/convert.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// How an element is held while the interpreter runs: integers sign- or zero-extended, b8 0 or 1, floats their bits.
using Word = std::uint64_t;

constexpr Word canonical(DType type, Word bits) {
  const DTypeInfo& t = info(type);
  if (t.is_boolean()) return (bits & 0xff) != 0;
  if (t.bits == 64) return bits;
  if (t.is_signed_integer()) {
    const int shift = 64 - t.bits;
    return static_cast<Word>(static_cast<std::int64_t>(bits << shift) >> shift);
  }
  return bits & ((Word{1} << t.bits) - 1);
}

/// Every value of a float type of 16 bits or fewer.
struct SmallFloats {
  std::array<float, 65536> value;
  explicit SmallFloats(DType type) {
    const std::size_t n = std::size_t{1} << info(type).bits;
    for (std::size_t i = 0; i < n; ++i) value[i] = static_cast<float>(to_double(type, i));
  }
};
inline const float* small_floats(DType type) {
  static const SmallFloats tables[] = {SmallFloats(DType::e2m1), SmallFloats(DType::e2m3), SmallFloats(DType::e3m2),
                                       SmallFloats(DType::e4m3), SmallFloats(DType::e5m2), SmallFloats(DType::e8m0),
                                       SmallFloats(DType::f16),  SmallFloats(DType::bf16)};
  return tables[static_cast<int>(type) - static_cast<int>(DType::e2m1)].value.data();
}
constexpr bool is_small_float(DType type) { return type >= DType::e2m1 && type <= DType::bf16; }

/// Float arithmetic in one type: `Number` is the C++ type that computes, `get` and `put` are exact and one rounding.
struct ArithmeticF32 {
  using Number = float;
  static float get(Word w) { return std::bit_cast<float>(static_cast<std::uint32_t>(w)); }
  static Word put(float x) { return std::bit_cast<std::uint32_t>(x); }
};
struct ArithmeticF64 {
  using Number = double;
  static double get(Word w) { return std::bit_cast<double>(w); }
  static Word put(double x) { return std::bit_cast<Word>(x); }
};
/// + − × ÷ √ of numbers of at most 11 bits, done in 53 and rounded, round once in effect: 53 ≥ 2·11 + 2.
struct ArithmeticSmall {
  using Number = double;
  DType type;
  const float* table;
  explicit ArithmeticSmall(DType t) : type(t), table(small_floats(t)) {}
  double get(Word w) const { return table[w & 0xffff]; }
  Word put(double x) const { return bits_from_double(type, x); }
};

/// Calls f(arithmetic) for a float type.
template <class F>
void with_arithmetic(DType type, F&& f) {
  if (type == DType::f32)
    f(ArithmeticF32{});
  else if (type == DType::f64)
    f(ArithmeticF64{});
  else
    f(ArithmeticSmall(type));
}

/// Any element as a double: exact but for i64 and u64, which round.
inline double number(DType type, Word w) {
  if (type == DType::f32) return ArithmeticF32::get(w);
  if (type == DType::f64) return ArithmeticF64::get(w);
  if (is_small_float(type)) return small_floats(type)[w & 0xffff];
  return type == DType::u64 ? static_cast<double>(w) : static_cast<double>(static_cast<std::int64_t>(w));
}

inline Word word_of(DType type, double value) { return canonical(type, bits_from_double(type, value)); }

/// a·b + c in f64 with the last bit set when inexact, so that a further rounding to fewer bits is correct.
inline double fma_to_odd(double a, double b, double c) {
  const double r = std::fma(a, b, c);
  if (!std::isfinite(r)) return r;
  const double p = a * b, p_low = std::fma(a, b, -p);  // exact: p + p_low
  const double s = p + c, t = s - p;
  const double s_low = (p - (s - t)) + (c - t);   // exact: s + s_low
  const double rest = (s - r) + (s_low + p_low);  // only its sign and its being 0 matter
  if (rest == 0 || (std::bit_cast<Word>(r) & 1) != 0) return r;
  return std::nextafter(r,
                        rest > 0 ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity());
}

/// a·b + c rounded once to f32. The product is exact in f64; rounding the f64 sum again is wrong at most where that sum
/// looks like a tie of f32, or is subnormal in f32: there the slow way is taken.
inline float fma_once(float a, float b, float c) {
#ifdef __FMA__
  return std::fma(a, b, c);
#else
  const double s = static_cast<double>(a) * b + c;
  if ((std::bit_cast<Word>(s) & 0x1fffffff) != 0x10000000 && !(std::fabs(s) < 2.4e-38)) return static_cast<float>(s);
  return std::fma(a, b, c);
#endif
}
inline double fma_once(double a, double b, double c) { return std::fma(a, b, c); }

/// a·b + c in a small type's own rounding, as the double to be put into it.
inline double fma_in(const ArithmeticSmall&, double a, double b, double c) { return fma_to_odd(a, b, c); }
inline float fma_in(ArithmeticF32, float a, float b, float c) { return fma_once(a, b, c); }
inline double fma_in(ArithmeticF64, double a, double b, double c) { return fma_once(a, b, c); }

/// What rounding to a float type may change: |x|·relative + absolute covers one unit in the last place of x.
struct Ulp {
  double relative = 0, absolute = 0;
  explicit Ulp(DType type) {
    const DTypeInfo& t = info(type);
    if (!t.is_floating()) return;
    relative = std::ldexp(1.0, 1 - t.precision);
    absolute = std::ldexp(1.0, t.min_exponent);
  }
  double operator()(double x) const { return std::fabs(x) * relative + absolute; }
};

}  // namespace interpreter
TESSERA_END
