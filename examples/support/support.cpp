// Owns the definitions of support.hpp.
#include "support/support.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "support/peak.hpp"

namespace example {

double dot(const float* x, const float* y, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += double{x[i]} * y[i];
  return sum;
}

Run::Run(const char* title, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) small_ = small_ || std::strcmp(argv[i], "--small") == 0;
  std::printf("%s\n", title);
}

// splitmix64: every state is a good start, and the numbers are the same everywhere.
double Run::uniform() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return static_cast<double>((z ^ z >> 31) >> 11) * 0x1p-53;
}

std::vector<std::size_t> Run::some(std::size_t n, std::size_t most) {
  std::vector<std::size_t> positions(std::min(n, most));
  for (std::size_t i = 0; i < positions.size(); ++i)
    positions[i] = n <= most ? i : static_cast<std::size_t>(uniform() * static_cast<double>(n));
  return positions;
}

// The first run compiles. Then both by turns, so that what else the machine does meets both.
double Run::best_of(const std::function<void()>& work, const std::function<void()>& peer) const {
  using Clock = std::chrono::steady_clock;
  work();
  double best = 1e30, all = 0;
  for (int i = 0; i < (small_ ? 2 : 40) && (i < 3 || all < 2); ++i) {
    const auto begin = Clock::now();
    work();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    peer();
    best = std::min(best, seconds);
    all += std::chrono::duration<double>(Clock::now() - begin).count();
  }
  return best;
}

// The rate of a small run says nothing about a machine's limits.
void Run::show(const char* what, double rate, const char* unit, const char* peer, double limit) const {
  std::printf("  %-32s %9.2f %s", what, rate, unit);
  if (limit > 0) std::printf("   %s %.2f %s: %.1f %%", peer, limit, unit, 100 * rate / limit);
  std::printf("\n");
}

double Run::bytes(const char* what, double count, const std::function<void()>& work) {
  double limit = 0;
  const double seconds = best_of(work, [&] {
    if (!small_) limit = std::max(limit, measure_memcpy(std::min(count, 1e9)));
  });
  show(what, count / 1e9 / seconds, "GB/s", "memcpy", limit);
  return seconds;
}

double Run::operations(const char* what, double count, const std::function<void()>& work) {
  double limit = 0;
  const double seconds = best_of(work, [&] {
    if (!small_) limit = std::max(limit, measure_peak_of_all());
  });
  show(what, count / 1e9 / seconds, "GFLOP/s", "peak", limit);
  return seconds;
}

double Run::things(const char* what, const char* unit, double count, const std::function<void()>& work) {
  const double seconds = best_of(work, [] {});
  show(what, count / seconds, unit, "", 0);
  return seconds;
}

void Run::expect(double got, double expected, double tolerance) {
  const double error = std::abs(got - expected) / std::max(1.0, std::abs(expected));
  ++compared_;
  largest_ = std::max(largest_, error);
  if (got == expected || error <= tolerance) return;  // the first: infinities
  if (failures_++ == 0) first_got_ = got, first_expected_ = expected;
}

int Run::result() const {
  if (failures_ != 0)
    std::printf("  WRONG: %zu of %zu numbers differ from float64; the first is %.9g, expected %.9g\n", failures_,
                compared_, first_got_, first_expected_);
  else
    std::printf("  %zu numbers compared with plain float64 loops: largest error %.2g\n", compared_, largest_);
  return failures_ == 0 && compared_ != 0 ? 0 : 1;
}

}  // namespace example
