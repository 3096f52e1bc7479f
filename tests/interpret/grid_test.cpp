// Owns tests of stencils, dropout, Mandelbrot, Cholesky and loops within loops.
#include "support.hpp"
#include "tessera/interpret/philox.hpp"
#include "tests/kernels/kernels.hpp"

using namespace interpret_test;

namespace {

/// One step of the heat equation with 0 outside, in float64.
std::vector<double> step(const std::vector<double>& u, std::int64_t h, std::int64_t w) {
  std::vector<double> v(u.size());
  const auto get = [&](std::int64_t y, std::int64_t x) {
    return y < 0 || y >= h || x < 0 || x >= w ? 0.0 : u[at(y * w + x)];
  };
  for (std::int64_t y = 0; y < h; ++y)
    for (std::int64_t x = 0; x < w; ++x)
      v[at(y * w + x)] =
          get(y, x) + 0.1 * (get(y - 1, x) + get(y + 1, x) + get(y, x - 1) + get(y, x + 1) - 4 * get(y, x));
  return v;
}

}  // namespace

TEST_CASE("five points, and four steps on a halo at once") {
  Numbers r;
  constexpr std::int64_t shapes[][2] = {{1, 1}, {3, 2}, {16, 16}, {17, 41}};
  for (const auto& [h, w] : shapes)
    for (const std::int64_t tile : {1, 3, 16}) {
      auto u = r.reals<float>(h * w);
      std::vector<double> one(u.begin(), u.end()), four;
      one = step(one, h, w);
      four = step(step(step(one, h, w), h, w), h, w);
      std::vector<float> v(at(h * w)), v4(at(h * w));
      const Report report = run(five_point.program, {array(u, {h, w}), array(v, {h, w})}, {tile});
      REQUIRE_OK(report);
      check_close(report, 1, v, one, 1e-6, any_rounding);
      const Report steps = run(heat_steps<4>.program, {array(u, {h, w}), array(v4, {h, w})}, {tile});
      REQUIRE_OK(steps);
      check_close(steps, 1, v4, four, 1e-5, any_rounding);
    }
}

TEST_CASE("dropout keeps the same elements for every tiling") {
  Numbers r;
  const std::int64_t m = 9, n = 14;
  auto x = r.reals<f16>(m * n, 1, 2);
  std::vector<f16> want(x.size()), y(x.size());
  const float p = 0.3f;
  const std::uint64_t seed = 0x123456789abcdefu;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float u = float(tessera::interpreter::philox(seed, i)[0] >> 8) / 16777216.f;
    want[i] = u >= p ? f16(static_cast<float>(x[i]) / (1 - p)) : f16(0.f);
    kept += u >= p;
  }
  CHECK(kept > x.size() / 2);
  CHECK(kept < x.size());
  for (const std::int64_t tile : {1, 5, 16}) {
    const Report report = run(dropout.program, {array(x, {m, n}), scalar(p), scalar(seed), array(y, {m, n})}, {tile});
    REQUIRE_OK(report);
    check_equal(y, want);
  }
}

TEST_CASE("Mandelbrot") {
  const std::int64_t h = 13, w = 18;
  const std::int32_t limit = 40;
  std::vector<std::int32_t> out(at(h * w)), want(at(h * w));
  const float x0 = -2, y0 = -1, step_ = 0.15f;
  for (std::int64_t y = 0; y < h; ++y)
    for (std::int64_t x = 0; x < w; ++x) {
      const float cr = x0 + float(x) * step_, ci = y0 + float(y) * step_;
      float zr = 0, zi = 0;
      std::int32_t n = 0;
      for (bool in = true; in; n += in) {
        const float t = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = t;
        in = zr * zr + zi * zi <= 4 && n < limit;
      }
      want[at(y * w + x)] = n;
    }
  for (const std::int64_t tile : {4, 16}) {
    const Report report =
        run(mandelbrot.program, {scalar(x0), scalar(y0), scalar(step_), scalar(limit), array(out, {h, w})}, {tile});
    REQUIRE_OK(report);
    check_equal(out, want);
    CHECK(run(mandelbrot.program, {scalar(x0), scalar(y0), scalar(step_), scalar(limit), array(out, {h, w})}, {tile},
              fast())
              .ok());
    check_equal(out, want);
  }
}

TEST_CASE("batched Cholesky") {
  Numbers r;
  for (const std::int64_t n : {1, 2, 9}) {
    const std::int64_t batch = 5;
    std::vector<float> a(at(batch * n * n)), l(a.size(), 9.f);
    std::vector<double> want(a.size());
    for (std::int64_t b = 0; b < batch; ++b) {
      const auto g = r.reals<double>(n * n);
      const auto A = [&](std::int64_t i, std::int64_t j) { return at((b * n + i) * n + j); };
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < n; ++j) {
          double s = i == j ? 2.0 : 0.0;
          for (std::int64_t c = 0; c < n; ++c) s += g[at(i * n + c)] * g[at(j * n + c)];
          a[A(i, j)] = a[A(j, i)] = float(s);
        }
      for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t i = j; i < n; ++i) {
          double s = a[A(i, j)];
          for (std::int64_t c = 0; c < j; ++c) s -= want[A(i, c)] * want[A(j, c)];
          want[A(i, j)] = i == j ? std::sqrt(s) : s / want[A(j, j)];
        }
    }
    for (const std::int64_t tile : {2, 16}) {
      const Report report = run(cholesky.program, {array(a, {batch, n, n}), array(l, {batch, n, n})}, {tile});
      REQUIRE_OK(report);
      check_close(report, 1, l, want, 1e-4, any_rounding);
    }
  }
}

TEST_CASE("a while inside a while") {
  std::vector<float> a{-1.5f, 0.f, 0.25f, 3.f, 7.5f}, c(5, 9.f);
  for (const std::int64_t tile : {1, 2, 16}) {
    const Report report = run(nested_while.program, {array(a, {5}), array(c, {5})}, {tile});
    REQUIRE_OK(report);
    for (std::int64_t first = 0; first < 5; first += tile) {
      // Every lane of a program goes down until the largest is not above 0.
      float top = -10;
      for (std::int64_t i = first; i < std::min<std::int64_t>(5, first + tile); ++i) top = std::max(top, a[at(i)]);
      const float turns = top > 0 ? std::ceil(top) : 0;
      for (std::int64_t i = first; i < std::min<std::int64_t>(5, first + tile); ++i)
        CHECK(c[at(i)] == a[at(i)] - turns);
    }
  }
}
