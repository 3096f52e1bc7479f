// Layer norm, forward by Welford's and Chan's running moments, and backward with sums over all rows.
#include <tessera/tessera.hpp>

#include <cmath>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

struct Moments {  // plain C++: a struct with variables of the kernel
  Var count, mean, m2;
  constexpr Moments(Kernel k, Block m) : count(k.zeros<f32>(m)), mean(k.zeros<f32>(m)), m2(k.zeros<f32>(m)) {}
  constexpr void add(Tile x, Block n) {
    auto c = cast<f32>(n.count()), mu = sum<"N">(x) / c, d = mu - mean, all = count + c;
    m2 += sum<"N">((x - mu) * (x - mu)) + d * d * count * c / all;
    mean += d * c / all;
    count = all;
  }
};

TESSERA_KERNEL(layer_norm)(Kernel k, In<f32, "M", "N"> x, In<f32, "N"> w, In<f32, "N"> b, Scalar<f32> eps,
                           Out<f32, "M", "N"> y, Out<f32, "M"> mu, Out<f32, "M"> rstd) {
  auto m = k.block<"M">(BM);
  Moments s(k, m);
  for (auto n : k.blocks<"N">(BN)) s.add(x(m, n), n);
  auto r = 1 / sqrt(s.m2 / s.count + eps);
  mu(m) = s.mean;
  rstd(m) = r;
  for (auto n : k.blocks<"N">(BN)) y(m, n) = (x(m, n) - s.mean) * r * w(n) + b(n);
};

TESSERA_KERNEL(layer_norm_backward)(Kernel k, In<f32, "M", "N"> x, In<f32, "N"> w, In<f32, "M"> mu, In<f32, "M"> rstd,
                                    In<f32, "M", "N"> dy, Out<f32, "M", "N"> dx, Out<f32, "N"> dw, Out<f32, "N"> db) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto xhat = (x(m, n) - mu(m)) * rstd(m), g = dy(m, n) * w(n);
  dx(m, n) = (g - mean<"N">(g) - xhat * mean<"N">(g * xhat)) * rstd(m);
  dw(n) += sum<"M">(dy(m, n) * xhat);  // an Out with +=: a sum over all programs, from 0
  db(n) += sum<"M">(dy(m, n));
};

int main(int argc, char** argv) {
  example::Run run("layer_norm: forward and backward", argc, argv);
  const std::size_t M = run.size(4096, 45), N = run.size(4096, 1003);
  const auto x = run.random(M * N, -1, 5), w = run.random(N), b = run.random(N), dy = run.random(M * N);
  std::vector<float> y(M * N), mu(M), rstd(M), dx(M * N), dw(N), db(N);

  run.bytes("layer_norm", 8.0 * M * N, [&] { layer_norm(view(x, {M, N}), w, b, 1e-5, view(y, {M, N}), mu, rstd); });
  run.bytes("layer_norm_backward", 12.0 * M * N,
            [&] { layer_norm_backward(view(x, {M, N}), w, mu, rstd, view(dy, {M, N}), view(dx, {M, N}), dw, db); });

  std::vector<double> dw_sum(N), db_sum(N);
  for (std::size_t m = 0; m < M; ++m) {
    double mean = 0, variance = 0, g_mean = 0, gx_mean = 0;
    for (std::size_t n = 0; n < N; ++n) mean += x[m * N + n] / double(N);
    for (std::size_t n = 0; n < N; ++n) variance += (x[m * N + n] - mean) * (x[m * N + n] - mean) / double(N);
    const double r = 1 / std::sqrt(variance + 1e-5);
    const auto xhat = [&](std::size_t n) { return (x[m * N + n] - mean) * r; };
    const auto g = [&](std::size_t n) { return double{dy[m * N + n]} * w[n]; };
    for (std::size_t n = 0; n < N; ++n) g_mean += g(n) / double(N), gx_mean += g(n) * xhat(n) / double(N);
    for (std::size_t n = 0; n < N; ++n) {
      dw_sum[n] += dy[m * N + n] * xhat(n), db_sum[n] += dy[m * N + n];
      if (m % 97 != 0) continue;
      run.expect(y[m * N + n], xhat(n) * w[n] + b[n], 1e-5);
      run.expect(dx[m * N + n], (g(n) - g_mean - xhat(n) * gx_mean) * r, 1e-5);
    }
  }
  run.expect_all(dw, dw_sum, 1e-4), run.expect_all(db, db_sum, 1e-4);
  return run.result();
}
