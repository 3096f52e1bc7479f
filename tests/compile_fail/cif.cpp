// Expect: C++ cannot branch on a tile: use where(c, a, b) for values, if (auto t = k.when(c)) for effects
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(gemm)(Kernel k, In<f32, "M"> a, Out<f32, "M"> c) {
  auto m = k.block<"M">(BM);
  if (a(m) > 0) c(m) = 1;
};
int main(){}
