// Expect: e, line 8: print: the format has 2 {} for 1 value
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  k.print("{} {}", x(m));
  y(m) = x(m);
};
int main() {}
