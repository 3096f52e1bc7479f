// Expect: C++ cannot branch on a tile: use where(c, a, b) for values
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = ids(m) > 0 ? 1 : 2;
};
int main() {}
