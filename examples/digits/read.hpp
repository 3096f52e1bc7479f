// Owns reading images: by the kernels, and the same in plain float64 loops to compare with.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "data.hpp"
#include "kernels.hpp"

namespace digits {

inline constexpr std::size_t voters = 3;

/// What was read.
struct Reading {
  std::vector<std::int32_t> digit;    ///< of each image
  std::vector<std::int64_t> nearest;  ///< the positions of its `voters` nearest known images, nearest first

  /// How many of the labels were read.
  std::size_t right(const Images& images) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < digit.size(); ++i) count += digit[i] == images.label[i];
    return count;
  }
};

/// The arrays that the kernels work on, so that a kernel can be run again for timing.
struct Reader {
  const Split& split;
  std::size_t m = split.unread.count(), n = split.known.count();
  std::vector<float> aa = std::vector<float>(m), bb = std::vector<float>(n), d = std::vector<float>(m * n);

  void norms() {
    square_norms(view(split.unread.ink, {m, pixels}), aa);
    square_norms(view(split.known.ink, {n, pixels}), bb);
  }
  /// The kernel itself, the kernel with a configuration, or its tuning.
  template <class K>
  auto distances(const K& kernel) {
    return kernel(view(split.unread.ink, {m, pixels}), view(split.known.ink, {n, pixels}), aa, bb, view(d, {m, n}));
  }
  void votes(Reading& reading) {
    reading.digit.resize(m);
    reading.nearest.resize(m * voters);
    vote(view(d, {m, n}), split.known.label, view(reading.nearest, {m, voters}), reading.digit);
  }
  Reading read() {
    Reading reading;
    norms();
    distances(digits::distances);
    votes(reading);
    return reading;
  }
};

/// The same in float64, one pair of images after the other: Σ (a − b)², of equal distances the first image.
inline Reading read_in_float64(const Split& split) {
  Reading reading;
  std::vector<std::pair<double, std::int64_t>> all(split.known.count());
  for (std::size_t i = 0; i < split.unread.count(); ++i) {
    const auto a = split.unread.image(i);
    for (std::size_t j = 0; j < all.size(); ++j) {
      const auto b = split.known.image(j);
      double sum = 0;
      for (std::size_t p = 0; p < a.size(); ++p) {
        const double difference = static_cast<double>(a[p]) - static_cast<double>(b[p]);
        sum += difference * difference;
      }
      all[j] = {sum, static_cast<std::int64_t>(j)};
    }
    const std::size_t asked = std::min(voters, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(asked), all.end());
    std::array<int, 10> votes{};
    for (std::size_t c = 0; c < asked; ++c) {
      reading.nearest.push_back(all[c].second);
      votes[static_cast<std::size_t>(split.known.label[static_cast<std::size_t>(all[c].second)])] += c == 0 ? 3 : 2;
    }
    reading.digit.push_back(static_cast<std::int32_t>(std::max_element(votes.begin(), votes.end()) - votes.begin()));
  }
  return reading;
}

}  // namespace digits
