// Expect: a Tile is a value: declare it Var to change it
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(gemm)(Kernel k, In<f32, "M"> a, Out<f32, "M"> c) {
  auto m = k.block<"M">(BM);
  auto s = a(m); s += a(m);
  c(m) = s;
};
int main(){}
