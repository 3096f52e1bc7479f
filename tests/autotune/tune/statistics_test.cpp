// Owns the tests of the statistics of timings.
#include "autotune/tune/statistics.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace tessera::autotune;
constexpr double nan_ = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("statistics: medians leave NaN out") {
  CHECK(median({}) == 0);
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, nan_, 1, 2, 3}) == 2.5);
}

TEST_CASE("statistics: few samples lie between their smallest and largest; outliers move neither end of many") {
  const Interval few = median_interval({5, 1, 3});
  CHECK(few.low == 1);
  CHECK(few.middle == 3);
  CHECK(few.high == 5);
  std::vector<double> many(20, 1.0);
  many[3] = 1000;
  many[4] = 0.001;
  const Interval all = median_interval(many);
  CHECK(all.low == 1);
  CHECK(all.high == 1);
}

TEST_CASE("statistics: the interval holds the true median as often as it says") {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> noise(0, 0.3);  // median 1
  for (const int n : {6, 9, 15, 24}) {
    int held = 0;
    for (int trial = 0; trial < 2000; ++trial) {
      std::vector<double> samples;
      for (int i = 0; i < n; ++i) samples.push_back(noise(random));
      const Interval interval = median_interval(samples);
      held += interval.low <= 1 && 1 <= interval.high;
    }
    CHECK(held >= 1880);  // 95 % of 2000, less three standard deviations
  }
}

TEST_CASE("statistics: what slows a whole round counts for nobody") {
  std::vector<double> a, b;
  for (int round = 0; round < 12; ++round) {
    const double machine = round % 3 == 0 ? 2.5 : 1;
    a.push_back(1.10 * machine), b.push_back(1.00 * machine);
  }
  a[5] = nan_;
  const Interval slower = slower_by(a, b);
  CHECK(slower.low == doctest::Approx(std::log(1.1)));
  CHECK(slower.high == doctest::Approx(std::log(1.1)));
}
