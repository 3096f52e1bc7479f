// Tests every conversion against the plain definition of reference.hpp: all patterns of sources of 16 bits or fewer,
// and of wider ones the neighbourhoods of every target value and midpoint, with many random patterns.
#include <doctest/doctest.h>

#include <bit>
#include <set>

#include "reference.hpp"

using namespace tessera;
using reference::Real;

namespace {

struct Mode {
  Rounding rounding;
  Saturation saturation;
};
constexpr Mode modes[] = {
    {Rounding::standard, Saturation::standard},     {Rounding::nearest_even, Saturation::saturate},
    {Rounding::nearest_even, Saturation::overflow}, {Rounding::toward_zero, Saturation::saturate},
    {Rounding::toward_zero, Saturation::overflow},  {Rounding::stochastic, Saturation::saturate},
    {Rounding::stochastic, Saturation::overflow}};

/// The nearest f32 or f64 by the processor, moved by one where another rounding asks for it.
template <class T, class Bits>
std::uint64_t convert_by_hardware(Real x, Rounding rounding, bool saturate, std::uint64_t random) {
  const T infinity = std::numeric_limits<T>::infinity(), largest = std::numeric_limits<T>::max();
  T y = static_cast<T>(x);
  if (std::isfinite(x) && (rounding == Rounding::toward_zero || rounding == Rounding::stochastic)) {
    T low = std::fabs(static_cast<Real>(y)) > std::fabs(x) ? std::nextafter(y, T{0}) : y;
    T high = std::nextafter(low, x < 0 ? -infinity : infinity);
    Real step = std::fabs(static_cast<Real>(high) - low);
    if (std::isinf(high)) step = std::fabs(static_cast<Real>(low) - std::nextafter(low, T{0}));
    const bool inside = std::fabs(x) < std::fabs(static_cast<Real>(low)) + step;
    const Real from = std::fabs(static_cast<Real>(low));
    y = !inside && rounding == Rounding::stochastic                                   ? high
        : reference::goes_up(std::fabs(x), from, from + step, true, rounding, random) ? high
                                                                                      : low;
  }
  if (saturate && std::isinf(y)) y = std::copysign(largest, y);
  return std::bit_cast<Bits>(y);
}

std::uint64_t expected(DType from, DType to, std::uint64_t bits, Mode mode, std::uint64_t random) {
  if (to != DType::f32 && to != DType::f64)
    return reference::convert(from, to, bits, mode.rounding, mode.saturation, random);
  if (from == to) return bits;
  const Real x = reference::decode(from, bits);
  const bool saturate = mode.saturation == Saturation::saturate;
  if (to == DType::f32) return convert_by_hardware<float, std::uint32_t>(x, mode.rounding, saturate, random);
  return convert_by_hardware<double, std::uint64_t>(x, mode.rounding, saturate, random);
}

/// Counts what differs, and tells of the first.
struct Checker {
  DType from, to;
  int wrong = 0;
  std::uint64_t checked = 0, first = 0;

  void check(std::uint64_t bits, Mode mode, std::uint64_t random) {
    const std::uint64_t got = convert_bits(from, to, bits, mode.rounding, mode.saturation, random);
    ++checked;
    if (reference::same(to, got, expected(from, to, bits, mode, random)) || wrong++ != 0) return;
    first = bits;
    MESSAGE("rounding " << int(mode.rounding) << ", saturation " << int(mode.saturation) << ", random " << random
                        << ": got " << got << ", expected " << expected(from, to, bits, mode, random));
  }
  void finish() const {
    CHECK(checked > 0);
    CHECK_MESSAGE(wrong == 0, wrong << " wrong of " << checked << ", first: " << reference::describe(from, to, first));
  }
};

/// The source patterns around `x`, three on either side.
void add_around(DType from, Real x, std::set<std::uint64_t>& patterns) {
  const int bits = info(from).bits;
  const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  std::uint64_t at = 0;
  if (from == DType::f32) {
    at = std::bit_cast<std::uint32_t>(static_cast<float>(x));
  } else if (from == DType::f64) {
    at = std::bit_cast<std::uint64_t>(static_cast<double>(x));
  } else {
    const Real limit = std::ldexp(Real{1}, 64);
    if (x >= limit || x <= -limit) return;
    at = x < 0 ? 0 - static_cast<std::uint64_t>(-x) : static_cast<std::uint64_t>(x);
  }
  for (std::uint64_t d = 0; d <= 6; ++d) patterns.insert((at + d - 3) & mask);
}

}  // namespace

TEST_CASE("convert: every pattern of every type of 16 bits or fewer, into every type") {
  for (DType from : reference::all_types) {
    if (info(from).bits > 16) continue;
    for (DType to : reference::all_types) {
      Checker checker{from, to};
      reference::Random random{7};
      for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << info(from).bits); ++bits)
        for (Mode mode : modes) checker.check(bits, mode, random());
      checker.finish();
    }
  }
}

TEST_CASE("convert: wide sources around every value and midpoint of narrow floats") {
  for (DType from : {DType::f32, DType::f64, DType::i32, DType::u32, DType::i64, DType::u64})
    for (DType to : reference::all_types) {
      if (!reference::is_float(to) || info(to).bits > 16) continue;
      std::set<std::uint64_t> patterns;
      const reference::Table& t = reference::table(to);
      // All of them up to 8 bits; of 16 bits every 37th, and the ends.
      for (std::size_t i = 0; i < t.values.size(); ++i) {
        const bool end = i < 8 || i + 8 > t.values.size();
        if (info(to).bits > 8 && !end && i % 37 != 0) continue;
        const Real next = i + 1 < t.values.size() ? t.values[i + 1] : t.beyond;
        for (Real sign : {Real{1}, Real{-1}}) {
          add_around(from, sign * t.values[i], patterns);
          add_around(from, sign * (t.values[i] + next) / 2, patterns);
          add_around(from, sign * (t.values[i] + (next - t.values[i]) * Real{0.37}), patterns);
        }
      }
      add_around(from, t.beyond, patterns);
      add_around(from, -t.beyond, patterns);
      Checker checker{from, to};
      reference::Random random{8};
      for (std::uint64_t bits : patterns)
        for (Mode mode : modes) checker.check(bits, mode, random());
      checker.finish();
    }
}

TEST_CASE("convert: wide sources around the limits of integers and of wide floats") {
  for (DType from : {DType::f32, DType::f64, DType::i32, DType::u32, DType::i64, DType::u64}) {
    std::set<std::uint64_t> patterns;
    for (int exponent = -160; exponent < 140; ++exponent)
      for (Real factor :
           {Real{1}, Real{1.5}, Real{-1}, Real{-1.5}, 1 + std::ldexp(Real{1}, -24), -1 - std::ldexp(Real{1}, -25),
            1 + 3 * std::ldexp(Real{1}, -24), 1 - std::ldexp(Real{1}, -25)})
        add_around(from, std::ldexp(factor, exponent), patterns);
    for (Real half = -4; half <= 4; half += Real{0.25}) add_around(from, half, patterns);
    for (int exponent : {-1074, -1073, -1023, -1022, 1000, 1023})
      add_around(from, std::ldexp(Real{1}, exponent), patterns);
    for (std::uint64_t top : {0x7ff0u, 0xfff0u, 0x7ff8u, 0xfff8u, 0x7fefu}) patterns.insert(top << 48);
    for (std::uint64_t top : {0x7f80u, 0xff80u, 0x7fc0u, 0xffc0u, 0x7f7fu})
      patterns.insert(top << 16 | (top == 0x7f7fu ? 0xffffu : 0));
    const int width = info(from).bits;
    for (DType to : reference::all_types) {
      Checker checker{from, to};
      reference::Random random{9};
      for (std::uint64_t bits : patterns)
        if (width == 64 || bits >> width == 0)
          for (Mode mode : modes) checker.check(bits, mode, random());
      checker.finish();
    }
  }
}

TEST_CASE("convert: random patterns of wide sources") {
  for (DType from : {DType::f32, DType::f64, DType::i32, DType::u32, DType::i64, DType::u64})
    for (DType to : reference::all_types) {
      Checker checker{from, to};
      reference::Random random{10};
      for (int i = 0; i < 4000; ++i) {
        std::uint64_t bits = random() >> (64 - info(from).bits);
        if (i % 2 == 1 && info(from).is_floating()) {  // exponents near 0, where narrow types have their values
          const double near = std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())),
                                         static_cast<int>(random() % 60) - 90);
          bits = from == DType::f32 ? std::bit_cast<std::uint32_t>(static_cast<float>(near))
                                    : std::bit_cast<std::uint64_t>(near);
        } else if (i % 2 == 1) {  // small magnitudes
          bits >>= random() % static_cast<unsigned>(info(from).bits);
        }
        for (Mode mode : modes) checker.check(bits, mode, random());
      }
      checker.finish();
    }
}

TEST_CASE("convert: stochastic rounding is unbiased, and exact values never move") {
  reference::Random random{11};
  for (DType to : {DType::bf16, DType::f16, DType::e4m3, DType::e5m2, DType::e3m2, DType::e2m1, DType::i8}) {
    for (double x : {1.1, 2.7, -1.3, 0.61}) {
      double total = 0;
      constexpr int draws = 20000;
      for (int i = 0; i < draws; ++i)
        total += to_double(to, bits_from_double(to, x, Rounding::stochastic, Saturation::standard, random()));
      CHECK(total / draws == doctest::Approx(x).epsilon(0.02));
    }
    for (double x : {1.0, -2.0, 0.0, 4.0})
      for (std::uint64_t r : {std::uint64_t{0}, ~std::uint64_t{0}, random()})
        CHECK(to_double(to, bits_from_double(to, x, Rounding::stochastic, Saturation::standard, r)) == x);
  }
  // Adding the top 16 random bits below bf16's last place is the same rule: what vector code does.
  for (int i = 0; i < 20000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random() % 0x7f000000u);
    const std::uint64_t r = random();
    const std::uint64_t got =
        convert_bits(DType::f32, DType::bf16, bits, Rounding::stochastic, Saturation::overflow, r);
    CHECK(got == (bits + static_cast<std::uint32_t>(r >> 48)) >> 16);
  }
}

TEST_CASE("convert: doubles and 64-bit integers in one call") {
  reference::Random random{12};
  for (DType t : reference::all_types) {
    CAPTURE(dtype_name(t));
    const bool exhaustive = info(t).bits <= 16;
    const std::uint64_t count = exhaustive ? std::uint64_t{1} << info(t).bits : 5000;
    int wrong = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t bits = exhaustive ? i : random() >> (64 - info(t).bits);
      const Real x = reference::decode(t, bits);
      // Bits above the type's do not count. A double's NaN is compared by its pattern: what constants get.
      const std::uint64_t more = info(t).bits == 64 ? 0 : random() << info(t).bits;
      const double d = to_double(t, bits | (t == DType::b8 ? 0 : more));
      wrong += std::bit_cast<std::uint64_t>(d) != convert_bits(t, DType::f64, bits);
      wrong += !(std::isnan(x) ? std::isnan(d) : d == static_cast<double>(x) && std::signbit(d) == std::signbit(x));
      wrong += is_nan_bits(t, bits) != std::isnan(x);
      wrong += static_cast<std::uint64_t>(to_int64(t, bits)) != expected(t, DType::i64, bits, modes[0], 0);
      wrong += !reference::same(t, bits_from_int64(t, static_cast<std::int64_t>(bits)),
                                expected(DType::i64, t, bits, modes[0], 0));
    }
    CHECK(wrong == 0);
    const auto same_as_bits = [&](double x, Rounding rounding, Saturation saturation) {
      const std::uint64_t pattern = std::bit_cast<std::uint64_t>(x), word = random();
      return bits_from_double(t, x, rounding, saturation, word) ==
             convert_bits(DType::f64, t, pattern, rounding, saturation, word);
    };
    for (int i = 0; i < 5000; ++i) {
      const double mantissa = static_cast<double>(static_cast<std::int64_t>(random()));
      const double x = std::ldexp(mantissa, static_cast<int>(random() % 160) - 100);
      for (Mode mode : modes) wrong += !same_as_bits(x, mode.rounding, mode.saturation);
    }
    const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    for (double x :
         {0.0,   -0.0,  infinity, -infinity, nan,   0x1p63, -0x1p63, 0x1p64, 0x1p31, -0x1p31,        0x1p32,
          127.5, 128.0, -128.9,   -129.0,    255.9, 256.0,  -0.9,    7.9,    8.0,    0x1.fffffep127, 0x1.ffffffp127})
      for (Mode mode : modes) wrong += !same_as_bits(x, mode.rounding, mode.saturation);
    CHECK(wrong == 0);
  }
}

TEST_CASE("convert: limits of each type") {
  for (DType t : reference::all_types) {
    CAPTURE(dtype_name(t));
    Real low = 1e300L, high = -1e300L;
    bool infinity = false, nan = false;
    if (info(t).bits > 16) continue;
    const std::uint64_t count = t == DType::b8 ? 2 : std::uint64_t{1} << info(t).bits;
    for (std::uint64_t bits = 0; bits < count; ++bits) {
      const Real x = reference::decode(t, bits);
      infinity |= std::isinf(x);
      nan |= std::isnan(x);
      if (!std::isfinite(x)) continue;
      low = std::min(low, x);
      high = std::max(high, x);
    }
    CHECK(reference::decode(t, largest_bits(t)) == high);
    CHECK(reference::decode(t, lowest_bits(t)) == low);
    CHECK(reference::decode(t, max_identity_bits(t)) == (infinity ? -std::numeric_limits<Real>::infinity() : low));
    CHECK(reference::decode(t, min_identity_bits(t)) == (infinity ? std::numeric_limits<Real>::infinity() : high));
    CHECK(is_nan_bits(t, nan_bits(t)) == nan);
  }
  CHECK(to_double(DType::f64, max_identity_bits(DType::f64)) == -std::numeric_limits<double>::infinity());
  CHECK(to_double(DType::f32, largest_bits(DType::f32)) == static_cast<double>(std::numeric_limits<float>::max()));
  CHECK(to_int64(DType::i64, lowest_bits(DType::i64)) == std::numeric_limits<std::int64_t>::min());
  CHECK(largest_bits(DType::u64) == ~std::uint64_t{0});
  CHECK(largest_bits(DType::i32) == 0x7fffffff);
}
