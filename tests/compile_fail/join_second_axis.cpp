// Expect: e, line 8: join, second operand: the tile has no axis C; its axis is M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = sum(join<"C">(as<"M", "C">(x(m)), x(m)));
};
int main() {}
