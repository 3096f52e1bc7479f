// Expect: e, line 8: argmax: the tile has no axis N; its axis is M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<i64, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = argmax<"N">(x(m));
};
int main() {}
