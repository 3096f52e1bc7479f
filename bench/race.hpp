// Owns the comparison of two programs: both run in turn in this process, the median of nine ratios counts.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// Seconds that one of `times` calls takes.
inline double seconds(const std::function<void()>& f, int times) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / times;
}

/// Runs both in turn, nine times; reports the median ratio of work per second, ours over the peer's.
inline void race(benchmark::State& state, const std::function<void()>& ours, double our_work,
                 const std::function<void()>& peer, double peer_work, const char* unit) {
  ours(), peer();
  const double once = std::max(seconds(ours, 1), seconds(peer, 1));
  const int times = std::clamp(static_cast<int>(0.05 / std::max(once, 1e-9)), 1, 100000);
  for (auto _ : state) {
    std::vector<double> ratios, mine, other;
    for (int i = 0; i < 9; ++i) {
      const double a = seconds(ours, times), b = seconds(peer, times);
      mine.push_back(our_work / a), other.push_back(peer_work / b);
      ratios.push_back(mine.back() / other.back());
    }
    const auto median = [](std::vector<double> v) {
      std::sort(v.begin(), v.end());
      return v[v.size() / 2];
    };
    state.SetIterationTime(our_work / median(mine));
    state.counters["ratio"] = median(ratios);
    state.counters[std::string("ours_") + unit] = median(mine) * 1e-9;
    state.counters[std::string("peer_") + unit] = median(other) * 1e-9;
  }
}

}  // namespace bench
