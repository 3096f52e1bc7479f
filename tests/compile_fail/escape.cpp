// Expect: a Tile is a value: declare it Var to change it in a loop
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> f) {
  auto i = k.block<"M">(BM);
  Tile last = k.zeros<f32>(i);
  for (auto j : k.blocks<"N">(BM)) last = last + sum<"N">(x(i, j));
  f(i) = last;
};
int main(){}
