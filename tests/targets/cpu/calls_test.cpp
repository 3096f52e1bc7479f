// Tests kernels as users call them, on every target and feature set that is here: views in, numbers out.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "tests/kernels/kernels.hpp"
#include "tests/support/each_target.hpp"

namespace {

std::vector<float> numbers(std::int64_t n, int seed) {
  std::vector<float> v(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) v[static_cast<std::size_t>(i)] = std::sin(float(i * 7 + seed));
  return v;
}

}  // namespace

TEST_EACH_TARGET("softmax called with views") {
  for (auto [m, n] : {std::pair{1, 1}, {13, 37}, {5, 300}}) {
    const auto x = numbers(m * n, 1);
    std::vector<float> y(x.size());
    softmax.with(config)(view(x, {m, n}), view(y, {m, n}));
    for (int i = 0; i < m; ++i) {
      double total = 0;
      for (int j = 0; j < n; ++j) total += std::exp(double(x[std::size_t(i * n + j)]));
      for (int j = 0; j < n; ++j)
        CHECK(y[std::size_t(i * n + j)] ==
              doctest::Approx(std::exp(double(x[std::size_t(i * n + j)])) / total).epsilon(1e-5));
    }
  }
}

TEST_EACH_TARGET("batched products called with views of other strides") {
  for (auto [m, n, k] : {std::array{1, 1, 1}, {7, 33, 19}, {70, 50, 65}}) {
    const int row = k + 3;  // rows of a are longer than K
    const auto a = numbers(2 * m * row, 1), b = numbers(2 * k * n, 2);
    std::vector<float> c(std::size_t(2 * m * n));
    bmm.with(config)(view(a, {2, m, k}, {m * row, row, 1}), view(b, {2, k, n}), view(c, {2, m, n}));
    double worst = 0;
    for (int z = 0; z < 2; ++z)
      for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
          double sum = 0;
          for (int l = 0; l < k; ++l)
            sum += double(a[std::size_t((z * m + i) * row + l)]) * b[std::size_t((z * k + l) * n + j)];
          worst = std::max(worst, std::abs(sum - c[std::size_t((z * m + i) * n + j)]));
        }
    CHECK(worst < 1e-4);
  }
}

TEST_EACH_TARGET("a histogram starts at 0 at each call") {
  std::vector<std::uint8_t> x(1000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::uint8_t(i * i % 16);
  std::vector<std::int32_t> h(16, 99), want(16);
  for (auto v : x) ++want[v];
  for (int turn = 0; turn < 2; ++turn) {
    histogram.with(config)(view(x, {1000}), view(h, {16}));
    CHECK(h == want);
  }
}

TEST_EACH_TARGET("stencils and a while inside a while") {
  const int y = 19, x = 41;
  const auto u = numbers(y * x, 3);
  std::vector<float> v(u.size());
  five_point.with(config)(view(u, {y, x}), view(v, {y, x}));
  const auto at = [&](int i, int j) { return i < 0 || j < 0 || i >= y || j >= x ? 0.0f : u[std::size_t(i * x + j)]; };
  for (int i = 0; i < y; ++i)
    for (int j = 0; j < x; ++j) {
      const double c = at(i, j), want = c + 0.1 * (at(i - 1, j) + at(i + 1, j) + at(i, j - 1) + at(i, j + 1) - 4 * c);
      CHECK(std::abs(v[std::size_t(i * x + j)] - want) < 1e-5);
    }
  const std::vector<float> a{0, 1, 2, 3, 2, 1, 0};
  std::vector<float> c(a.size());
  nested_while.with(config)(view(a, {7}), view(c, {7}));
  for (float r : c) CHECK(r <= 0);
}
