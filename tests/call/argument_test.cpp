// Tests which numbers are values of which scalar types, against a definition on exact wide arithmetic.
#include "tessera/call/argument.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

using namespace tessera;

namespace {

/// Whether the number of type `from` is a value of `to`, by long double (64 bits of significand: exact for all of
/// them).
bool expected(DType from, DType to, std::uint64_t bits) {
  const DTypeInfo &f = info(from), &t = info(to);
  if (from == to) return true;
  long double value = f.is_floating()         ? static_cast<long double>(to_double(from, bits))
                      : f.is_signed_integer() ? static_cast<long double>(static_cast<std::int64_t>(bits))
                                              : static_cast<long double>(bits);
  if (to == DType::b8) return !f.is_floating() && (value == 0 || value == 1);
  if (t.is_integer()) {
    if (std::isnan(value) || value != std::floor(value) || std::isinf(value)) return false;
    const long double high = std::ldexp(1.0L, t.precision), low = t.has_sign ? -high : 0;
    return value >= low && value < high;
  }
  if (std::isnan(value)) return t.has_nan;
  if (std::isinf(value)) return t.has_inf && (value > 0 || t.has_sign);
  if ((value < 0 && !t.has_sign) || (value == 0 && !t.has_zero)) return false;
  const long double size = std::fabs(value), limit = static_cast<long double>(to_double(to, largest_bits(to)));
  if (!f.is_floating()) {  // exact
    if (size == 0) return true;
    int exponent = 0;
    const long double part = std::frexp(size, &exponent);
    const long double scaled = std::ldexp(part, t.precision);
    return size <= limit && scaled == std::floor(scaled);
  }
  // Up to half of the last place beyond the limit rounds to it; without infinity nothing beyond does.
  const long double place = std::ldexp(1.0L, t.max_exponent - t.mantissa_bits);
  return t.has_inf ? size < limit + place / 2 : size <= limit;
}

}  // namespace

TEST_CASE("convert_scalar") {
  const std::array<double, 26> floats{0,     -0.0,     1,     -1,     0.1,    2.5,    6,      7,     28,
                                      29,    127,      128,   -128,   -129,   255,    256,    448,   480,
                                      65504, 65519.99, 65520, 3.4e38, 3.5e38, -1e300, 9.3e18, 1.9e19};
  const std::array<std::uint64_t, 17> integers{0,
                                               1,
                                               2,
                                               7,
                                               8,
                                               15,
                                               16,
                                               127,
                                               128,
                                               255,
                                               256,
                                               2049,
                                               16777217,
                                               std::uint64_t{1} << 53 | 1,
                                               std::numeric_limits<std::int64_t>::max(),
                                               std::uint64_t{1} << 63,
                                               ~std::uint64_t{0}};
  int values = 0;
  for (int i = 0; i < dtype_count; ++i)
    for (int j = 0; j < dtype_count; ++j) {
      const auto from = static_cast<DType>(i), to = static_cast<DType>(j);
      std::vector<std::uint64_t> given;
      if (info(from).is_floating()) {
        for (double value : floats) given.push_back(bits_from_double(from, value));
        given.push_back(nan_bits(from));
        if (info(from).has_inf) given.push_back(largest_bits(from) + 1);
      } else {
        for (std::uint64_t value : integers)
          given.push_back(call::extend(from, value)), given.push_back(call::extend(from, 0 - value));
      }
      for (std::uint64_t bits : given) {
        std::uint64_t word = 0;
        const bool fits = call::convert_scalar(from, to, bits, word);
        CAPTURE(dtype_name(from));
        CAPTURE(dtype_name(to));
        CAPTURE(bits);
        CHECK(fits == expected(from, to, bits));
        if (fits) CHECK(word == call::extend(to, word));
        if (fits && !(info(from).is_floating() && info(to).is_floating()))
          CHECK((is_nan_bits(from, bits) || to_double(to, word) == to_double(from, bits)));
        values += fits;
      }
    }
  CHECK(values > 1000);
}

TEST_CASE("scalar_word agrees with convert_scalar") {
  const auto one = [](auto value) {
    const auto to = [&]<DType To>() {
      std::uint64_t quick = 0, full = 0;
      const bool fits = call::scalar_word<To>(value, quick);
      CHECK(fits == call::convert_scalar(call::number_dtype<decltype(value)>(), To, call::number_bits(value), full));
      if (fits) CHECK(quick == full);
    };
    to.template operator()<DType::i4>();
    to.template operator()<DType::u8>();
    to.template operator()<DType::i16>();
    to.template operator()<DType::i32>();
    to.template operator()<DType::u32>();
    to.template operator()<DType::i64>();
    to.template operator()<DType::u64>();
    to.template operator()<DType::b8>();
    to.template operator()<DType::f16>();
    to.template operator()<DType::bf16>();
    to.template operator()<DType::f32>();
    to.template operator()<DType::f64>();
  };
  for (int value : {0, 1, -1, 7, 8, -8, -9, 255, 256, 32767, -32768, 32768, 65536})
    one(value), one(static_cast<long long>(value) << 20), one(static_cast<unsigned>(value)),
        one(static_cast<short>(value));
  one(std::numeric_limits<std::int64_t>::min());
  one(std::numeric_limits<std::uint64_t>::max());
  for (double value : {0.0, 1.5, -2.0, 1e10, 1e40, -1e40, 3.4028235677973366e38})
    one(value), one(static_cast<float>(value));
  one(true);
  one('a');
  one(f16(2.0f));
  one(2.0L);
}

TEST_CASE("number_text") {
  CHECK(call::number_text(DType::i8, call::number_bits(std::int8_t{-3})) == "-3");
  CHECK(call::number_text(DType::u64, ~std::uint64_t{0}) == "18446744073709551615");
  CHECK(call::number_text(DType::b8, 1) == "true");
  CHECK(call::number_text(DType::f64, element_bits(0.1)) == "0.1");
  CHECK(call::number_text(DType::f32, element_bits(0.1f)) == "0.1");
  CHECK(call::number_text(DType::f64, element_bits(1e300)) == "1e+300");
  CHECK(call::number_text(DType::f32, element_bits(-0.0f)) == "-0");
  CHECK(call::number_text(DType::f64, element_bits(__builtin_inf())) == "inf");
  CHECK(call::number_text(DType::f64, nan_bits(DType::f64)) == "nan");
}

TEST_CASE("what becomes an array") {
  static_assert(call::ArrayArgument<std::vector<float>> && call::ArrayArgument<const std::vector<float>>);
  static_assert(call::ArrayArgument<std::span<const int>> && call::ArrayArgument<std::array<double, 3>>);
  static_assert(call::ArrayArgument<float[4][5]> && call::ArrayArgument<float> && call::ArrayArgument<float* const>);
  static_assert(call::ArrayArgument<PackedVector<e2m1>> && !call::ArrayArgument<std::vector<bool>>);
  static_assert(!call::ArrayArgument<std::vector<std::vector<float>>> && !call::ArrayArgument<e2m1>);
  static_assert(!call::ArrayArgument<std::vector<e2m1>>);  // not packed
  std::vector<float> x(3);
  const auto raw = call::raw_argument(x, false);
  CHECK(raw.array);
  CHECK(raw.writable);
  CHECK(raw.rank == 1);
  CHECK(raw.extents[0] == 3);
  const auto& fixed = x;
  CHECK(!call::raw_argument(fixed, false).writable);
  float number = 2;
  CHECK(call::raw_argument(number, false).array);
  CHECK(!call::raw_argument(number, true).array);
}
