// Expect: e, line 8: full: f32 does not widen to i8 without loss: cast<i8>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = k.full<i8>(x(m), m);
};
int main() {}
