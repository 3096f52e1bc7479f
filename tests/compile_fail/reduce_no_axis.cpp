// Expect: e, line 8: reduce: the tile has no axis N; its axis is M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = reduce<"N">(cast<f32>(ids(m)), 0, [](Tile a, Tile b) { return a + b; });
};
int main() {}
