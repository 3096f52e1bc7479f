// Tests the exact search for common addresses against listing all of them.
#include "tessera/call/overlap.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

using namespace tessera;
using call::Footprint;
using call::Shares;

namespace {

template <class Visit>
void each_element(const Footprint& f, Visit visit) {
  std::array<std::int64_t, ir::max_rank> index{};
  while (true) {
    std::int64_t place = f.first;
    for (std::size_t i = 0; i < static_cast<std::size_t>(f.rank); ++i) place += index[i] * f.stride[i];
    visit(place);
    std::size_t axis = 0;
    for (; axis < static_cast<std::size_t>(f.rank); ++axis) {
      if (index[axis]++ < f.last[axis]) break;
      index[axis] = 0;
    }
    if (axis == static_cast<std::size_t>(f.rank)) return;
  }
}

}  // namespace

TEST_CASE("random arrays") {
  std::mt19937 random(1);
  const auto below = [&](int n) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(n)); };
  int counts[2][2] = {};
  for (int round = 0; round < 40000; ++round) {
    const auto make = [&] {
      Footprint f;
      f.first = below(80);
      f.width = 1 + below(4);
      f.rank = static_cast<int>(below(5));
      for (std::size_t i = 0; i < static_cast<std::size_t>(f.rank); ++i) f.last[i] = below(4), f.stride[i] = below(24);
      return f;
    };
    const Footprint a = make(), b = make();
    std::set<std::int64_t> places, units;
    bool repeats = false, shares = false;
    each_element(a, [&](std::int64_t place) {
      repeats |= !places.insert(place).second;
      for (std::int64_t unit = 0; unit < a.width; ++unit) units.insert(place + unit);
    });
    each_element(b, [&](std::int64_t place) {
      for (std::int64_t unit = 0; unit < b.width; ++unit) shares |= units.count(place + unit) > 0;
    });
    CHECK(call::share_memory(a, b) == (shares ? Shares::yes : Shares::no));
    CHECK(call::share_memory(b, a) == (shares ? Shares::yes : Shares::no));
    CHECK(call::repeats_address(a) == (repeats ? Shares::yes : Shares::no));
    ++counts[0][shares], ++counts[1][repeats];
  }
  for (auto& kind : counts)
    for (int count : kind) CHECK(count > 2000);
}

TEST_CASE("large arrays are decided quickly") {
  // Halves of the columns of a matrix of 2^20 × 2^20, in bytes of f32; and one column more.
  const std::int64_t n = std::int64_t{1} << 20;
  Footprint left{0, 4, 2, {n - 1, n / 2 - 1}, {4 * n, 4}}, right{2 * n, 4, 2, {n - 1, n / 2 - 1}, {4 * n, 4}};
  CHECK(call::share_memory(left, right) == Shares::no);
  ++left.last[1];
  CHECK(call::share_memory(left, right) == Shares::yes);
  // Strides that are multiples of 6 and 10 against an odd place: a common divisor says no.
  CHECK(call::share_memory({0, 1, 2, {n, n}, {6, 10}}, {777'777, 1, 2, {n, n}, {14, 22}}) == Shares::no);
  CHECK(call::share_memory({0, 1, 2, {n, n}, {6, 10}}, {777'778, 1, 2, {n, n}, {14, 22}}) == Shares::yes);
  // A diagonal: stride n + 1 does not meet itself.
  CHECK(call::repeats_address({0, 1, 1, {n}, {n + 1}}) == Shares::no);
  CHECK(call::repeats_address({0, 1, 2, {n + 1, n}, {n, n + 1}}) == Shares::yes);
  CHECK(call::repeats_address({0, 1, 2, {n, n}, {n, n + 1}}) == Shares::no);
  CHECK(call::repeats_address({0, 1, 2, {3, 3}, {0, 1}}) == Shares::yes);
}
