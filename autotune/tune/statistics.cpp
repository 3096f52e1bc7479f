// Owns the statistics of timings.
#include "autotune/tune/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

TESSERA_BEGIN
namespace autotune {
namespace {

void drop_nan(std::vector<double>& samples) {
  std::erase_if(samples, [](double x) { return std::isnan(x); });
  std::sort(samples.begin(), samples.end());
}

double middle(const std::vector<double>& sorted) {
  if (sorted.empty()) return 0;
  const std::size_t n = sorted.size();
  return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

}  // namespace

double median(std::vector<double> samples) {
  drop_nan(samples);
  return middle(samples);
}

Interval median_interval(std::vector<double> samples, double confidence) {
  drop_nan(samples);
  if (samples.empty()) return {};
  // The number of samples below the median is binomial: the largest k with P(fewer than k) small on both sides.
  const std::size_t n = samples.size();
  std::size_t k = 0;
  double probability = std::pow(0.5, static_cast<double>(n)), below = probability;
  while (k + 1 < (n + 1) / 2 && 2 * below <= 1 - confidence) {
    ++k;
    probability *= static_cast<double>(n - k + 1) / static_cast<double>(k);
    below += probability;
  }
  const std::size_t from = k > 0 ? k - 1 : 0;
  return {samples[from], middle(samples), samples[n - 1 - from]};
}

Interval slower_by(std::span<const double> a, std::span<const double> b, double confidence) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i] > 0 && b[i] > 0) ratios.push_back(std::log(a[i] / b[i]));  // false for NaN
  return median_interval(std::move(ratios), confidence);
}

}  // namespace autotune
TESSERA_END
