// Expect: e, line 9: f32 into a Var of b8 (line 8) loses bits: cast<b8>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = x(m) > 0;
  v = x(m);
  y(m) = x(m);
};
int main() {}
