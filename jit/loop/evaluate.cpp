// Owns the arithmetic of Loop IR on bits of elements.
#include "jit/loop/evaluate.hpp"

#include <bit>
#include <cmath>

TESSERA_BEGIN
namespace loop {
namespace {

std::uint64_t mask(DType t) {
  const int bits = info(t).bits;
  return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

template <class T>
T unary(Op op, T x) {
  switch (op) {
    case Op::neg:
      return -x;
    case Op::abs:
      return std::fabs(x);
    case Op::sqrt:
      return std::sqrt(x);
    case Op::floor:
      return std::floor(x);
    case Op::ceil:
      return std::ceil(x);
    case Op::trunc:
      return std::trunc(x);
    default: {  // to the nearest, ties to even, whatever the rounding mode is
      const T low = std::floor(x), rest = x - low;
      if (!(rest > 0)) return x;
      const T r = rest > T(0.5) || (rest == T(0.5) && std::fmod(low, T(2)) != 0) ? low + 1 : low;
      return std::copysign(r, x);
    }
  }
}

template <class T>
T binary(Op op, T x, T y) {
  switch (op) {
    case Op::add:
      return x + y;
    case Op::sub:
      return x - y;
    case Op::mul:
      return x * y;
    case Op::div:
      return x / y;
    case Op::rem:
      return std::fmod(x, y);
    case Op::min:
      return std::isnan(x) ? x : x < y ? x : y;
    case Op::max:
      return std::isnan(x) ? x : x > y ? x : y;
    case Op::min_number:
      return std::isnan(y) ? x : x < y ? x : y;
    case Op::max_number:
      return std::isnan(y) ? x : x > y ? x : y;
    case Op::fast_min:
      return x < y ? x : y;
    default:
      return x > y ? x : y;  // fast_max
  }
}

template <class T>
bool compare(Op op, T x, T y) {
  switch (op) {
    case Op::eq:
      return x == y;
    case Op::ne:
      return x != y;
    case Op::lt:
      return x < y;
    case Op::le:
      return x <= y;
    case Op::gt:
      return x > y;
    default:
      return x >= y;
  }
}

std::uint64_t integer(Op op, DType t, std::uint64_t a, std::uint64_t b) {
  const bool sgn = info(t).is_signed_integer();
  const int width = info(t).bits;
  const std::int64_t x = as_integer(t, a), y = as_integer(t, b);
  switch (op) {
    case Op::add:
      return a + b;
    case Op::sub:
      return a - b;
    case Op::mul:
      return a * b;
    case Op::bit_and:
      return a & b;
    case Op::bit_or:
      return a | b;
    case Op::bit_xor:
      return a ^ b;
    case Op::shl:
      return b >= static_cast<std::uint64_t>(width) ? 0 : a << b;
    case Op::shr:
      if (sgn)
        return static_cast<std::uint64_t>(x >> (b >= static_cast<std::uint64_t>(width) ? 63 : static_cast<int>(b)));
      return b >= static_cast<std::uint64_t>(width) ? 0 : a >> b;
    case Op::min:
    case Op::min_number:
    case Op::fast_min:
      return (sgn ? x < y : a < b) ? a : b;
    case Op::max:
    case Op::max_number:
    case Op::fast_max:
      return (sgn ? x > y : a > b) ? a : b;
    default:
      break;
  }
  const bool quotient = op == Op::div || op == Op::floor_div, down = op == Op::floor_div || op == Op::floor_rem;
  if (b == 0) return 0;
  if (!sgn) return quotient ? a / b : a % b;
  if (y == -1) return quotient ? 0 - static_cast<std::uint64_t>(x) : 0;
  std::int64_t q = x / y, r = x % y;
  if (down && r != 0 && (r < 0) != (y < 0)) --q, r += y;
  return static_cast<std::uint64_t>(quotient ? q : r);
}

}  // namespace

std::int64_t as_integer(DType t, std::uint64_t bits) {
  const DTypeInfo& e = info(t);
  if (e.is_boolean()) return (bits & 0xff) != 0;
  if (e.is_signed_integer()) return static_cast<std::int64_t>(bits << (64 - e.bits)) >> (64 - e.bits);
  return static_cast<std::int64_t>(bits & mask(t));
}

std::uint64_t evaluate(Op op, DType t, std::uint64_t a) {
  const DTypeInfo& e = info(t);
  if (e.is_boolean()) return op == Op::logical_not ? a == 0 : a;
  if (e.is_integer()) {
    const std::int64_t x = as_integer(t, a);
    if (op == Op::neg || (op == Op::abs && x < 0 && e.has_sign)) return (0 - a) & mask(t);
    return op == Op::logical_not ? ~a & mask(t) : a;
  }
  // The sign of a NaN changes too, as the instructions do it.
  if (op == Op::neg) return (a ^ std::uint64_t{1} << (e.bits - 1)) & mask(t);
  if (op == Op::abs) return a & mask(t) >> 1;
  if (t == DType::f32)
    return std::bit_cast<std::uint32_t>(unary(op, std::bit_cast<float>(static_cast<std::uint32_t>(a))));
  if (t == DType::f64) return std::bit_cast<std::uint64_t>(unary(op, std::bit_cast<double>(a)));
  return bits_from_double(t, unary(op, to_double(t, a)));
}

std::uint64_t evaluate(Op op, DType t, std::uint64_t a, std::uint64_t b) {
  const DTypeInfo& e = info(t);
  if (op >= Op::eq && op <= Op::ge) {
    if (e.is_floating()) return compare(op, to_double(t, a), to_double(t, b));
    if (e.is_unsigned_integer()) return compare(op, a & mask(t), b & mask(t));
    return compare(op, as_integer(t, a), as_integer(t, b));
  }
  if (e.is_boolean()) {
    const bool x = a != 0, y = b != 0;
    if (op == Op::bit_xor) return x != y;
    const bool either = op == Op::bit_or || op == Op::max || op == Op::max_number || op == Op::fast_max;
    return either ? x || y : x && y;
  }
  if (!e.is_floating()) return integer(op, t, a & mask(t), b & mask(t)) & mask(t);
  if (t == DType::f32)
    return std::bit_cast<std::uint32_t>(binary(op, std::bit_cast<float>(static_cast<std::uint32_t>(a)),
                                               std::bit_cast<float>(static_cast<std::uint32_t>(b))));
  if (t == DType::f64)
    return std::bit_cast<std::uint64_t>(binary(op, std::bit_cast<double>(a), std::bit_cast<double>(b)));
  return bits_from_double(t, binary(op, to_double(t, a), to_double(t, b)));
}

std::uint64_t evaluate_fma(DType t, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  if (!info(t).is_floating()) return evaluate(Op::add, t, evaluate(Op::mul, t, a, b), c);
  if (t == DType::f32)
    return std::bit_cast<std::uint32_t>(std::fma(std::bit_cast<float>(static_cast<std::uint32_t>(a)),
                                                 std::bit_cast<float>(static_cast<std::uint32_t>(b)),
                                                 std::bit_cast<float>(static_cast<std::uint32_t>(c))));
  if (t == DType::f64)
    return std::bit_cast<std::uint64_t>(
        std::fma(std::bit_cast<double>(a), std::bit_cast<double>(b), std::bit_cast<double>(c)));
  return bits_from_double(t, std::fma(to_double(t, a), to_double(t, b), to_double(t, c)));
}

}  // namespace loop
TESSERA_END
