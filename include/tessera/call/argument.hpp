// Owns RawArg, an argument of a call with its C++ type erased, and how arguments and scalars become one.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "tessera/call/view.hpp"
#include "tessera/ir/program.hpp"
#include "tessera/types/values.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace call {

/// An argument as a program's signature may want it, of any type: what `bind` takes.
struct RawArg {
  bool array = false;
  bool writable = false;
  DType type = DType::f32;  ///< of the elements, or of the number given
  std::uint64_t bits = 0;   ///< the number's bits, extended as a Frame has them

  std::uintptr_t data = 0;
  Bounds bounds;
  const char* fault = nullptr;
  int rank = 0;
  std::int64_t extents[ir::max_rank] = {};
  std::int64_t strides[ir::max_rank] = {};
};

/// `bits` of a value of `type` as a Frame has them: integers extended by their type, the rest by zeros.
constexpr std::uint64_t extend(DType type, std::uint64_t bits) {
  const int width = info(type).bits;
  if (type == DType::b8) return (bits & 0xff) != 0;
  if (width == 64) return bits;
  bits &= (std::uint64_t{1} << width) - 1;
  if (info(type).is_signed_integer() && (bits >> (width - 1)) != 0) bits |= ~std::uint64_t{0} << width;
  return bits;
}

/// A C++ number's element type: `dtype_of`, and for the types that it lacks (char, wide characters, long double) the
/// one that holds all of their values that a kernel can have.
template <class T>
constexpr DType number_dtype() {
  if constexpr (ElementType<T>)
    return dtype_of<T>;
  else if constexpr (std::is_integral_v<T>)
    return std::is_signed_v<T> ? DType::i64 : DType::u64;
  else
    return DType::f64;
}

/// What may be given for a scalar.
template <class T>
concept Numeric = ElementType<T> || std::is_arithmetic_v<T>;

template <Numeric T>
constexpr std::uint64_t number_bits(T value) {
  if constexpr (ElementType<T>)
    return extend(dtype_of<T>, element_bits(value));
  else if constexpr (std::is_integral_v<T>)
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  else
    return element_bits(static_cast<double>(value));
}

/// Whether the number `bits` of `from` is a value of `to`; `word` is then that value as a Frame has it. Floats may be
/// rounded into narrower floats (0.1 is welcome as an f32) but keep infinities and NaN and do not become infinite.
constexpr bool convert_scalar(DType from, DType to, std::uint64_t bits, std::uint64_t& word) {
  const DTypeInfo &f = info(from), &t = info(to);
  if (f.is_floating() && t.is_floating()) {
    word = convert_bits(from, to, bits, Rounding::standard, Saturation::overflow);
    if (from == to) return true;
    const double value = to_double(from, bits), result = to_double(to, word), infinity = __builtin_inf();
    if (value != value) return t.has_nan;
    if ((value < 0 && !t.has_sign) || (value == 0 && !t.has_zero)) return false;
    if (value == infinity || value == -infinity) return result == value;
    const double limit = to_double(to, largest_bits(to));
    return t.has_inf ? result != infinity && result != -infinity : value <= limit && value >= -limit;
  }
  word = extend(to, convert_bits(from, to, bits));
  if (from == to) return true;
  if (to == DType::b8) return bits <= 1 && !f.is_floating();
  if (f.is_floating()) {  // in range and whole
    const double value = to_double(from, bits);
    const double beyond = 2 * static_cast<double>(std::uint64_t{1} << t.max_exponent);
    return value < beyond && value >= to_double(to, lowest_bits(to)) && to_double(to, word) == value;
  }
  const bool negative = f.is_signed_integer() && static_cast<std::int64_t>(bits) < 0;
  if (t.is_floating()) {  // exactly
    const std::uint64_t size = negative ? 0 - bits : bits;
    if (size == 0) return t.has_zero;
    if (negative && !t.has_sign) return false;
    return std::bit_width(size) - std::countr_zero(size) <= t.precision &&
           static_cast<double>(size) <= to_double(to, largest_bits(to));
  }
  const bool still_negative = t.is_signed_integer() && static_cast<std::int64_t>(word) < 0;
  return word == bits && negative == still_negative;
}

/// The same for a C++ number, quick where both types are C++'s own.
template <DType To, Numeric T>
constexpr bool scalar_word(T value, std::uint64_t& word) {
  constexpr DType from = number_dtype<T>();
  if constexpr (from == To) {
    word = number_bits(value);
    return true;
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool> && info(To).is_integer() &&
                       info(To).bits >= 8) {
    using Host = host_type<To>;
    word = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
    if constexpr (std::is_signed_v<T> == std::is_signed_v<Host>)
      return value >= std::numeric_limits<Host>::min() && value <= std::numeric_limits<Host>::max();
    else if constexpr (std::is_signed_v<T>)
      return value >= 0 && static_cast<std::make_unsigned_t<T>>(value) <= std::numeric_limits<Host>::max();
    else
      return value <= static_cast<std::make_unsigned_t<Host>>(std::numeric_limits<Host>::max());
  } else if constexpr (To == DType::f32 && from == DType::f64) {
    const float narrow = static_cast<float>(value);
    word = element_bits(narrow);
    return !__builtin_isinf(narrow) || __builtin_isinf(value);
  } else {
    return convert_scalar(from, To, number_bits(value), word);
  }
}

/// A number as text, for messages.
inline std::string number_text(DType type, std::uint64_t bits) {
  if (type == DType::b8) return bits != 0 ? "true" : "false";
  if (info(type).is_signed_integer()) return std::to_string(static_cast<std::int64_t>(extend(type, bits)));
  if (info(type).is_unsigned_integer()) return std::to_string(extend(type, bits));
  const double value = to_double(type, bits);
  char text[32];
  if (value > -1e9 && value < 1e9 && value == static_cast<double>(static_cast<std::int32_t>(value)))
    return value == 0 && __builtin_signbit(value) ? "-0" : std::to_string(static_cast<std::int32_t>(value));
  for (int digits = 1; digits <= 17; ++digits) {  // the shortest text that means the same number
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    double back = 0;
    if (std::sscanf(text, "%lf", &back) != 1 || back == value) break;
    if (type != DType::f64 && static_cast<float>(back) == static_cast<float>(value)) break;
  }
  return text;
}

// as_view: what a call accepts for an array.

template <class T, int Rank>
constexpr View<T, Rank> as_view(const View<T, Rank>& given) {
  return given;
}
template <Container C>
constexpr auto as_view(C& container) {
  return view(container);
}
template <class T>
  requires(std::is_array_v<T> && PlainElement<std::remove_all_extents_t<T>>)
constexpr auto as_view(T& array) {
  return view(array);
}
template <MdspanLike M>
constexpr auto as_view(const M& m) {
  return view(m);
}
/// For arrays of rank 0: a variable, or the address of one.
template <class T>
  requires PlainElement<T>
constexpr View<T, 0> as_view(T& variable) {
  return {&variable, Numbers<0>{}};
}
template <class T>
  requires PlainElement<T>
constexpr View<T, 0> as_view(T* const& pointer) {
  return {pointer, Numbers<0>{}};
}

/// What may be given for an array.
template <class A>
concept ArrayArgument = requires(A& argument) { as_view(argument); };

template <class T, int Rank>
constexpr RawArg raw_array(const View<T, Rank>& array) {
  RawArg raw;
  raw.array = true;
  raw.writable = !std::is_const_v<T>;
  raw.type = dtype_of<T>;
  raw.data = reinterpret_cast<std::uintptr_t>(array.data());
  raw.bounds = array.bounds();
  raw.fault = array.fault();
  raw.rank = array.rank();
  for (int i = 0; i < raw.rank; ++i) {
    raw.extents[i] = array.extent(i);
    raw.strides[i] = array.stride(i);
  }
  return raw;
}

/// Any argument as a RawArg; `scalar` says what the kernel wants here.
template <class A>
constexpr RawArg raw_argument(A& argument, bool scalar) {
  if constexpr (Numeric<std::remove_cv_t<A>>) {
    if (scalar) {
      RawArg raw;
      raw.type = number_dtype<std::remove_cv_t<A>>();
      raw.bits = number_bits<std::remove_cv_t<A>>(argument);
      return raw;
    }
  }
  if constexpr (ArrayArgument<A>)
    return raw_array(as_view(argument));
  else
    return {};
}

}  // namespace call
TESSERA_END
