// Matrix product with weights of 4 bits, two in a byte, with a scale and a zero point for each group of 128.
#include <tessera/tessera.hpp>

#include <cmath>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

TESSERA_KERNEL(gemm_int4)(Kernel k, In<f16, "M", "K"> a, In<u8, "K/2", "N"> packed, In<f16, "K/128", "N"> scale,
                          In<u8, "K/128", "N"> zero, Out<f16, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) {
    auto q = packed(i / 2, n) >> cast<u8>(i % 2 * 4) & 15;  // the low nibble first, along K
    auto w = cast<f16>(cast<i8>(q) - cast<i8>(zero(i / 128, n))) * scale(i / 128, n);
    acc += dot(a(m, i), w);
  }
  c(m, n) = cast<f16>(acc);
};

int main(int argc, char** argv) {
  example::Run run("gemm_int4: weights of 4 bits with a scale for each 128", argc, argv);
  const std::size_t M = run.size(512, 45), N = run.size(2048, 93), K = run.size(2048, 300);
  const std::size_t bytes = (K + 1) / 2, groups = (K + 127) / 128;
  const auto a = run.random<f16>(M * K);
  const auto packed = run.integers<std::uint8_t>(bytes * N, 0, 255),
             zero = run.integers<std::uint8_t>(groups * N, 0, 15);
  const auto scale = run.random<f16>(groups * N, 0.001, 0.01);
  std::vector<f16> c(M * N);

  run.operations("gemm_int4, 512 rows", 2.0 * M * N * K, [&] {
    gemm_int4(view(a, {M, K}), view(packed, {bytes, N}), view(scale, {groups, N}), view(zero, {groups, N}),
              view(c, {M, N}));
  });

  for (std::size_t at : run.some(M * N, 20'000)) {
    const std::size_t m = at / N, n = at % N;
    double x = 0;
    for (std::size_t i = 0; i < K; ++i) {
      const int q = packed[i / 2 * N + n] >> (i % 2 * 4) & 15, z = zero[i / 128 * N + n];
      const auto w = static_cast<f16>((q - z) * static_cast<float>(scale[i / 128 * N + n]));  // rounded, as there
      x += static_cast<double>(a[m * K + i]) * static_cast<double>(w);
    }
    run.expect(static_cast<double>(c[at]), x, 1e-3);
  }

  const std::size_t one = 1;  // a step of decoding: the weights are read once, and bound it
  run.bytes("gemm_int4, 1 row", 0.5 * N * K, [&] {
    gemm_int4(view(a.data(), {one, K}), view(packed, {bytes, N}), view(scale, {groups, N}), view(zero, {groups, N}),
              view(c.data(), {one, N}));
  });
  return run.result();
}
