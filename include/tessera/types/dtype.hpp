// Owns the list of element types: their table of properties, implicit widening, accumulators, and the host C++ types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "tessera/version.hpp"

// clang-format off
// X(identifier): every element type, in the order of DType. `tessera::identifier` is its host C++ type.
#define TESSERA_ELEMENT_TYPES(X) \
  X(b8) X(i4) X(u4) X(i8) X(u8) X(i16) X(u16) X(i32) X(u32) X(i64) X(u64) \
  X(e2m1) X(e2m3) X(e3m2) X(e4m3) X(e5m2) X(e8m0) X(f16) X(bf16) X(f32) X(f64)
// clang-format on

TESSERA_BEGIN

// clang-format off
/// The type of an array's elements, of a scalar, of a tile.
enum class DType : std::uint8_t {
  b8,
  i4, u4, i8, u8, i16, u16, i32, u32, i64, u64,
  e2m1, e2m3, e3m2, e4m3, e5m2, e8m0, f16, bf16, f32, f64
};
// clang-format on

enum class DTypeKind : std::uint8_t { boolean, signed_int, unsigned_int, floating };

/// A row of the element type table. A floating value is ±significand × 2^exponent; `e8m0` has neither sign nor zero.
struct DTypeInfo {
  std::string_view name;
  DTypeKind kind;
  std::uint8_t bits;           ///< of storage in an array, packed (b8: 8)
  std::uint8_t exponent_bits;  ///< 0 for integers
  std::uint8_t mantissa_bits;  ///< stored ones; 0 for integers
  std::int16_t bias;           ///< of the stored exponent; 0 for integers
  bool has_sign;
  bool has_zero;
  bool has_inf;
  bool has_nan;
  std::uint8_t precision;     ///< significant bits: mantissa with its leading one; value bits of an integer
  std::int16_t max_exponent;  ///< of the leading bit of the largest finite value
  std::int16_t min_exponent;  ///< of the smallest positive value, subnormal if the type has them

  constexpr bool is_boolean() const { return kind == DTypeKind::boolean; }
  constexpr bool is_integer() const { return kind == DTypeKind::signed_int || kind == DTypeKind::unsigned_int; }
  constexpr bool is_signed_integer() const { return kind == DTypeKind::signed_int; }
  constexpr bool is_unsigned_integer() const { return kind == DTypeKind::unsigned_int; }
  constexpr bool is_floating() const { return kind == DTypeKind::floating; }
  constexpr bool is_sub_byte() const { return bits < 8; }
};

// Sources: IEEE 754-2019 (f16 f32 f64); OCP OFP8 1.0 (e4m3 without infinities, e5m2); OCP MX 1.0 (e2m1 e2m3 e3m2 e8m0).
// clang-format off
inline constexpr DTypeInfo dtype_table[] = {
    // name    kind                    bits exp man bias  sign   zero   inf    nan   prec max   min
    {"b8", DTypeKind::boolean, 8, 0, 0, 0, false, true, false, false, 1, 0, 0},
    {"i4", DTypeKind::signed_int, 4, 0, 0, 0, true, true, false, false, 3, 2, 0},
    {"u4", DTypeKind::unsigned_int, 4, 0, 0, 0, false, true, false, false, 4, 3, 0},
    {"i8", DTypeKind::signed_int, 8, 0, 0, 0, true, true, false, false, 7, 6, 0},
    {"u8", DTypeKind::unsigned_int, 8, 0, 0, 0, false, true, false, false, 8, 7, 0},
    {"i16", DTypeKind::signed_int, 16, 0, 0, 0, true, true, false, false, 15, 14, 0},
    {"u16", DTypeKind::unsigned_int, 16, 0, 0, 0, false, true, false, false, 16, 15, 0},
    {"i32", DTypeKind::signed_int, 32, 0, 0, 0, true, true, false, false, 31, 30, 0},
    {"u32", DTypeKind::unsigned_int, 32, 0, 0, 0, false, true, false, false, 32, 31, 0},
    {"i64", DTypeKind::signed_int, 64, 0, 0, 0, true, true, false, false, 63, 62, 0},
    {"u64", DTypeKind::unsigned_int, 64, 0, 0, 0, false, true, false, false, 64, 63, 0},
    {"e2m1", DTypeKind::floating, 4, 2, 1, 1, true, true, false, false, 2, 2, -1},
    {"e2m3", DTypeKind::floating, 6, 2, 3, 1, true, true, false, false, 4, 2, -3},
    {"e3m2", DTypeKind::floating, 6, 3, 2, 3, true, true, false, false, 3, 4, -4},
    {"e4m3", DTypeKind::floating, 8, 4, 3, 7, true, true, false, true, 4, 8, -9},
    {"e5m2", DTypeKind::floating, 8, 5, 2, 15, true, true, true, true, 3, 15, -16},
    {"e8m0", DTypeKind::floating, 8, 8, 0, 127, false, false, false, true, 1, 127, -127},
    {"f16", DTypeKind::floating, 16, 5, 10, 15, true, true, true, true, 11, 15, -24},
    {"bf16", DTypeKind::floating, 16, 8, 7, 127, true, true, true, true, 8, 127, -133},
    {"f32", DTypeKind::floating, 32, 8, 23, 127, true, true, true, true, 24, 127, -149},
    {"f64", DTypeKind::floating, 64, 11, 52, 1023, true, true, true, true, 53, 1023, -1074},
};
// clang-format on
inline constexpr int dtype_count = sizeof(dtype_table) / sizeof(dtype_table[0]);
static_assert(dtype_count == static_cast<int>(DType::f64) + 1);

/// The table row of `type`.
constexpr const DTypeInfo& info(DType type) { return dtype_table[static_cast<std::size_t>(type)]; }

/// The type's name in the language, such as "f16". (Not called `name`: that is a type of the language.)
constexpr std::string_view dtype_name(DType type) { return info(type).name; }

/// Finds a type by its name in the language; false, and `type` untouched, where there is none.
constexpr bool parse_dtype(std::string_view text, DType& type) {
  for (int i = 0; i < dtype_count; ++i)
    if (dtype_table[i].name == text) {
      type = static_cast<DType>(i);
      return true;
    }
  return false;
}

/// Whether every value of `from` is a value of `to` and the language widens without a `cast` (LANGUAGE.md rule 11):
/// integers into integers, floats into floats, b8 into itself only.
constexpr bool widens(DType from, DType to) {
  if (from == to) return true;
  const DTypeInfo &f = info(from), &t = info(to);
  if (f.is_boolean() || t.is_boolean() || f.is_floating() != t.is_floating()) return false;
  return f.precision <= t.precision && f.max_exponent <= t.max_exponent && f.min_exponent >= t.min_exponent &&
         f.has_sign <= t.has_sign && f.has_zero <= t.has_zero && f.has_inf <= t.has_inf && f.has_nan <= t.has_nan;
}

/// What `dot` and `sum` accumulate `type` in by default (LANGUAGE.md rule 10); a sum of b8 counts in i32.
constexpr DType accumulator(DType type) {
  if (info(type).bits > 16) return type;
  return info(type).is_floating() ? DType::f32 : DType::i32;
}

using b8 = bool;
using i8 = std::int8_t;
using u8 = std::uint8_t;
using i16 = std::int16_t;
using u16 = std::uint16_t;
using i32 = std::int32_t;
using u32 = std::uint32_t;
using i64 = std::int64_t;
using u64 = std::uint64_t;
using f32 = float;
using f64 = double;
static_assert(sizeof(b8) == 1 && sizeof(f32) == 4 && sizeof(f64) == 8);

// The types that C++ lacks: values.hpp defines them.
struct i4;
struct u4;
struct e2m1;
struct e2m3;
struct e3m2;
struct e4m3;
struct e5m2;
struct e8m0;
struct f16;
struct bf16;

using fp8_e4m3 = e4m3;
using fp8_e5m2 = e5m2;
/// Six-bit floats by default mean e3m2: the wider range (±28), which is what is used for weights without block scales.
using fp6 = e3m2;
using fp4 = e2m1;

namespace detail {

template <class T>
struct DTypeOf {};
template <DType>
struct HostType;
#define TESSERA_TYPE(id)                      \
  template <>                                 \
  struct DTypeOf<id> {                        \
    static constexpr DType value = DType::id; \
  };                                          \
  template <>                                 \
  struct HostType<DType::id> {                \
    using type = id;                          \
  };
TESSERA_ELEMENT_TYPES(TESSERA_TYPE)
#undef TESSERA_TYPE
// `long` or `long long`: whichever is not i64 is as good.
using OtherI64 = std::conditional_t<std::is_same_v<i64, long>, long long, long>;
template <>
struct DTypeOf<OtherI64> {
  static constexpr DType value = sizeof(OtherI64) == 8 ? DType::i64 : DType::i32;
};
template <>
struct DTypeOf<std::make_unsigned_t<OtherI64>> {
  static constexpr DType value = sizeof(OtherI64) == 8 ? DType::u64 : DType::u32;
};

}  // namespace detail

/// A C++ type that is an element type of the language: `float`, `std::int8_t`, `f16` … (not `char`, whose sign varies).
template <class T>
concept ElementType = requires { detail::DTypeOf<std::remove_cv_t<T>>::value; };

/// The element type of a C++ type, const or not.
template <ElementType T>
inline constexpr DType dtype_of = detail::DTypeOf<std::remove_cv_t<T>>::value;

/// The C++ type of an element type: `float` for DType::f32.
template <DType Type>
using host_type = typename detail::HostType<Type>::type;

TESSERA_END
