// Owns the host C++ types of the element types that C++ lacks (f16 … i4), and conversions between C++ values.
#pragma once

#include <compare>
#include <cstdint>
#include <type_traits>

#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace detail {

template <class Self, class Storage>
struct ElementValue;

}  // namespace detail

/// The bits of a value of an element type, as convert_bits takes them.
template <ElementType T>
constexpr std::uint64_t element_bits(T value) {
  if constexpr (std::is_same_v<T, bool>)
    return value;
  else if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<std::uint32_t>(value);
  else if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<std::uint64_t>(value);
  else if constexpr (std::is_integral_v<T>)
    return static_cast<std::make_unsigned_t<T>>(value);
  else
    return value.bits();
}

/// The value of an element type that has these bits.
template <ElementType T>
constexpr T element_from_bits(std::uint64_t bits) {
  if constexpr (std::is_same_v<T, bool>)
    return (bits & 0xff) != 0;
  else if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  else if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<double>(bits);
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(bits);
  else
    return T::from_bits(static_cast<decltype(T{}.bits())>(bits));
}

/// `value` as a `To`, as the language's `cast<To>` gives it: exact but for one rounding. See convert.hpp.
template <ElementType To, ElementType From>
constexpr To convert_to(From value, Rounding rounding = Rounding::standard,
                        Saturation saturation = Saturation::standard, std::uint64_t random = 0) {
  return element_from_bits<To>(
      convert_bits(dtype_of<From>, dtype_of<To>, element_bits(value), rounding, saturation, random));
}

namespace detail {

/// A value held as its bits. Types narrower than a byte fill one here; packed.hpp packs them as arrays do.
template <class Self, class Storage>
struct ElementValue {
  Storage bits_;

  constexpr ElementValue() = default;
  /// Converts as the language's `cast` does: to nearest even, saturating in 8 bits and fewer; integers wrap.
  template <ElementType T>
    requires(!std::is_same_v<T, Self>)
  explicit constexpr ElementValue(T value)
      : bits_(static_cast<Storage>(convert_bits(dtype_of<T>, dtype_of<Self>, element_bits(value)))) {}

  /// The value with this pattern; bits above the type's width are dropped.
  static constexpr Self from_bits(Storage bits) {
    Self value{};
    value.bits_ = static_cast<Storage>(bits & low_mask(info(dtype_of<Self>).bits));
    return value;
  }
  constexpr Storage bits() const { return bits_; }

  /// The value in a C++ type, as the language's `cast` gives it: exact in float and double.
  template <ElementType T>
    requires std::is_arithmetic_v<T>
  explicit constexpr operator T() const {
    return convert_to<T>(from_bits(bits_));
  }

  /// By value: −0 equals 0, and a NaN equals nothing.
  friend constexpr bool operator==(Self a, Self b) { return static_cast<float>(a) == static_cast<float>(b); }
  friend constexpr std::partial_ordering operator<=>(Self a, Self b) {
    return static_cast<float>(a) <=> static_cast<float>(b);
  }
};

}  // namespace detail

#define TESSERA_VALUE(id, storage)                         \
  struct id : detail::ElementValue<id, storage> {          \
    using detail::ElementValue<id, storage>::ElementValue; \
    constexpr id() = default;                              \
  };                                                       \
  static_assert(sizeof(id) == sizeof(storage) && std::is_trivial_v<id>);

TESSERA_VALUE(i4, std::uint8_t)
TESSERA_VALUE(u4, std::uint8_t)
TESSERA_VALUE(e2m1, std::uint8_t)
TESSERA_VALUE(e2m3, std::uint8_t)
TESSERA_VALUE(e3m2, std::uint8_t)
TESSERA_VALUE(e4m3, std::uint8_t)
TESSERA_VALUE(e5m2, std::uint8_t)
TESSERA_VALUE(e8m0, std::uint8_t)
TESSERA_VALUE(f16, std::uint16_t)
TESSERA_VALUE(bf16, std::uint16_t)
#undef TESSERA_VALUE

TESSERA_END
