// Expect: e, line 9: dot, second operand: the tile has no axis N; its axis is M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<f32, "M"> y_, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  y(m) = dot<"N">(x(m, n), y_(m));
};
int main() {}
