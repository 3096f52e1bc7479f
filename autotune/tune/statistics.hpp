// Owns the statistics of timings: medians and their confidence intervals, without assuming how noise is distributed.
#pragma once

#include <span>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// A median and what it lies between.
struct Interval {
  double low = 0, middle = 0, high = 0;
};

/// The median; 0 of nothing. NaN samples are left out.
double median(std::vector<double> samples);

/// The median with an interval of order statistics that holds the true one with probability `confidence` (fewer than
/// six samples: smallest to largest). One outlier among many moves nothing. NaN samples are left out.
Interval median_interval(std::vector<double> samples, double confidence = 0.95);

/// By how much `a` is slower than `b`, as ln(a / b), from samples of the same rounds: what slows both in a round counts
/// for neither. NaN samples are left out with their partners.
Interval slower_by(std::span<const double> a, std::span<const double> b, double confidence = 0.95);

}  // namespace autotune
TESSERA_END
