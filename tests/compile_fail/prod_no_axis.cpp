// Expect: e, line 8: prod: the tile has no axis N; its axis is M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = prod<"N">(x(m));
};
int main() {}
