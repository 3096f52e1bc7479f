// Cholesky factors of many small matrices: A = L Lᵀ, one column after the other.
#include <tessera/tessera.hpp>

#include <cmath>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BB"> BB;  // matrices a program

TESSERA_KERNEL(cholesky)(Kernel k, In<f32, "B", "N", "N"> a, Out<f32, "B", "N", "N"> l) {
  auto b = k.block<"B">(BB);
  auto i = as<"I">(k.all<"N">()), j = as<"J">(k.all<"N">());
  Var s = a(b, i, j);
  for (auto c : k.range(0, k.extent<"N">())) {
    auto col = at<"J">(s, c);  // axes B, I
    auto v = where(i >= c, col / sqrt(at<"I">(col, c)), 0);
    auto rest = v * as<"I", "J">(v);
    s = where(j > c, s - rest, where(j == c, v, s));
  }
  l(b, i, j) = where(i >= j, s, 0);
};

int main(int argc, char** argv) {
  example::Run run("cholesky: of many small matrices", argc, argv);
  const std::size_t B = run.size(4096, 19), N = run.size(32, 13);
  const auto x = run.random(B * N * N);
  std::vector<float> a(B * N * N), l(B * N * N);
  for (std::size_t b = 0; b < B; ++b)  // A = X Xᵀ + N is positive
    for (std::size_t i = 0; i < N; ++i)
      for (std::size_t j = 0; j < N; ++j) {
        double sum = i == j ? double(N) : 0;
        for (std::size_t p = 0; p < N; ++p) sum += double{x[(b * N + i) * N + p]} * x[(b * N + j) * N + p];
        a[(b * N + i) * N + j] = static_cast<float>(sum);
      }

  run.operations("cholesky", double(B) * N * N * N / 3, [&] { cholesky(view(a, {B, N, N}), view(l, {B, N, N})); });

  std::vector<double> s(N * N);
  for (std::size_t b : run.some(B, 200)) {
    for (std::size_t i = 0; i < N; ++i)
      for (std::size_t j = 0; j < N; ++j) {
        double sum = a[(b * N + i) * N + j];
        for (std::size_t p = 0; p < j; ++p) sum -= s[i * N + p] * s[j * N + p];
        s[i * N + j] = j > i ? 0 : j == i ? std::sqrt(sum) : sum / s[j * N + j];
        run.expect(l[(b * N + i) * N + j], s[i * N + j], 1e-5);
      }
  }
  return run.result();
}
