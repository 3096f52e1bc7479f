// Expect: e, line 6: the extent K occurs only as K/32, which does not tell it: add an argument with an axis K
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, In<f32, "K/32"> s, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m);
};
int main() {}
