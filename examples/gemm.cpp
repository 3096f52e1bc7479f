// Matrix product with an epilogue: C = gelu(A B + bias).
#include <tessera/tessera.hpp>

#include <cmath>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

TESSERA_KERNEL(gemm_bias_gelu)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, In<f32, "N"> bias,
                               Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(a(m, i), b(i, n));
  c(m, n) = gelu(acc + bias(n));
};

int main(int argc, char** argv) {
  example::Run run("gemm: C = gelu(A B + bias)", argc, argv);
  const std::size_t M = run.size(2048, 131), N = run.size(2048, 93), K = run.size(2048, 157);
  const auto a = run.random(M * K), b = run.random(K * N, -0.1, 0.1), bias = run.random(N);
  std::vector<float> c(M * N);

  run.operations("gemm_bias_gelu", 2.0 * M * N * K,
                 [&] { gemm_bias_gelu(view(a, {M, K}), view(b, {K, N}), bias, view(c, {M, N})); });

  for (std::size_t at : run.some(M * N, 20'000)) {
    const std::size_t m = at / N, n = at % N;
    double x = bias[n];
    for (std::size_t i = 0; i < K; ++i) x += double{a[m * K + i]} * b[i * N + n];
    run.expect(c[at], x * 0.5 * (1 + std::erf(x / std::sqrt(2.0))), 1e-5);
  }
  return run.result();
}
