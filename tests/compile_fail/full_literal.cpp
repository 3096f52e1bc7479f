// Expect: e, line 8: full: the literal 200 is beyond i8: cast<...>() the tile to a wider type
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = cast<f32>(k.full<i8>(200, m));
};
int main() {}
