// N bodies that attract each other: every force from every body, and steps in time (leapfrog).
#include <tessera/tessera.hpp>

#include <cmath>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(accelerations)(Kernel k, In<f32, "N", "D"> x, In<f32, "N"> mass, Scalar<f32> softening,
                              Out<f32, "N", "D"> a) {
  auto i = k.block<"N">(BM);
  auto d = k.all<"D">();
  Var acc = k.zeros<f32>(i, d);
  for (auto n : k.blocks<"N">(BN)) {
    auto j = as<"J">(n);
    auto to = x(j, d) - x(i, d);
    auto near = rsqrt(sum<"D">(to * to) + softening);
    acc += sum<"J">(to * (mass(j) * near * near * near));
  }
  a(i, d) = acc;
};

TESSERA_KERNEL(step)(Kernel k, In<f32, "N", "D"> a, Scalar<f32> dt, InOut<f32, "N", "D"> v, InOut<f32, "N", "D"> x) {
  auto i = k.block<"N">(BM);
  auto d = k.all<"D">();
  auto next = v(i, d) + a(i, d) * dt;
  v(i, d) = next;
  x(i, d) = x(i, d) + next * dt;
};

int main(int argc, char** argv) {
  example::Run run("n_body: all pairs", argc, argv);
  const std::size_t N = run.size(16'384, 301), D = 3;
  auto x = run.random(N * D), v = run.random(N * D, -0.1, 0.1);
  const auto mass = run.random(N, 0.5 / double(N), 1.5 / double(N));
  const double softening = 1e-4, dt = 0.001;
  std::vector<float> a(N * D);

  const auto forces = [&] { accelerations(view(x, {N, D}), mass, softening, view(a, {N, D})); };
  run.operations("accelerations, 20 a pair", 20.0 * N * N, forces);

  for (int turn = 0; turn < 5; ++turn) {
    forces();
    const auto x0 = x, v0 = v;
    step(view(a, {N, D}), dt, view(v, {N, D}), view(x, {N, D}));
    for (std::size_t i : run.some(N, 200)) {
      double sum[3] = {};
      for (std::size_t j = 0; j < N; ++j) {
        double to[3], square = softening;
        for (std::size_t d = 0; d < D; ++d) to[d] = double{x0[j * D + d]} - x0[i * D + d], square += to[d] * to[d];
        for (std::size_t d = 0; d < D; ++d) sum[d] += to[d] * mass[j] / (square * std::sqrt(square));
      }
      for (std::size_t d = 0; d < D; ++d) {
        run.expect(a[i * D + d], sum[d], 1e-4);
        run.expect(v[i * D + d], v0[i * D + d] + sum[d] * dt, 1e-6);
        run.expect(x[i * D + d], x0[i * D + d] + (v0[i * D + d] + sum[d] * dt) * dt, 1e-6);
      }
    }
  }
  return run.result();
}
