// Expect: e, line 8: uniform: a float literal meets u64: cast<f32>() the tile, or write an integer
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = uniform<f32>(0.5, m);
};
int main() {}
