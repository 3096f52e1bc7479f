// Expect: e, line 9: blocks: a float literal meets i64: cast<f32>() the tile, or write an integer
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var s = k.zeros<f32>(m);
  for (auto n : k.blocks<"N">(4, 0, 2.5)) s += sum<"N">(x(m, n));
  y(m) = s;
};
int main() {}
