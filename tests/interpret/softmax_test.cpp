// Owns tests of kernels that normalise rows: softmax, layer norm, Welford's variance, layer norm's gradient.
#include "support.hpp"
#include "tests/kernels/kernels.hpp"

using namespace interpret_test;
using i64s = std::vector<std::int64_t>;

namespace {

constexpr std::int64_t shapes[][2] = {{1, 1}, {5, 7}, {16, 64}, {17, 37}, {3, 130}};
constexpr std::int64_t tiles[] = {1, 8, 16, 23};

}  // namespace

TEST_CASE("softmax") {
  Numbers r;
  for (const auto& [m, n] : shapes)
    for (const std::int64_t tile : tiles) {
      std::vector<float> x = r.reals<float>(m * n, -20, 20), y(at(m * n), 99.f);
      std::vector<double> want(at(m * n));
      for (std::int64_t i = 0; i < m; ++i) {
        double top = -INFINITY, total = 0;
        for (std::int64_t j = 0; j < n; ++j) top = std::max(top, double(x[at(i * n + j)]));
        for (std::int64_t j = 0; j < n; ++j) total += std::exp(x[at(i * n + j)] - top);
        for (std::int64_t j = 0; j < n; ++j) want[at(i * n + j)] = std::exp(x[at(i * n + j)] - top) / total;
      }
      const Report report = run(softmax.program, {array(x, {m, n}), array(y, {m, n})}, {tile});
      REQUIRE_OK(report);
      CHECK(report.programs == (m + tile - 1) / tile);
      check_close(report, 1, y, want, 1e-5, any_rounding);
    }
}

TEST_CASE("softmax of rows that begin with -infinity, and of no columns") {
  std::vector<float> x(2 * 20, -INFINITY), y(40, 0);
  for (std::size_t j = 12; j < 20; ++j) x[j] = float(j);
  x[20] = 1;
  const Report report = run(softmax.program, {array(x, {2, 20}), array(y, {2, 20})}, {4});
  REQUIRE_OK(report);
  double total = 0;
  for (int j = 12; j < 20; ++j) total += std::exp(j - 19.0);
  for (int j = 0; j < 20; ++j) CHECK(y[at(j)] == doctest::Approx(j < 12 ? 0 : std::exp(j - 19.0) / total));
  CHECK(y[20] == 1);
  CHECK(y[21] == 0);
  std::vector<float> none;
  CHECK(run(softmax.program, {array(none, {3, 0}), array(none, {3, 0})}).ok());
  CHECK(run(softmax.program, {array(none, {0, 3}), array(none, {0, 3})}).programs == 0);
}

TEST_CASE("softmax through strides") {
  Numbers r;
  const std::int64_t m = 5, n = 9;
  std::vector<float> x = r.reals<float>(m * n), y(at(m * n * 3), 7.f), plain(at(m * n));
  REQUIRE_OK(run(softmax.program, {array(x, {m, n}), array(plain, {m, n})}, {4}));
  // y is stored transposed, with two elements between neighbours.
  REQUIRE_OK(run(softmax.program, {array(x, {m, n}), array(y, {m, n}, {3, 3 * m})}, {4}));
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      CHECK(y[at(3 * (i + j * m))] == plain[at(i * n + j)]);
      CHECK(y[at(3 * (i + j * m) + 1)] == 7);
    }
}

TEST_CASE("layer norm") {
  Numbers r;
  for (const auto& [m, n] : shapes)
    for (const std::int64_t tile : tiles) {
      std::vector<float> x = r.reals<float>(m * n, 2, 5), w = r.reals<float>(n), b = r.reals<float>(n);
      std::vector<float> y(at(m * n)), mu(at(m)), rstd(at(m));
      const float eps = 1e-3f;
      std::vector<double> want_y(at(m * n)), want_mu(at(m)), want_rstd(at(m));
      for (std::int64_t i = 0; i < m; ++i) {
        double mean = 0, var = 0;
        for (std::int64_t j = 0; j < n; ++j) mean += x[at(i * n + j)] / double(n);
        for (std::int64_t j = 0; j < n; ++j) var += std::pow(x[at(i * n + j)] - mean, 2) / double(n);
        want_mu[at(i)] = mean;
        want_rstd[at(i)] = 1 / std::sqrt(var + double(eps));
        for (std::int64_t j = 0; j < n; ++j)
          want_y[at(i * n + j)] = (x[at(i * n + j)] - mean) * want_rstd[at(i)] * w[at(j)] + b[at(j)];
      }
      const Report report = run(layer_norm.program,
                                {array(x, {m, n}), array(w, {n}), array(b, {n}), scalar(eps), array(y, {m, n}),
                                 array(mu, {m}), array(rstd, {m})},
                                {tile});
      REQUIRE_OK(report);
      check_close(report, 4, y, want_y, 2e-4);
      check_close(report, 5, mu, want_mu, 1e-4);
      check_close(report, 6, rstd, want_rstd, 2e-4);
    }
}

TEST_CASE("the variance by a custom reduction") {
  Numbers r;
  for (const auto& [m, n] : shapes)
    for (const std::int64_t tile : {1, 16}) {
      std::vector<float> x = r.reals<float>(m * n, -3, 5), var(at(m));
      std::vector<double> want(at(m));
      for (std::int64_t i = 0; i < m; ++i) {
        double mean = 0;
        for (std::int64_t j = 0; j < n; ++j) mean += x[at(i * n + j)] / double(n);
        for (std::int64_t j = 0; j < n; ++j) want[at(i)] += std::pow(x[at(i * n + j)] - mean, 2) / double(n);
      }
      const Report report = run(welford.program, {array(x, {m, n}), array(var, {m})}, {tile});
      REQUIRE_OK(report);
      check_close(report, 1, var, want, 1e-4);
    }
}

TEST_CASE("the gradient of layer norm: columns accumulate over programs") {
  Numbers r;
  for (const auto& [m, n] : shapes)
    for (const std::int64_t tile : tiles) {
      std::vector<float> x = r.reals<float>(m * n), w = r.reals<float>(n), dy = r.reals<float>(m * n);
      std::vector<float> mu = r.reals<float>(m, -0.1, 0.1), rstd = r.reals<float>(m, 1, 2);
      std::vector<float> dx(at(m * n)), dw(at(n), 55.f), db(at(n), 55.f);
      std::vector<double> want_dx(at(m * n)), want_dw(at(n)), want_db(at(n));
      for (std::int64_t i = 0; i < m; ++i) {
        double mean_g = 0, mean_gx = 0;
        const auto xhat = [&](std::int64_t j) { return (double(x[at(i * n + j)]) - mu[at(i)]) * rstd[at(i)]; };
        const auto g = [&](std::int64_t j) { return double(dy[at(i * n + j)]) * w[at(j)]; };
        for (std::int64_t j = 0; j < n; ++j) {
          mean_g += g(j) / double(n);
          mean_gx += g(j) * xhat(j) / double(n);
          want_dw[at(j)] += dy[at(i * n + j)] * xhat(j);
          want_db[at(j)] += dy[at(i * n + j)];
        }
        for (std::int64_t j = 0; j < n; ++j) want_dx[at(i * n + j)] = (g(j) - mean_g - xhat(j) * mean_gx) * rstd[at(i)];
      }
      const Report report = run(layer_norm_backward.program,
                                {array(x, {m, n}), array(w, {n}), array(mu, {m}), array(rstd, {m}), array(dy, {m, n}),
                                 array(dx, {m, n}), array(dw, {n}), array(db, {n})},
                                {tile});
      REQUIRE_OK(report);
      check_close(report, 5, dx, want_dx, 1e-5);
      check_close(report, 6, dw, want_dw, 1e-5);
      check_close(report, 7, db, want_db, 1e-5);
    }
}
