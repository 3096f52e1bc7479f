// Expect: e, line 8: argument y holds f16, the value is f32: cast<f16>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f16, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) += x(m);
};
int main() {}
