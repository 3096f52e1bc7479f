// Tests the table of element types, implicit widening, accumulators, and the map between C++ types and element types.
#include "tessera/types/dtype.hpp"

#include <doctest/doctest.h>

#include <set>

#include "reference.hpp"

using namespace tessera;
using reference::Real;

namespace {

// As LANGUAGE.md says: only without loss.
static_assert(widens(DType::i8, DType::i32) && widens(DType::f16, DType::f32) && widens(DType::u8, DType::i16));
static_assert(!widens(DType::i32, DType::i8) && !widens(DType::f32, DType::f16) && !widens(DType::u8, DType::i8));
static_assert(!widens(DType::i8, DType::u64) && !widens(DType::i8, DType::f32) && !widens(DType::f16, DType::i64));
static_assert(!widens(DType::f16, DType::bf16) && !widens(DType::bf16, DType::f16) && !widens(DType::b8, DType::u8));
static_assert(!widens(DType::u8, DType::b8) && widens(DType::b8, DType::b8) && widens(DType::e8m0, DType::bf16));
static_assert(!widens(DType::e8m0, DType::f16) && !widens(DType::e4m3, DType::e5m2) && widens(DType::e5m2, DType::f16));

static_assert(accumulator(DType::f16) == DType::f32 && accumulator(DType::e4m3) == DType::f32);
static_assert(accumulator(DType::i8) == DType::i32 && accumulator(DType::u16) == DType::i32);
static_assert(accumulator(DType::f64) == DType::f64 && accumulator(DType::u32) == DType::u32 &&
              accumulator(DType::i64) == DType::i64);

static_assert(std::is_same_v<host_type<DType::f32>, float> && std::is_same_v<host_type<DType::b8>, bool>);
static_assert(std::is_same_v<host_type<DType::bf16>, bf16> && std::is_same_v<host_type<DType::u64>, std::uint64_t>);
static_assert(dtype_of<double> == DType::f64 && dtype_of<const int> == DType::i32 && dtype_of<bool> == DType::b8);
static_assert(dtype_of<long long> == DType::i64 && dtype_of<unsigned long> == DType::u64 &&
              dtype_of<fp4> == DType::e2m1);
static_assert(dtype_of<fp6> == DType::e3m2 && dtype_of<fp8_e4m3> == DType::e4m3 && dtype_of<fp8_e5m2> == DType::e5m2);
static_assert(ElementType<const f16> && !ElementType<char> && !ElementType<void*> && !ElementType<long double>);

}  // namespace

TEST_CASE("dtype: the table agrees with the values that each type has") {
  for (DType t : reference::all_types) {
    CAPTURE(dtype_name(t));
    const DTypeInfo& row = info(t);
    const reference::Facts f = reference::facts(t);
    CHECK(row.bits == f.bits);
    CHECK(row.is_floating() == reference::is_float(t));
    CHECK(row.is_integer() == f.integer);
    CHECK(row.has_sign == f.is_signed);
    CHECK(row.has_inf == f.infinity);
    CHECK(row.has_nan == f.nan);
    CHECK(row.exponent_bits == f.exponent);
    CHECK(row.mantissa_bits == f.mantissa);
    CHECK(row.is_sub_byte() == (f.bits < 8));
    if (f.bits > 16) continue;
    Real least = 1e30L, largest = 0;
    bool zero = false;
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << f.bits); ++bits) {
      const Real x = reference::decode(t, bits);
      if (!std::isfinite(x)) continue;
      zero |= x == 0;
      if (x > 0) least = std::min(least, x);
      largest = std::max(largest, x);
    }
    CHECK(row.has_zero == zero);
    CHECK(std::ilogb(least) == row.min_exponent);
    CHECK(std::ldexp(Real{1}, std::ilogb(least)) == least);
    CHECK(std::ilogb(largest) == row.max_exponent);
  }
  CHECK(info(DType::f32).min_exponent == std::ilogb(std::numeric_limits<float>::denorm_min()));
  CHECK(info(DType::f32).max_exponent == std::ilogb(std::numeric_limits<float>::max()));
  CHECK(info(DType::f64).min_exponent == std::ilogb(std::numeric_limits<double>::denorm_min()));
  CHECK(info(DType::f64).max_exponent == std::ilogb(std::numeric_limits<double>::max()));
  CHECK(info(DType::f32).precision == std::numeric_limits<float>::digits);
  CHECK(info(DType::f64).precision == std::numeric_limits<double>::digits);
  CHECK(info(DType::i64).precision == 63);
  CHECK(info(DType::u32).precision == 32);
}

TEST_CASE("dtype: widening is exactly the inclusion of values, within integers and within floats") {
  for (DType from : reference::all_types)
    for (DType to : reference::all_types) {
      CAPTURE(dtype_name(from));
      CAPTURE(dtype_name(to));
      if (from == DType::b8 || to == DType::b8 || reference::is_float(from) != reference::is_float(to)) {
        CHECK(widens(from, to) == (from == to));
        continue;
      }
      if (info(from).bits > 16) continue;
      bool lossless = true;
      for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << info(from).bits) && lossless; ++bits) {
        const Real x = reference::decode(from, bits);
        if (info(to).bits > 16 && info(to).is_floating()) break;
        if (info(to).is_integer()) {
          const Real top = std::ldexp(Real{1}, info(to).has_sign ? info(to).bits - 1 : info(to).bits);
          lossless = x < top && x >= (info(to).has_sign ? -top : 0);
        } else if (std::isnan(x) || std::isinf(x)) {
          lossless = std::isnan(x) ? info(to).has_nan : info(to).has_inf;
        } else {
          const auto& values = reference::table(to).values;
          lossless =
              std::binary_search(values.begin(), values.end(), std::fabs(x)) && (!std::signbit(x) || info(to).has_sign);
        }
      }
      CHECK(widens(from, to) == lossless);
    }
  for (DType a : {DType::i32, DType::u32, DType::i64, DType::u64, DType::f32, DType::f64})
    for (DType b : reference::all_types) {
      const bool expected = a == b || (a == DType::f32 && b == DType::f64) || (a == DType::i32 && b == DType::i64) ||
                            (a == DType::u32 && (b == DType::u64 || b == DType::i64));
      CHECK(widens(a, b) == expected);
    }
}

TEST_CASE("dtype: names are unique and parse back") {
  std::set<std::string_view> names;
  for (DType t : reference::all_types) {
    names.insert(dtype_name(t));
    DType back{};
    CHECK(parse_dtype(dtype_name(t), back));
    CHECK(back == t);
  }
  CHECK(names.size() == static_cast<std::size_t>(dtype_count));
  CHECK(reference::all_types.size() == static_cast<std::size_t>(dtype_count));
  DType untouched = DType::u16;
  CHECK_FALSE(parse_dtype("f15", untouched));
  CHECK_FALSE(parse_dtype("", untouched));
  CHECK(untouched == DType::u16);
}
