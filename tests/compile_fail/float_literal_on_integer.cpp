// Expect: e, line 8: *: a float literal meets i32: cast<f32>() the tile, or write an integer
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = cast<f32>(ids(m) * 0.5);
};
int main() {}
