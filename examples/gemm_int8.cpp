// Matrix product of quantized bytes with zero points and scales: sums of products are exact in i32.
#include <tessera/tessera.hpp>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

// Σ (a − za)(b − zb) = Σ ab − zb Σ a − za Σ b + K za zb
TESSERA_KERNEL(gemm_int8)(Kernel k, In<i8, "M", "K"> a, In<i8, "K", "N"> b, In<f32, "N"> scale, In<i8, "N"> zero_b,
                          Scalar<i8> zero_a, Scalar<f32> scale_a, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<i32>(m, n), rows = k.zeros<i32>(m), cols = k.zeros<i32>(n);
  for (auto i : k.blocks<"K">(BK)) {
    acc += dot(a(m, i), b(i, n));
    rows += sum<"K">(a(m, i));
    cols += sum<"K">(b(i, n));
  }
  auto K = cast<i32>(k.extent<"K">()), za = cast<i32>(zero_a);
  c(m, n) = cast<f32>(acc - rows * zero_b(n) - cols * za + K * za * zero_b(n)) * (scale(n) * scale_a);
};

int main(int argc, char** argv) {
  example::Run run("gemm_int8: bytes with zero points and scales", argc, argv);
  const std::size_t M = run.size(2048, 70), N = run.size(2048, 93), K = run.size(2048, 130);
  const auto a = run.integers<std::int8_t>(M * K, -128, 127), b = run.integers<std::int8_t>(K * N, -128, 127);
  const auto zero_b = run.integers<std::int8_t>(N, -20, 20);
  const auto scale = run.random(N, 0.001, 0.01);
  const std::int8_t zero_a = 7;
  const float scale_a = 0.02F;
  std::vector<float> c(M * N);

  run.things("gemm_int8", "Gop/s", 2e-9 * M * N * K,
             [&] { gemm_int8(view(a, {M, K}), view(b, {K, N}), scale, zero_b, zero_a, scale_a, view(c, {M, N})); });

  for (std::size_t at : run.some(M * N, 20'000)) {
    const std::size_t m = at / N, n = at % N;
    double x = 0;
    for (std::size_t i = 0; i < K; ++i) x += double(a[m * K + i] - zero_a) * double(b[i * N + n] - zero_b[n]);
    run.expect(c[at], x * scale[n] * scale_a, 1e-6);
  }
  return run.result();
}
