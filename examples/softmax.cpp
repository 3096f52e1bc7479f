// Softmax over rows of any length: exp(x − max) / Σ exp(x − max).
#include <tessera/tessera.hpp>

#include <algorithm>
#include <cmath>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BM"> BM;

TESSERA_KERNEL(softmax)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto e = exp(x(m, n) - max<"N">(x(m, n)));
  y(m, n) = e / sum<"N">(e);
};

int main(int argc, char** argv) {
  example::Run run("softmax: over the rows of a matrix", argc, argv);
  const std::size_t M = run.size(4096, 37), N = run.size(4096, 1001);
  const auto x = run.random(M * N, -10, 10);
  std::vector<float> y(M * N);

  run.bytes("softmax", 8.0 * M * N, [&] { softmax(view(x, {M, N}), view(y, {M, N})); });

  for (std::size_t m : run.some(M, 50)) {
    const float* row = &x[m * N];
    const double top = *std::max_element(row, row + N);
    double total = 0;
    for (std::size_t n = 0; n < N; ++n) total += std::exp(row[n] - top);
    for (std::size_t n = 0; n < N; ++n) run.expect(N * y[m * N + n], N * std::exp(row[n] - top) / total, 1e-5);
  }
  return run.result();
}
