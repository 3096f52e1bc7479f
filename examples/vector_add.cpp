// Adds two vectors: the smallest kernel there is.
#include <tessera/tessera.hpp>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BN"> BN;  // elements a program: chosen for the machine

TESSERA_KERNEL(vector_add)(Kernel k, In<f32, "N"> a, In<f32, "N"> b, Out<f32, "N"> c) {
  auto i = k.block<"N">(BN);
  c(i) = a(i) + b(i);
};

int main(int argc, char** argv) {
  example::Run run("vector_add: c = a + b", argc, argv);
  const std::size_t N = run.size(std::size_t{1} << 25, 10'007);
  const auto a = run.random(N), b = run.random(N);
  std::vector<float> c(N);

  run.bytes("vector_add", 12.0 * N, [&] { vector_add(a, b, c); });

  for (std::size_t i : run.some(N, 100'000)) run.expect(c[i], double{a[i]} + double{b[i]}, 1e-7);
  return run.result();
}
