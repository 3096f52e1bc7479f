// Owns how error bounds pass through elementwise operations.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "tessera/interpret/math.hpp"
#include "tessera/interpret/report.hpp"
#include "tessera/version.hpp"

// A bound E of a value v promises: every legal evaluation gives a value within v ± E. Legal are fused multiply-add,
// functions (exp, erf …) within one unit in the last place of the true value (in fast numerics four), free order where
// the language leaves it free. Operations that are exact or correctly rounded give equal results from equal operands,
// so exact operands have exact results; once an operand is inexact, its error passes on by the function's slope (or its
// values at both ends), and the result may round differently: one more unit. An infinite bound means that nothing is
// promised.

TESSERA_BEGIN
namespace interpreter {

/// The bound of a zero that may have either sign, as max(-0, +0) has: the number is exact, but rsqrt and a division by
/// it tell the two apart.
inline constexpr double either_zero = std::numeric_limits<double>::denorm_min();

/// Whether a and b are zeros of different signs.
inline bool are_both_zeros(double a, double b) { return a == 0 && b == 0 && std::signbit(a) != std::signbit(b); }

/// An operation's operands and result as doubles, with the bounds of the operands.
struct Inexact {
  ir::Op op;
  DType type;  ///< of the result
  Ulp ulp;     ///< of the result's type
  bool slack;  ///< every rounding counts, even of exact operands
  double x[3] = {}, e[3] = {};
  double result = 0;
  int function_units = 1;  ///< Options::function_units
};

inline double product_error(double a, double ea, double b, double eb) {
  double e = 0;
  if (eb > 0) e += std::fabs(a) * eb;
  if (ea > 0) e += std::fabs(b) * ea;
  if (ea > 0 && eb > 0) e += ea * eb;
  return std::isnan(e) ? unbounded : e;
}

/// The bound of a result from what its operands' errors make of it: one unit more where it may round differently.
/// `exact_infinity`: an infinite result is certain.
inline double rounded_error(double e, double result, const Ulp& ulp, bool exact_infinity, bool slack) {
  if (std::isnan(e)) return unbounded;
  if (e == 0 && !slack) return 0;
  if (std::isinf(result)) return exact_infinity && e < unbounded ? 0 : unbounded;
  if (std::isnan(result)) return e < unbounded ? 0 : unbounded;
  return e + ulp(result);
}

/// max |f(x ± e) − f(x)| of a monotone function.
inline double end_error(ir::Op op, double x, double e, double result) {
  const auto one = [&](double y) {
    const double f = function(op, y);
    return f == result ? 0.0 : std::fabs(f - result);
  };
  const double low = one(x - e), high = one(x + e);
  return std::isnan(low) || std::isnan(high) ? unbounded : std::max(low, high);
}

inline double function_error(const Inexact& c) {
  using ir::Op;
  const double x = c.x[0], e = c.e[0], r = c.result;
  const bool steps = c.op >= Op::floor && c.op <= Op::round;
  // An approximate function is within its units of the truth, and what the interpreter took for it within one.
  const bool exact = c.op == Op::sqrt || steps || std::isinf(x) || std::isnan(x) || std::isinf(r);
  const double own = exact ? 0 : (1 + c.function_units) * c.ulp(r);
  if (e == 0) return std::isnan(r) ? 0 : own + (c.slack && !steps && std::isfinite(r) ? c.ulp(r) : 0);
  if (!(e < unbounded)) return unbounded;
  double passed = unbounded;
  switch (c.op) {
    case Op::sin:
    case Op::cos:
      passed = std::isinf(x) ? 0 : std::min(e, 2.0);
      break;
    case Op::tan:
      passed = e < 0.5 && std::cos(x - e) * std::cos(x + e) > 0 ? end_error(c.op, x, e, r) : unbounded;
      break;
    case Op::rsqrt:
      passed = x > e ? end_error(c.op, x, e, r) : unbounded;
      break;
    case Op::sqrt:
      passed = x >= e ? end_error(c.op, x, e, r) : unbounded;
      break;
    default:
      passed = end_error(c.op, x, e, r);
  }
  if (std::isnan(r) && std::isnan(x)) return 0;
  if (std::isinf(r)) return passed == 0 ? 0 : unbounded;
  return steps ? passed : passed + own + c.ulp(r);
}

/// The bound of a float result. `inexact_product`: for mul, what the result's own rounding cut off, which fusing
/// restores.
inline double float_error(const Inexact& c, double inexact_product) {
  using ir::Op;
  const double a = c.x[0], b = c.x[1], ea = c.e[0], eb = c.e[1], r = c.result;
  switch (c.op) {
    case Op::neg:
    case Op::abs:
      return ea;
    case Op::add:
    case Op::sub: {
      const double e = rounded_error(ea + eb, r, c.ulp, std::isinf(a) || std::isinf(b), c.slack);
      // Of a custom reduction: grouped in another way, its lanes meet sums as large as its operands.
      return c.slack && e < unbounded && std::isfinite(r) ? e + 2 * c.ulp(std::max(std::fabs(a), std::fabs(b))) : e;
    }
    case Op::mul: {
      const double e = product_error(a, ea, b, eb);
      // A product that overflows may be fused into a sum that does not.
      if (e == 0 && !c.slack) return std::isfinite(a) && std::isfinite(b) ? inexact_product : 0;
      const bool certain =
          e < unbounded && ((std::isinf(a) && std::fabs(b) > eb) || (std::isinf(b) && std::fabs(a) > ea));
      return rounded_error(std::isinf(a) || std::isinf(b) ? (certain ? 1.0 : unbounded) : e, r, c.ulp, certain,
                           c.slack);
    }
    case Op::div: {
      if (ea == 0 && eb == 0) return rounded_error(0, r, c.ulp, true, c.slack);
      const double least = std::fabs(b) - eb;
      if (std::isinf(b) && ea < unbounded && eb < unbounded) return 0;
      if (!(least > 0)) return unbounded;
      return rounded_error((ea + std::fabs(r) * eb) / least, r, c.ulp, std::isinf(a), c.slack);
    }
    case Op::mod:
    case Op::cdiv:
      return ea == 0 && eb == 0 ? 0 : unbounded;
    case Op::max:
    case Op::min:
    case Op::max_number:
    case Op::min_number: {
      const double e = std::max({ea, eb, are_both_zeros(a, b) ? either_zero : 0.0});
      return std::isinf(r) && e < unbounded ? 0 : e;
    }
    case Op::pow: {
      const double own = std::isfinite(r) ? (1 + c.function_units) * c.ulp(r) : 0;
      if (ea == 0 && eb == 0) return own;
      if (!(a > ea)) return unbounded;
      double passed = 0;
      for (const double p : {a - ea, a + ea})
        for (const double q : {b - eb, b + eb}) passed = std::max(passed, std::fabs(std::pow(p, q) - r));
      return std::isnan(passed) ? unbounded : passed + own + c.ulp(r);
    }
    case Op::fma:
      return rounded_error(product_error(a, ea, b, eb) + c.e[2], r, c.ulp,
                           std::isinf(a) || std::isinf(b) || std::isinf(c.x[2]), c.slack);
    default:
      return function_error(c);
  }
}

/// The bound of an integer or b8 result.
inline double integer_error(const Inexact& c) {
  using ir::Op;
  const double a = c.x[0], b = c.x[1], ea = c.e[0], eb = c.e[1], r = c.result;
  if (ea == 0 && eb == 0 && c.e[2] == 0) return 0;
  const DTypeInfo& t = info(c.type);
  double e = unbounded;
  switch (c.op) {
    case Op::neg:
    case Op::abs:
    case Op::floor:
    case Op::ceil:
    case Op::trunc:
    case Op::round:
      e = ea;
      break;
    case Op::add:
    case Op::sub:
      e = ea + eb;
      break;
    case Op::mul:
      e = product_error(a, ea, b, eb);
      break;
    case Op::fma:
      e = product_error(a, ea, b, eb) + c.e[2];
      break;
    case Op::max:
    case Op::min:
    case Op::max_number:
    case Op::min_number:
      e = std::max(ea, eb);
      break;
    case Op::div:
    case Op::cdiv:
      e = eb == 0 && b != 0 ? std::ceil(ea / std::fabs(b)) : unbounded;
      break;
    case Op::shl:
      e = eb == 0 ? std::ldexp(ea, static_cast<int>(std::min(b, 64.0))) : unbounded;
      break;
    case Op::shr:
      e = eb == 0 ? std::ceil(std::ldexp(ea, -static_cast<int>(std::min(b, 64.0)))) : unbounded;
      break;
    case Op::bit_and:
      if (t.is_boolean()) return (ea == 0 && a == 0) || (eb == 0 && b == 0) ? 0 : 1;
      break;
    case Op::bit_or:
      if (t.is_boolean()) return (ea == 0 && a != 0) || (eb == 0 && b != 0) ? 0 : 1;
      break;
    case Op::bit_xor:
    case Op::logical_not:
      if (t.is_boolean()) return 1;
      break;
    default:
      break;
  }
  const double highest = std::ldexp(1.0, t.precision) - 1, lowest = t.is_signed_integer() ? -highest - 1 : 0;
  return r + e <= highest && r - e >= lowest ? e : unbounded;  // beyond, it wraps
}

/// Whether a comparison of a and b may come out otherwise: 1 if so.
inline double compare_error(double a, double ea, double b, double eb) {
  const double e = ea + eb;
  if (a == 0 && b == 0 && e <= 2 * either_zero) return 0;
  return e > 0 && std::fabs(a - b) <= e ? 1.0 : 0.0;
}

/// The bound of a selection between a and b where the condition may be otherwise.
inline double where_error(bool chose_a, double a, double ea, double b, double eb) {
  const double apart = a == b ? 0.0 : std::fabs(a - b);
  const double e = chose_a ? std::max(ea, apart + eb) : std::max(eb, apart + ea);
  return std::isnan(e) ? unbounded : e;
}

/// The bound of a value converted from `from` to `to`; every conversion is monotone, but for wrapping.
inline double cast_error(DType from, DType to, double x, double e, double result, Rounding rounding,
                         Saturation saturation) {
  if (e == 0) return 0;
  if (x == 0 && e == either_zero) return info(to).is_floating() ? e : 0;
  if (info(to).is_boolean()) return std::fabs(x) <= e ? 1.0 : 0.0;
  if (!(e < unbounded)) return unbounded;
  if (rounding == Rounding::stochastic) return unbounded;
  const DTypeInfo &f = info(from), &t = info(to);
  if (!f.is_floating() && !t.is_floating()) {
    const double highest = std::ldexp(1.0, t.precision) - 1, lowest = t.is_signed_integer() ? -highest - 1 : 0;
    return x + e <= highest && x - e >= lowest ? e : unbounded;
  }
  const auto at = [&](double y) { return number(to, canonical(to, bits_from_double(to, y, rounding, saturation))); };
  const double low = at(x - e), high = at(x + e);
  const double moved =
      std::max(low == result ? 0.0 : std::fabs(low - result), high == result ? 0.0 : std::fabs(high - result));
  return std::isnan(moved) ? (std::isnan(result) && std::isnan(x) ? 0.0 : unbounded) : moved;
}

}  // namespace interpreter
TESSERA_END
