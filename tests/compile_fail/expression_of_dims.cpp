// Expect: e, line 8: an expression of Dims: && and || join conditions, the rest takes numbers
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  k.expects((BM > 1) + BM > 2, "BM");
  y(m) = x(m);
};
int main() {}
