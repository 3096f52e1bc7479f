// Expect: e, line 8: join, first operand: the tile has no axis C; its axis is M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = sum(join<"C">(x(m), as<"M", "C">(x(m))));
};
int main() {}
