// Owns what the examples share: their sizes, random data, timing beside the machine's limits, comparison with float64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace example {

/// Σ x[i] y[i] for i < n in float64.
double dot(const float* x, const float* y, std::size_t n);

/// One run of an example: it gives sizes and data, prints rates, and compares results.
class Run {
 public:
  /// `--small` on the command line chooses the sizes of the tests. Prints `title`.
  Run(const char* title, int argc, char** argv);

  bool small() const { return small_; }
  std::size_t size(std::size_t real, std::size_t small) const { return small_ ? small : real; }

  /// n numbers of [low, high), the same in every run; the next call gives others.
  template <class T = float>
  std::vector<T> random(std::size_t n, double low = -1, double high = 1) {
    std::vector<T> numbers(n);
    for (T& x : numbers) x = static_cast<T>(low + (high - low) * uniform());
    return numbers;
  }
  /// n whole numbers from low to high, both included.
  template <class T>
  std::vector<T> integers(std::size_t n, std::int64_t low, std::int64_t high) {
    std::vector<T> numbers(n);
    for (T& x : numbers)
      x = static_cast<T>(low + static_cast<std::int64_t>(uniform() * static_cast<double>(high - low + 1)));
    return numbers;
  }
  /// `most` positions below n without a pattern, or all of them where there are no more: what a check can afford.
  std::vector<std::size_t> some(std::size_t n, std::size_t most);

  /// Each of these prints the best rate of several runs of `work`, which does so much: bytes read and written, beside
  /// memcpy; floating-point operations, beside the machine's peak; other things, beside nothing. Gives the seconds.
  double bytes(const char* what, double count, const std::function<void()>& work);
  double operations(const char* what, double count, const std::function<void()>& work);
  double things(const char* what, const char* unit, double count, const std::function<void()>& work);

  /// Counts a failure unless |got − expected| ≤ tolerance · max(1, |expected|).
  void expect(double got, double expected, double tolerance = 0);
  template <class T>
  void expect_all(const std::vector<T>& got, const std::vector<double>& expected, double tolerance = 0) {
    for (std::size_t i = 0; i < got.size(); ++i) expect(static_cast<double>(got[i]), expected.at(i), tolerance);
  }
  /// Prints what was compared. What main returns: 0, or 1 where something differed or nothing was compared.
  int result() const;

 private:
  double uniform();
  void show(const char* what, double rate, const char* unit, const char* peer, double limit) const;
  double best_of(const std::function<void()>& work, const std::function<void()>& peer) const;

  bool small_ = false;
  std::uint64_t state_ = 1;
  std::size_t compared_ = 0, failures_ = 0;
  double largest_ = 0, first_got_ = 0, first_expected_ = 0;
};

}  // namespace example
