// Expect: scale: argument y is written, but what is given is const
#include <tessera/tessera.hpp>
#include <vector>

using namespace tessera;

TESSERA_KERNEL(scale)(Kernel k, In<f32, "M", "N"> x, Scalar<f32> by, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(32), n = k.block<"N">(32);
  y(m, n) = x(m, n) * by;
};

int main() {
  std::vector<float> x(12), y(12);
  std::vector<double> wide(12);
  const std::vector<float> fixed(12);
  std::vector<std::vector<float>> rows;
  scale(view(x, {3, 4}), 2, view(fixed, {3, 4}));
}
