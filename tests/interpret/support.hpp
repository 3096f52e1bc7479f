// Owns what the interpreter's tests share: arguments as vectors, running a program on them, data, comparisons.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "tessera/interpret/report.hpp"
#include "tessera/types/packed.hpp"
#include "tessera/types/values.hpp"

namespace interpret_test {

using tessera::DType;
using tessera::interpreter::FindingKind;
using tessera::interpreter::Options;
using tessera::interpreter::Report;
using Extents = std::vector<std::int64_t>;

/// One argument of a call: an array, contiguous unless strides are given, or a scalar.
struct Param {
  void* data = nullptr;
  Extents extents;
  Extents strides;
  std::uint64_t bits = 0;
};

template <class T>
Param array(std::vector<T>& v, Extents extents, Extents strides = {}) {
  return {v.data(), std::move(extents), std::move(strides), 0};
}
template <class T>
Param scalar(T x) {
  return {nullptr, {}, {}, tessera::element_bits(x)};
}

/// A configuration that gives every tunable one value.
struct Tile {
  std::int64_t size = 16;
};

/// Interprets a program: extents come from the arrays, derived ones are computed.
Report run(const tessera::ir::Program& program, const std::vector<Param>& params, Tile tile = {}, Options options = {});
/// The same without bounds of errors.
inline Options fast() {
  Options o;
  o.bounds = false;
  return o;
}

/// Numbers that look random and are the same everywhere.
struct Numbers {
  std::uint64_t state = 0x9e3779b97f4a7c15u;
  std::uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
  /// Uniform in [low, high).
  double real(double low = -1, double high = 1) {
    return low + (high - low) * static_cast<double>(next() >> 11) * 0x1p-53;
  }
  /// An integer in [low, high].
  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  template <class T>
  std::vector<T> reals(std::int64_t n, double low = -1, double high = 1) {
    std::vector<T> v;
    for (std::int64_t i = 0; i < n; ++i) v.push_back(static_cast<T>(real(low, high)));
    return v;
  }
  template <class T>
  std::vector<T> wholes(std::int64_t n, std::int64_t low, std::int64_t high) {
    std::vector<T> v;
    for (std::int64_t i = 0; i < n; ++i) v.push_back(static_cast<T>(whole(low, high)));
    return v;
  }
};

template <class T>
double as_double(T x) {
  return static_cast<double>(x);
}

inline std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Checks computed elements against float64 ones: close, and within the bound that the interpreter gives, but for what
/// a correctly rounded operation on exact operands leaves (whose bound is 0): `ulps` roundings of the type.
/// For results of several exact operations in a row, each of which rounds where float64 does not.
inline constexpr double any_rounding = 1e9;

template <class T>
void check_close(const Report& report, int argument, const std::vector<T>& got, const std::vector<double>& want,
                 double tolerance, double ulps = 2) {
  REQUIRE(got.size() == want.size());
  const auto& t = tessera::info(tessera::dtype_of<T>);
  const double unit = std::ldexp(1.0, 1 - t.precision);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < got.size() && wrong < 5; ++i) {
    const double x = as_double(got[i]), y = want[i];
    const double bound = report.bounds.empty() ? 0 : report.bounds[at(argument)].at(i);
    const bool same = x == y || (std::isnan(x) && std::isnan(y));
    const bool close = same || std::fabs(x - y) <= tolerance * std::max(1.0, std::fabs(y));
    const bool bounded = same || std::fabs(x - y) <= bound + ulps * unit * std::fabs(y) + 1e-30;
    const bool useful = bound <= 100 * tolerance * std::max(1.0, std::fabs(y));
    if (close && bounded && useful) continue;
    ++wrong;
    CAPTURE(i);
    CAPTURE(x);
    CAPTURE(y);
    CAPTURE(bound);
    CHECK_MESSAGE(close, "not close");
    CHECK_MESSAGE(bounded, "outside its bound");
    CHECK_MESSAGE(useful, "the bound is useless");
  }
  CHECK(wrong == 0);
}

template <class T, class U>
void check_equal(const std::vector<T>& got, const std::vector<U>& want) {
  REQUIRE(got.size() == want.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < got.size() && wrong < 5; ++i) {
    if (got[i] == static_cast<T>(want[i])) continue;
    ++wrong;
    CAPTURE(i);
    CHECK(as_double(got[i]) == as_double(want[i]));
  }
  CHECK(wrong == 0);
}

#define REQUIRE_OK(report) REQUIRE_MESSAGE((report).ok(), (report).text())

}  // namespace interpret_test
