// Owns the elementwise operations on single numbers: floats in one type, integers by words.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "tessera/interpret/number.hpp"
#include "tessera/ir/ops.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// The type in which functions of a Number are computed, before rounding once to it.
template <class Number>
using Wide = std::conditional_t<std::is_same_v<Number, double>, long double, double>;

/// Functions of one number. `round` is to nearest, ties to even.
template <class T>
T function(ir::Op op, T x) {
  using ir::Op;
  switch (op) {
    case Op::sqrt:
      return std::sqrt(x);
    case Op::rsqrt:
      return 1 / std::sqrt(x);
    case Op::exp:
      return std::exp(x);
    case Op::exp2:
      return std::exp2(x);
    case Op::expm1:
      return std::expm1(x);
    case Op::log:
      return std::log(x);
    case Op::log2:
      return std::log2(x);
    case Op::log1p:
      return std::log1p(x);
    case Op::sin:
      return std::sin(x);
    case Op::cos:
      return std::cos(x);
    case Op::tan:
      return std::tan(x);
    case Op::tanh:
      return std::tanh(x);
    case Op::erf:
      return std::erf(x);
    case Op::sigmoid:
      return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
    case Op::floor:
      return std::floor(x);
    case Op::ceil:
      return std::ceil(x);
    case Op::trunc:
      return std::trunc(x);
    case Op::round:
      return std::nearbyint(x);
    default:
      return x;
  }
}

/// Whether `function` rounds results that a backend may compute to within one unit in the last place only.
constexpr bool is_approximate(ir::Op op) {
  using ir::Op;
  return (op >= Op::rsqrt && op <= Op::sigmoid) || op == Op::pow;
}

/// a mod b with the sign of b, as integers' % has it.
template <class T>
T floor_mod(T a, T b) {
  const T r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

template <class T>
T max_of(T a, T b) {
  return a != a ? a : b != b ? b : a < b ? b : a;
}
template <class T>
T min_of(T a, T b) {
  return a != a ? a : b != b ? b : b < a ? b : a;
}
template <class T>
T max_number_of(T a, T b) {
  return a != a ? b : b != b ? a : a < b ? b : a;
}
template <class T>
T min_number_of(T a, T b) {
  return a != a ? b : b != b ? a : b < a ? b : a;
}

/// What went wrong in an integer operation.
enum class Wrong : std::uint8_t { none, overflow, division };

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  if (b == -1) return static_cast<std::int64_t>(0 - static_cast<Word>(a));
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/// An integer operation on canonical words of `t`. Overflow wraps, dividing by 0 gives 0; both set `wrong`.
inline Word integer_op(ir::Op op, const DTypeInfo& t, DType type, Word a, Word b, Wrong& wrong) {
  using ir::Op;
  const bool is_signed = t.is_signed_integer();
  const auto s = [](Word w) { return static_cast<std::int64_t>(w); };
  std::int64_t r = 0;
  bool over = false;
  const auto division = [&] {
    if (b == 0) wrong = Wrong::division;
    return b == 0;
  };
  switch (op) {
    case Op::neg:
      over = __builtin_sub_overflow(std::int64_t{0}, s(a), &r);
      break;
    case Op::abs:
      if (!is_signed || s(a) >= 0) return a;
      over = __builtin_sub_overflow(std::int64_t{0}, s(a), &r);
      break;
    case Op::add:
      over = __builtin_add_overflow(s(a), s(b), &r);
      break;
    case Op::sub:
      over = __builtin_sub_overflow(s(a), s(b), &r);
      break;
    case Op::mul:
      over = __builtin_mul_overflow(s(a), s(b), &r);
      break;
    case Op::div:
      if (division()) return 0;
      if (!is_signed) return a / b;
      over = b == ~Word{0} && s(a) == std::numeric_limits<std::int64_t>::min();
      r = floor_div(s(a), s(b));
      break;
    case Op::cdiv:
      if (division()) return 0;
      if (!is_signed) return a / b + (a % b != 0);
      over = b == ~Word{0} && s(a) == std::numeric_limits<std::int64_t>::min();
      r = b == ~Word{0} ? s(0 - a) : floor_div(s(a), s(b)) + (s(a) % s(b) != 0);
      break;
    case Op::mod:
      if (division()) return 0;
      if (!is_signed) return a % b;
      return b == ~Word{0} ? 0 : static_cast<Word>(s(a) - s(b) * floor_div(s(a), s(b)));
    case Op::max:
    case Op::max_number:
      return (is_signed ? s(a) < s(b) : a < b) ? b : a;
    case Op::min:
    case Op::min_number:
      return (is_signed ? s(b) < s(a) : b < a) ? b : a;
    case Op::pow: {
      Word result = 1, base = a;
      if (is_signed && s(b) < 0) return a == 1 ? 1 : a == ~Word{0} ? (b & 1 ? a : 1) : 0;
      for (Word e = b; e; e >>= 1) {
        if (e & 1) result = integer_op(Op::mul, t, type, result, base, wrong);
        if (e > 1) base = integer_op(Op::mul, t, type, base, base, wrong);
      }
      return result;
    }
    case Op::bit_and:
      return a & b;
    case Op::bit_or:
      return a | b;
    case Op::bit_xor:
      return a ^ b;
    case Op::logical_not:
      return canonical(type, t.is_boolean() ? a == 0 : ~a);
    case Op::shl:
      return b >= t.bits ? 0 : canonical(type, a << b);
    case Op::shr:
      if (is_signed) return static_cast<Word>(s(a) >> (b >= t.bits ? 63 : b));
      return b >= t.bits ? 0 : a >> b;
    default:
      return a;
  }
  const Word word = canonical(type, static_cast<Word>(r));
  if (is_signed && (over || s(word) != r)) wrong = Wrong::overflow;
  return word;
}

/// A comparison of two numbers of one C++ type.
template <class T>
bool compare(ir::Op op, T a, T b) {
  using ir::Op;
  switch (op) {
    case Op::lt:
      return a < b;
    case Op::le:
      return a <= b;
    case Op::gt:
      return a > b;
    case Op::ge:
      return a >= b;
    case Op::eq:
      return a == b;
    default:
      return a != b;
  }
}

}  // namespace interpreter
TESSERA_END
