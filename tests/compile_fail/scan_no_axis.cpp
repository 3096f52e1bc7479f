// Expect: e, line 8: associative_scan: the tile has no axis N; its axis is M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = associative_scan<"N">(x(m), 0, [](Tile a, Tile b) { return a + b; });
};
int main() {}
