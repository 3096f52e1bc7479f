// Tests docs/language.md: its kernels are those of guide_kernels.hpp, letter by letter, and compute what it says.
#include "guide_kernels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using namespace tessera;
using Floats = std::vector<float>;

std::string text_of(const std::string& path) {
  std::ifstream in(std::string(TESSERA_SOURCE_DIR) + "/" + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Small numbers without a pattern, between −1 and 1.
Floats numbers(std::size_t n, unsigned seed = 1) {
  Floats v(n);
  for (float& x : v)
    x = static_cast<float>(static_cast<int>((seed = seed * 1664525u + 1013904223u) >> 16) - 32768) / 32768;
  return v;
}

TEST_CASE("every block of the guide stands in guide_kernels.hpp") {
  const std::string guide = text_of("docs/language.md"), code = text_of("tests/language/guide_kernels.hpp");
  const std::string opening = "\n```cpp\n", skipped = "inline constexpr Dim<\"BM\"> BM;";
  int blocks = 0;
  for (std::size_t at = 0; (at = guide.find(opening, at)) != std::string::npos; ++blocks) {
    at += opening.size();
    std::string block = guide.substr(at, guide.find("\n```", at) - at);
    if (block.starts_with(skipped)) block.erase(0, block.find('\n') + 1);  // the Dims stand once in the header
    INFO(block);
    CHECK(code.find(block) != std::string::npos);
  }
  CHECK(blocks >= 25);
}

TEST_CASE("the guide's elementwise kernels, reductions and softmax") {
  const std::size_t M = 5, N = 37;
  const Floats x = numbers(M * N), bias = numbers(N, 2);
  Floats y(M * N), average(M), largest(M);
  std::vector<std::int64_t> place(M);
  guide::bias_relu(view(x, {M, N}), bias, 0.1f, view(y, {M, N}));
  for (std::size_t i = 0; i < M * N; ++i) {
    const float v = x[i] + bias[i % N];
    CHECK(y[i] == (v > 0 ? v : 0.1f * v));
  }
  guide::row_statistics(view(x, {M, N}), average, largest, place);
  guide::row_softmax(view(x, {M, N}), view(y, {M, N}));
  Floats log_sum(M);
  guide::log_sum_exp(view(x, {M, N}), log_sum);
  for (std::size_t m = 0; m < M; ++m) {
    double sum = 0, exps = 0, top = 0, total = 0;
    std::size_t best = 0;
    for (std::size_t n = 0; n < N; ++n) {
      const float v = x[m * N + n];
      sum += v, exps += std::exp(static_cast<double>(v)), top = std::max(top, std::abs(static_cast<double>(v)));
      if (v > x[m * N + best]) best = n;
      total += y[m * N + n];
    }
    CHECK(average[m] == doctest::Approx(sum / N).epsilon(1e-5));
    CHECK(largest[m] == static_cast<float>(top));
    CHECK(place[m] == static_cast<std::int64_t>(best));
    CHECK(y[m * N] == doctest::Approx(std::exp(x[m * N]) / exps).epsilon(1e-5));
    CHECK(total == doctest::Approx(1));
    CHECK(log_sum[m] == doctest::Approx(std::log(exps)).epsilon(1e-5));
  }
}

TEST_CASE("the guide's matrix product, with and without a configuration") {
  const std::size_t M = 64, K = 300, N = 80;
  Floats a = numbers(M * K), w = numbers(N * K, 2), bias = numbers(N, 3), c(M * N), d(M * N);
  guide::linear(view(a, {M, K}), view(w, {N, K}), bias, view(c, {M, N}));
  guide::call_with_a_configuration(a, w, bias, d);
  Floats e(M * N);
  guide::call_with_numerics(a, w, bias, e);
  for (std::size_t i : {std::size_t{0}, M * N / 2 + 7, M * N - 1}) {
    double s = bias[i % N];
    for (std::size_t k = 0; k < K; ++k) s += static_cast<double>(a[i / N * K + k]) * w[i % N * K + k];
    const double gelu = s / 2 * (1 + std::erf(s / std::sqrt(2.0)));
    CHECK(std::abs(c[i] - gelu) < 1e-3);
    CHECK(std::abs(d[i] - gelu) < 1e-3);
    CHECK(std::abs(e[i] - gelu) < 1e-3);
  }
  CHECK(guide::call_without_exceptions(a, w, bias, c));
  Floats few(3);
  CHECK_FALSE(guide::call_without_exceptions(a, w, few, c));
}

TEST_CASE("the guide's attention sees no later key") {
  const std::size_t T = 9, D = 4;
  const Floats q = numbers(T * D), key = numbers(T * D, 2);
  Floats value(T * D), out(T * D);
  for (std::size_t s = 0; s < T; ++s)
    std::fill_n(value.begin() + static_cast<std::ptrdiff_t>(s * D), D, static_cast<float>(s));
  guide::attend(view(q, {T, D}), view(key, {T, D}), view(value, {T, D}), 0.5f, view(out, {T, D}));
  for (std::size_t t = 0; t < T; ++t) {
    double total = 0, sum = 0;
    for (std::size_t s = 0; s <= t; ++s) {
      double dot = 0;
      for (std::size_t d = 0; d < D; ++d) dot += static_cast<double>(q[t * D + d]) * key[s * D + d];
      total += std::exp(dot / 2), sum += std::exp(dot / 2) * static_cast<double>(s);
    }
    CHECK(out[t * D] == doctest::Approx(sum / total).epsilon(1e-4));
  }
}

TEST_CASE("the guide's ragged batches, gather, scatter and counts") {
  const std::vector<std::int32_t> start{0, 3, 3, 7}, ids{2, 0, 2};
  const Floats x = numbers(7 * 2), factors{1, 2, 3};
  Floats mean(3 * 2), scaled(7);
  guide::ragged_mean(view(x, {7, 2}), start, view(mean, {3, 2}));
  CHECK(mean[0] == doctest::Approx((x[0] + x[2] + x[4]) / 3));
  CHECK(mean[2] == 0);
  CHECK(mean[5] == doctest::Approx((x[7] + x[9] + x[11] + x[13]) / 4));
  guide::ragged_scale(std::span(x).first(7), start, factors, 4, scaled);
  CHECK(scaled[2] == x[2]);
  CHECK(scaled[3] == 3 * x[3]);

  const Floats rows = numbers(3 * 2, 5);
  Floats out(3 * 2), table(3 * 2, 9.0f);
  guide::gather_rows(ids, view(rows, {3, 2}), view(out, {3, 2}));
  CHECK(out == Floats{rows[4], rows[5], rows[0], rows[1], rows[4], rows[5]});
  guide::scatter_rows(ids, view(rows, {3, 2}), view(table, {3, 2}));
  CHECK(table == Floats{rows[2], rows[3], 0, 0, rows[0] + rows[4], rows[1] + rows[5]});

  const std::vector<std::uint8_t> bytes{1, 3, 3, 0, 3};
  std::vector<std::int32_t> counts(4, 7);
  guide::count_bytes(bytes, counts);
  CHECK(counts == std::vector<std::int32_t>{1, 1, 0, 3});
}

TEST_CASE("the guide's scans, sorts, stencils, loops and branches") {
  const Floats x{3, 1, 4, 1, 5};
  Floats sums(5), value(2), sorted(5), v(5), twice(5), branched(10);
  std::vector<std::int64_t> place(2);
  guide::running_sum(view(x, {1, 5}), view(sums, {1, 5}));
  CHECK(sums == Floats{3, 4, 8, 9, 14});
  guide::best(view(x, {1, 5}), view(value, {1, 2}), view(place, {1, 2}), view(sorted, {1, 5}));
  CHECK(value == Floats{5, 4});
  CHECK(place == std::vector<std::int64_t>{4, 2});
  CHECK(sorted == Floats{5, 4, 3, 1, 1});
  guide::blur(x, v);
  CHECK(v == Floats{7 / 4.f, 9 / 4.f, 10 / 4.f, 11 / 4.f, 11 / 4.f});
  guide::blur_twice(x, twice);
  CHECK(twice == Floats{23 / 16.f, 35 / 16.f, 40 / 16.f, 43 / 16.f, 33 / 16.f});
  const std::vector<std::int64_t> begin{1, 6, 7};
  std::vector<std::int32_t> steps(3);
  guide::collatz(begin, steps);
  CHECK(steps == std::vector<std::int32_t>{0, 8, 16});
  const Floats two{1, 2, 3, 4, 5, 1, 2, 3, 4, 5};
  guide::first_and_rest(view(two, {2, 5}), view(branched, {2, 5}));
  CHECK(branched == Floats{2, 4, 6, 8, 10, -1, -2, -3, -4, -5});
}

TEST_CASE("the guide's small types, axes, updates and means") {
  const Floats x = numbers(2 * 6);
  std::vector<e4m3> q(12);
  Floats scale(2), halves(6), speed(3, 1.0f), weight(3, 1.0f), noise(6), columns(6), largest(2);
  guide::to_fp8(view(x, {2, 6}), view(q, {2, 6}), scale);
  CHECK(std::abs(static_cast<float>(q[7]) * scale[1] - x[7]) <= std::abs(x[7]) / 16 + 1e-6f);
  guide::pair_means(std::span(x), halves);
  CHECK(halves[5] == (x[10] + x[11]) / 2);
  guide::momentum(Floats{1, 2, 3}, 0.5f, speed, weight);
  CHECK(speed[2] == 0.9f + 3);
  CHECK(weight[2] == 1 - 0.5f * (0.9f + 3));
  guide::add_noise(Floats(6), std::uint64_t{7}, noise);
  CHECK(std::any_of(noise.begin(), noise.end(), [](float n) { return n != 0; }));
  guide::column_means<f32>(view(x, {2, 6}), columns);
  CHECK(columns[3] == doctest::Approx((x[3] + x[9]) / 2));
  guide::side_by_side(view(x, {2, 6}), view(x, {2, 6}), largest);
  CHECK(largest[1] == *std::max_element(x.begin() + 6, x.end()));
}

TEST_CASE("the guide's check fails in a checked call") {
  Floats y(2);
  CHECK_NOTHROW(guide::roots(Floats{4, 9}, y));
  CHECK(y == Floats{2, 3});
  CHECK_THROWS_WITH_AS(guide::roots.with(Config{.checked = true})(Floats{4, -9}, y),
                       doctest::Contains("negative number"), UserError);
  CHECK_THROWS_WITH_AS(guide::roots(Floats{}, Floats{}), doctest::Contains("there is something to do"), UserError);
}

}  // namespace
