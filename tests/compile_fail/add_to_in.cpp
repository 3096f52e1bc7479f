// Expect: e, line 9: argument x is In and cannot be written: make it InOut
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, InOut<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m);
  x(m) += 1;
};
int main() {}
