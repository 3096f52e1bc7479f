// Expect: e, line 8: argument y: a float literal meets i32: cast<f32>() the tile, or write an integer
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i32, "M"> x, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = 0.5;
};
int main() {}
