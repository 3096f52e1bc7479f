// Measures scans, sorts, topk, histograms and extremes against the C++ library, its Parallel STL, oneTBB and Highway's
// vqsort: each pair interleaved in this process, the median of 9. One thread, except where the name says "threads".
#include <benchmark/benchmark.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_reduce.h>
#include <tbb/parallel_scan.h>
#include <tbb/parallel_sort.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "order_peers.hpp"
#include "race.hpp"
#include "tessera/tessera.hpp"

#ifdef TESSERA_HAS_VQSORT
#include <hwy/contrib/sort/vqsort.h>
#endif

namespace {

using namespace tessera;
using bench::race;

const Config one_thread{.threads = 1};

template <class T>
TESSERA_KERNEL(running_sums)(Kernel k, In<T, "M", "N"> x, Out<T, "M", "N"> y) {
  auto m = k.block<"M">(1);
  auto n = k.all<"N">();
  y(m, n) = cumsum<"N">(x(m, n));
};
TESSERA_KERNEL(largest_so_far)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.all<"N">();
  y(n) = associative_scan<"N">(x(n), -inf, [](auto a, auto b) { return max(a, b); });
};
template <class T>
TESSERA_KERNEL(sorted_rows)(Kernel k, In<T, "M", "N"> x, Out<T, "M", "N"> y) {
  auto m = k.block<"M">(1);
  auto n = k.all<"N">();
  y(m, n) = sort<"N">(x(m, n));
};
TESSERA_KERNEL(sorted_short)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(64);
  auto n = k.all<"N">();
  y(m, n) = sort<"N">(x(m, n));
};
TESSERA_KERNEL(best)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "K"> value, Out<i64, "M", "K"> place) {
  auto m = k.block<"M">(64);
  auto n = k.all<"N">(), c = k.all<"K">();
  auto [v, p] = topk<"N", "K">(x(m, n), c);
  value(m, c) = v;
  place(m, c) = p;
};
TESSERA_KERNEL(histogram_of_bytes)(Kernel k, In<u8, "N"> x, Out<i32, "B"> h) {
  auto n = k.block<"N">(65536);
  h(cast<i32>(x(n))) += 1;
};
TESSERA_KERNEL(histogram_of_floats)(Kernel k, In<f32, "N"> x, Out<i32, "B"> h) {
  auto n = k.block<"N">(65536);
  h(cast<i32>((x(n) + 1) * 128.f)) += 1;
};
TESSERA_KERNEL(place_of_largest)(Kernel k, In<f32, "M", "N"> x, Out<i64, "M"> y) {
  auto m = k.block<"M">(1);
  auto n = k.all<"N">();
  y(m) = argmax<"N">(x(m, n));
};
TESSERA_KERNEL(variances)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(1);
  auto n = k.all<"N">();
  auto [c, mu, m2] = reduce<"N">({1.f, x(m, n), 0.f}, {0.f, 0.f, 0.f}, [](auto a, auto b) {
    auto [na, ma, sa] = a;
    auto [nb, mb, sb] = b;
    auto all = na + nb, d = mb - ma, part = where(all > 0, nb / all, 0.f);
    return std::array{all, ma + d * part, sa + sb + d * d * na * part};
  });
  y(m) = m2 / c;
};

template <class T>
std::vector<T> random_values(std::size_t n) {
  std::mt19937 random(1);
  std::vector<T> v(n);
  for (T& x : v) {
    if constexpr (std::is_floating_point_v<T>)
      x = static_cast<T>(static_cast<double>(random()) / 2147483648.0 - 1);
    else if constexpr (sizeof(T) == 8)
      x = static_cast<T>(std::uint64_t{random()} << 32 | random());
    else
      x = static_cast<T>(random());
  }
  return v;
}

// ---- scans ----

template <class T>
void cumsum_vs_inclusive_scan(benchmark::State& state) {
  const auto n = state.range(0);
  const std::vector<T> x = random_values<T>(static_cast<std::size_t>(n));
  std::vector<T> y(x.size()), z(x.size());
  race(
      state, [&] { running_sums<T>.with(one_thread)(view(x.data(), {1, n}), view(y.data(), {1, n})); },
      static_cast<double>(n), [&] { std::inclusive_scan(x.begin(), x.end(), z.begin()); }, static_cast<double>(n), "G");
}
BENCHMARK_TEMPLATE(cumsum_vs_inclusive_scan, float)->Arg(1 << 12)->Arg(1 << 20)->UseManualTime()->Iterations(1);
BENCHMARK_TEMPLATE(cumsum_vs_inclusive_scan, std::int32_t)->Arg(1 << 12)->Arg(1 << 20)->UseManualTime()->Iterations(1);

template <class T>
void cumsum_vs_parallel_stl(benchmark::State& state) {
  const auto n = state.range(0);
  const std::vector<T> x = random_values<T>(static_cast<std::size_t>(n));
  std::vector<T> y(x.size()), z(x.size());
  race(
      state, [&] { running_sums<T>.with(one_thread)(view(x.data(), {1, n}), view(y.data(), {1, n})); },
      static_cast<double>(n), [&] { bench::scan_in_vectors(x, z); }, static_cast<double>(n), "G");
}
BENCHMARK_TEMPLATE(cumsum_vs_parallel_stl, float)->Arg(1 << 12)->Arg(1 << 20)->UseManualTime()->Iterations(1);
BENCHMARK_TEMPLATE(cumsum_vs_parallel_stl, std::int32_t)->Arg(1 << 12)->Arg(1 << 20)->UseManualTime()->Iterations(1);

void cumsum_rows_threads_vs_parallel_scan(benchmark::State& state) {
  constexpr std::int64_t m = 64, n = 1 << 16;
  const std::vector<float> x = random_values<float>(m * n);
  std::vector<float> y(x.size()), z(x.size());
  const auto scan = [&] {
    tbb::parallel_scan(
        tbb::blocked_range<std::size_t>(0, x.size()), 0.0f,
        [&](const tbb::blocked_range<std::size_t>& part, float sum, bool last) {
          for (std::size_t i = part.begin(); i < part.end(); ++i) {
            sum += x[i];
            if (last) z[i] = sum;
          }
          return sum;
        },
        std::plus<float>());
  };
  race(state, [&] { running_sums<float>(view(x.data(), {m, n}), view(y.data(), {m, n})); }, m * n, scan, m * n, "G");
}
BENCHMARK(cumsum_rows_threads_vs_parallel_scan)->UseManualTime()->Iterations(1);

void custom_scan_vs_inclusive_scan(benchmark::State& state) {
  constexpr std::int64_t n = 1 << 16;
  const std::vector<float> x = random_values<float>(n);
  std::vector<float> y(n), z(n);
  race(
      state, [&] { largest_so_far.with(one_thread)(view(x.data(), {n}), view(y.data(), {n})); }, n,
      [&] { std::inclusive_scan(x.begin(), x.end(), z.begin(), [](float a, float b) { return std::max(a, b); }); }, n,
      "G");
}
BENCHMARK(custom_scan_vs_inclusive_scan)->UseManualTime()->Iterations(1);

// ---- sorts: the peers sort a copy in place, and their time has the copy in it, as ours has the reading ----

template <class T>
void sort_against(benchmark::State& state, const std::function<void(std::vector<T>&)>& peer, const Config& config) {
  const auto n = state.range(0);
  const std::vector<T> x = random_values<T>(static_cast<std::size_t>(n));
  std::vector<T> y(x.size()), z(x.size());
  race(
      state, [&] { sorted_rows<T>.with(config)(view(x.data(), {1, n}), view(y.data(), {1, n})); },
      static_cast<double>(n),
      [&] {
        std::copy(x.begin(), x.end(), z.begin());
        peer(z);
      },
      static_cast<double>(n), "G");
}
template <class T>
void sort_vs_std(benchmark::State& state) {
  sort_against<T>(state, [](std::vector<T>& z) { std::sort(z.begin(), z.end()); }, one_thread);
}
BENCHMARK_TEMPLATE(sort_vs_std, float)->Arg(100)->Arg(4096)->Arg(1 << 20)->UseManualTime()->Iterations(1);
BENCHMARK_TEMPLATE(sort_vs_std, std::int64_t)->Arg(4096)->Arg(1 << 20)->UseManualTime()->Iterations(1);
BENCHMARK_TEMPLATE(sort_vs_std, std::uint16_t)->Arg(4096)->Arg(1 << 20)->UseManualTime()->Iterations(1);

void sort_vs_parallel_sort_on_all_threads(benchmark::State& state) {
  sort_against<float>(state, [](std::vector<float>& z) { tbb::parallel_sort(z.begin(), z.end()); }, one_thread);
}
BENCHMARK(sort_vs_parallel_sort_on_all_threads)->Arg(1 << 20)->UseManualTime()->Iterations(1);

#ifdef TESSERA_HAS_VQSORT
template <class T>
void sort_vs_vqsort(benchmark::State& state) {
  hwy::Sorter sorter;
  sort_against<T>(state, [&](std::vector<T>& z) { sorter(z.data(), z.size(), hwy::SortAscending()); }, one_thread);
}
BENCHMARK_TEMPLATE(sort_vs_vqsort, float)->Arg(100)->Arg(4096)->Arg(1 << 20)->UseManualTime()->Iterations(1);
BENCHMARK_TEMPLATE(sort_vs_vqsort, std::int64_t)->Arg(4096)->Arg(1 << 20)->UseManualTime()->Iterations(1);
BENCHMARK_TEMPLATE(sort_vs_vqsort, std::uint16_t)->Arg(1 << 20)->UseManualTime()->Iterations(1);
#endif

void sort_short_rows_vs_std(benchmark::State& state) {
  const std::int64_t m = 4096, n = state.range(0);
  const std::vector<float> x = random_values<float>(static_cast<std::size_t>(m * n));
  std::vector<float> y(x.size()), z(x.size());
  race(
      state, [&] { sorted_short.with(one_thread)(view(x.data(), {m, n}), view(y.data(), {m, n})); },
      static_cast<double>(m * n),
      [&] {
        std::copy(x.begin(), x.end(), z.begin());
        for (std::int64_t i = 0; i < m; ++i) std::sort(z.begin() + i * n, z.begin() + (i + 1) * n);
      },
      static_cast<double>(m * n), "G");
}
BENCHMARK(sort_short_rows_vs_std)->Arg(8)->Arg(32)->UseManualTime()->Iterations(1);

// Rows, length, k; the peer sorts positions as far as k.
void topk_vs_partial_sort(benchmark::State& state) {
  const std::int64_t m = state.range(0), n = state.range(1), c = state.range(2);
  const std::vector<float> x = random_values<float>(static_cast<std::size_t>(m * n));
  std::vector<float> value(static_cast<std::size_t>(m * c));
  std::vector<std::int64_t> place(value.size());
  std::vector<std::int32_t> order(static_cast<std::size_t>(n));
  race(
      state,
      [&] { best.with(one_thread)(view(x.data(), {m, n}), view(value.data(), {m, c}), view(place.data(), {m, c})); },
      static_cast<double>(m * n),
      [&] {
        for (std::int64_t i = 0; i < m; ++i) {
          const float* row = x.data() + i * n;
          std::iota(order.begin(), order.end(), 0);
          std::partial_sort(order.begin(), order.begin() + c, order.end(),
                            [&](std::int32_t p, std::int32_t q) { return row[p] != row[q] ? row[p] > row[q] : p < q; });
          benchmark::DoNotOptimize(order.data());
        }
      },
      static_cast<double>(m * n), "G");
}
BENCHMARK(topk_vs_partial_sort)
    ->Args({1, 1 << 20, 100})
    ->Args({4096, 64, 2})
    ->Args({64, 4096, 64})
    ->UseManualTime()
    ->Iterations(1);

// All threads on both sides.
void topk_threads_vs_parallel_for(benchmark::State& state) {
  const std::int64_t m = state.range(0), n = state.range(1), c = state.range(2);
  const std::vector<float> x = random_values<float>(static_cast<std::size_t>(m * n));
  std::vector<float> value(static_cast<std::size_t>(m * c));
  std::vector<std::int64_t> place(value.size());
  std::vector<std::int32_t> order(x.size());
  race(
      state, [&] { best(view(x.data(), {m, n}), view(value.data(), {m, c}), view(place.data(), {m, c})); },
      static_cast<double>(m * n),
      [&] {
        tbb::parallel_for(std::int64_t{0}, m, [&](std::int64_t i) {
          const float* row = x.data() + i * n;
          const auto mine = order.begin() + i * n;
          std::iota(mine, mine + n, 0);
          std::partial_sort(mine, mine + c, mine + n,
                            [&](std::int32_t p, std::int32_t q) { return row[p] != row[q] ? row[p] > row[q] : p < q; });
        });
        benchmark::DoNotOptimize(order.data());
      },
      static_cast<double>(m * n), "G");
}
BENCHMARK(topk_threads_vs_parallel_for)->Args({4096, 64, 2})->Args({256, 4096, 64})->UseManualTime()->Iterations(1);

#ifdef TESSERA_HAS_VQSORT
// The peer packs each value, as an integer that orders as it does, with its place into 64 bits, and sorts the whole
// row.
void topk_vs_vqsort(benchmark::State& state) {
  const std::int64_t m = state.range(0), n = state.range(1), c = state.range(2);
  const std::vector<float> x = random_values<float>(static_cast<std::size_t>(m * n));
  std::vector<float> value(static_cast<std::size_t>(m * c));
  std::vector<std::int64_t> place(value.size());
  std::vector<std::uint64_t> keys(static_cast<std::size_t>(n));
  hwy::Sorter sorter;
  race(
      state,
      [&] { best.with(one_thread)(view(x.data(), {m, n}), view(value.data(), {m, c}), view(place.data(), {m, c})); },
      static_cast<double>(m * n),
      [&] {
        for (std::int64_t i = 0; i < m; ++i) {
          bench::pack_with_places(x.data() + i * n, keys);
          sorter(keys.data(), keys.size(), hwy::SortDescending());
          benchmark::DoNotOptimize(keys.data());
        }
      },
      static_cast<double>(m * n), "G");
}
BENCHMARK(topk_vs_vqsort)
    ->Args({1, 1 << 20, 100})
    ->Args({4096, 64, 2})
    ->Args({64, 4096, 64})
    ->UseManualTime()
    ->Iterations(1);
#endif

// ---- histograms, extremes, custom reductions ----

void histogram_of_bytes_vs_loop(benchmark::State& state) {
  constexpr std::int64_t n = 1 << 22;
  std::vector<std::uint8_t> x = random_values<std::uint8_t>(n);
  if (state.range(0) == 0) std::fill(x.begin(), x.end(), std::uint8_t{7});  // all into one bin
  std::vector<std::int32_t> h(256), g(256);
  race(
      state, [&] { histogram_of_bytes.with(one_thread)(view(x.data(), {n}), view(h.data(), {256})); }, n,
      [&] {
        std::fill(g.begin(), g.end(), 0);
        for (std::uint8_t v : x) ++g[v];
        benchmark::DoNotOptimize(g.data());
      },
      n, "G");
}
BENCHMARK(histogram_of_bytes_vs_loop)->Arg(1)->Arg(0)->UseManualTime()->Iterations(1);

// All threads on both sides; the peer's have bins of their own.
void histogram_of_bytes_threads_vs_parallel_reduce(benchmark::State& state) {
  constexpr std::int64_t n = 1 << 22;
  const std::vector<std::uint8_t> x = random_values<std::uint8_t>(n);
  std::vector<std::int32_t> h(256);
  using Bins = std::vector<std::int32_t>;
  race(
      state, [&] { histogram_of_bytes(view(x.data(), {n}), view(h.data(), {256})); }, n,
      [&] {
        const Bins bins = tbb::parallel_reduce(
            tbb::blocked_range<std::size_t>(0, x.size(), 65536), Bins(256),
            [&](const tbb::blocked_range<std::size_t>& part, Bins mine) {
              for (std::size_t i = part.begin(); i < part.end(); ++i) ++mine[x[i]];
              return mine;
            },
            [](Bins a, const Bins& b) {
              for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
              return a;
            });
        benchmark::DoNotOptimize(bins.data());
      },
      n, "G");
}
BENCHMARK(histogram_of_bytes_threads_vs_parallel_reduce)->UseManualTime()->Iterations(1);

void count_floats(benchmark::State& state, const Config& config) {
  constexpr std::int64_t n = 1 << 22;
  const std::vector<float> x = random_values<float>(n);
  std::vector<std::int32_t> h(256), g(256);
  const bool threads = config.threads != 1;
  race(
      state, [&] { histogram_of_floats.with(config)(view(x.data(), {n}), view(h.data(), {256})); }, n,
      [&] {
        const auto count = [&](std::size_t from, std::size_t to, std::vector<std::int32_t> bins) {
          for (std::size_t i = from; i < to; ++i) {
            const auto bin = static_cast<std::uint32_t>(static_cast<std::int32_t>((x[i] + 1) * 128.0f));
            if (bin < 256) ++bins[bin];
          }
          return bins;
        };
        const auto add = [](std::vector<std::int32_t> a, const std::vector<std::int32_t>& b) {
          for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
          return a;
        };
        if (!threads)
          g = count(0, x.size(), std::vector<std::int32_t>(256));
        else
          g = tbb::parallel_reduce(
              tbb::blocked_range<std::size_t>(0, x.size(), 65536), std::vector<std::int32_t>(256),
              [&](const tbb::blocked_range<std::size_t>& part, std::vector<std::int32_t> bins) {
                return count(part.begin(), part.end(), std::move(bins));
              },
              add);
        benchmark::DoNotOptimize(g.data());
      },
      n, "G");
}
void histogram_of_floats_vs_loop(benchmark::State& state) { count_floats(state, one_thread); }
void histogram_of_floats_threads_vs_parallel_reduce(benchmark::State& state) { count_floats(state, Config{}); }
BENCHMARK(histogram_of_floats_vs_loop)->UseManualTime()->Iterations(1);
BENCHMARK(histogram_of_floats_threads_vs_parallel_reduce)->UseManualTime()->Iterations(1);

void argmax_vs_max_element(benchmark::State& state) {
  const std::int64_t m = 16, n = state.range(0);
  const std::vector<float> x = random_values<float>(static_cast<std::size_t>(m * n));
  std::vector<std::int64_t> y(static_cast<std::size_t>(m)), z(y.size());
  race(
      state, [&] { place_of_largest.with(one_thread)(view(x.data(), {m, n}), view(y.data(), {m})); },
      static_cast<double>(m * n),
      [&] {
        for (std::int64_t i = 0; i < m; ++i)
          z[static_cast<std::size_t>(i)] =
              std::max_element(x.begin() + i * n, x.begin() + (i + 1) * n) - (x.begin() + i * n);
        benchmark::DoNotOptimize(z.data());
      },
      static_cast<double>(m * n), "G");
}
BENCHMARK(argmax_vs_max_element)->Arg(4096)->UseManualTime()->Iterations(1);

void welford_vs_loop(benchmark::State& state) {
  constexpr std::int64_t m = 16, n = 4096;
  const std::vector<float> x = random_values<float>(m * n);
  std::vector<float> y(m), z(m);
  race(
      state, [&] { variances.with(one_thread)(view(x.data(), {m, n}), view(y.data(), {m})); }, m * n,
      [&] {
        for (std::int64_t i = 0; i < m; ++i) {
          float mean = 0, squares = 0;
          for (std::int64_t k = 0; k < n; ++k) {
            const float v = x[static_cast<std::size_t>(i * n + k)], d = v - mean;
            mean += d / static_cast<float>(k + 1);
            squares += d * (v - mean);
          }
          z[static_cast<std::size_t>(i)] = squares / n;
        }
        benchmark::DoNotOptimize(z.data());
      },
      m * n, "G");
}
BENCHMARK(welford_vs_loop)->UseManualTime()->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
