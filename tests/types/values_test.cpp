// Tests the host value types: conversions and comparisons, in constant evaluation and at run time.
#include "tessera/types/values.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "reference.hpp"

using namespace tessera;

namespace {

// Floats into floats: nearest even, one rounding.
static_assert(f16(1.0f).bits() == 0x3c00 && f16(-2).bits() == 0xc000 && f16(-0.0).bits() == 0x8000);
static_assert(f16(65519.996).bits() == 0x7bff && f16(65520.0).bits() == 0x7c00 && bf16(1e39).bits() == 0x7f80);
static_assert(f16(2049).bits() == f16(2048).bits() && f16(2051.0).bits() == f16(2052).bits());
static_assert(f16(0x1p-25).bits() == 0 && f16(0x1.000001p-25).bits() == 1 && f16(0x3p-25).bits() == 2);
static_assert(bf16(f16(3)).bits() == 0x4040 && f16(bf16(3)).bits() == 0x4200);
// Through f32 each of these would round twice, and end elsewhere.
static_assert(f16(1 + 0x1p-11 + 0x1p-40).bits() == 0x3c01 && f16(1 + 0x1p-11).bits() == 0x3c00);
static_assert(bf16(1 + 0x1p-8 + 0x1p-50).bits() == 0x3f81 && bf16(1 + 0x1p-8).bits() == 0x3f80);
static_assert(bf16(std::int64_t{0x0101000000000001}).bits() == 0x5b81 &&
              bf16(std::int64_t{0x0101000000000000}).bits() == 0x5b80);
static_assert(convert_to<float>(std::int64_t{0x0000010000010001}) == 0x1.000002p40f);

// Narrow floats saturate, unless told otherwise.
static_assert(float(e4m3(1e9)) == 448 && float(e4m3(-449)) == -448 && e4m3(1e9).bits() == 0x7e);
static_assert(float(e5m2(1e9)) == 57344 && float(e3m2(100)) == 28 && float(e2m3(100)) == 7.5f && float(e2m1(100)) == 6);
static_assert(convert_to<e4m3>(1e9, Rounding::nearest_even, Saturation::overflow).bits() == 0x7f);
static_assert(convert_to<e5m2>(1e9, Rounding::nearest_even, Saturation::overflow).bits() == 0x7c);
static_assert(convert_to<f16>(1e9, Rounding::nearest_even, Saturation::saturate).bits() == 0x7bff);
static_assert(convert_to<f16>(1e9, Rounding::toward_zero, Saturation::overflow).bits() == 0x7bff);
static_assert(convert_to<f16>(std::numeric_limits<float>::infinity(), Rounding::toward_zero).bits() == 0x7c00);
static_assert(float(e2m1(0.25)) == 0 && float(e2m1(0.75)) == 1 && float(e2m1(2.5)) == 2 && float(e2m1(5)) == 4);
static_assert(float(e2m1(std::numeric_limits<float>::quiet_NaN())) == 6 &&
              e4m3(std::numeric_limits<double>::quiet_NaN()).bits() == 0x7f);

// e8m0: powers of two.
static_assert(double(e8m0(1)) == 1 && double(e8m0(1.5)) == 2 && double(e8m0(3)) == 2 && double(e8m0(0.7)) == 0.5);
static_assert(double(e8m0(0)) == 0x1p-127 && double(e8m0(1e-300)) == 0x1p-127 && double(e8m0(1e300)) == 0x1p127);
static_assert(e8m0(-1).bits() == 255 && e8m0(-0.0).bits() == 0 &&
              e8m0(std::numeric_limits<double>::infinity()).bits() == 254);
static_assert(double(convert_to<e8m0>(3.99, Rounding::toward_zero)) == 2);

// Integers.
static_assert(convert_to<i8>(2.9f) == 2 && convert_to<i8>(-2.9f) == -2 && convert_to<i8>(300.f) == 127 &&
              convert_to<u8>(-3.f) == 0);
static_assert(convert_to<i32>(std::numeric_limits<double>::quiet_NaN()) == 0 && convert_to<i32>(1e300) == 0x7fffffff);
static_assert(convert_to<i64>(9.3e18) == std::numeric_limits<i64>::max() &&
              convert_to<u64>(0x1.8p63f) == 0xc000000000000000u);
static_assert(convert_to<i8>(200) == -56 && convert_to<i8>(200, Rounding::standard, Saturation::saturate) == 127);
static_assert(convert_to<i32>(2.5, Rounding::nearest_even) == 2 && convert_to<i32>(3.5, Rounding::nearest_even) == 4);
static_assert(convert_to<u8>(258.0, Rounding::standard, Saturation::overflow) == 2);
static_assert(int(i4(7)) == 7 && int(i4(8)) == -8 && int(u4(17)) == 1 && int(i4(-1)) == -1 && i4(-1).bits() == 15);
static_assert(int(i4(9.f)) == 7 && int(u4(-1.f)) == 0);
static_assert(convert_to<b8>(0.3f) && !convert_to<b8>(-0.0) && convert_to<b8>(256) && convert_to<f32>(true) == 1);
static_assert(convert_to<b8>(std::numeric_limits<float>::quiet_NaN()));

// Stochastic: the carry of the fraction and the random bits decides.
static_assert(convert_to<i32>(2.25, Rounding::stochastic, Saturation::standard, std::uint64_t{3} << 62) == 3);
static_assert(convert_to<i32>(2.25, Rounding::stochastic, Saturation::standard, (std::uint64_t{3} << 62) - 1) == 2);
static_assert(convert_to<i32>(-2.25, Rounding::stochastic, Saturation::standard, ~std::uint64_t{0}) == -3);

// Comparison is by value.
static_assert(f16(1) < f16(2) && f16(2) >= f16(2) && f16(1) != f16(2) && f16(0.0) == f16(-0.0) && i4(-1) < i4(1));
static_assert(!(e4m3::from_bits(0x7f) == e4m3::from_bits(0x7f)) && !(e4m3::from_bits(0x7f) < e4m3(1)));
static_assert(!f16(0) && f16(0.5) && fp4::from_bits(0xff).bits() == 15);

static_assert(std::is_trivially_copyable_v<e8m0> && std::is_trivially_default_constructible_v<f16>);
static_assert(sizeof(f16) == 2 && sizeof(bf16) == 2 && sizeof(e4m3) == 1 && sizeof(i4) == 1 && alignof(e2m1) == 1);
static_assert(!std::is_convertible_v<float, f16> && !std::is_convertible_v<f16, float> &&
              std::is_constructible_v<bf16, f16>);
static_assert(!std::is_constructible_v<f16, char> && !std::is_constructible_v<f16, const char*>);

template <class T>
void round_trip() {
  for (unsigned bits = 0; bits < (1u << info(dtype_of<T>).bits); ++bits) {
    const T value = T::from_bits(static_cast<decltype(T{}.bits())>(bits));
    CHECK(value.bits() == bits);
    const reference::Real x = reference::decode(dtype_of<T>, bits);
    if (std::isnan(x)) {
      CHECK(std::isnan(float(value)));
      CHECK_FALSE(value == value);
      continue;
    }
    CHECK(static_cast<reference::Real>(float(value)) == x);
    CHECK(static_cast<reference::Real>(double(value)) == x);
    CHECK(T(float(value)).bits() == (std::isinf(x) && info(dtype_of<T>).bits <= 8 ? bits - 1 : bits));
    CHECK(value == value);
  }
}

}  // namespace

TEST_CASE("values: every pattern is exact in float and double, and comes back") {
  round_trip<i4>();
  round_trip<u4>();
  round_trip<e2m1>();
  round_trip<e2m3>();
  round_trip<e3m2>();
  round_trip<e4m3>();
  round_trip<e5m2>();
  round_trip<e8m0>();
  round_trip<f16>();
  round_trip<bf16>();
}

TEST_CASE("values: vectors of them start at zero") {
  const std::vector<f16> x(3);
  CHECK(x[2] == f16(0));
  CHECK(x[2].bits() == 0);
}
