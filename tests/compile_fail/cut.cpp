// Expect: gemm, line 14: two different axes are called K, cut into different pieces (lines 13 and 13): rename one, as<"J">(block)
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(gemm)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM); auto n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) for (auto j : k.blocks<"K">(BM))
    acc += dot(a(m, i), b(j, n));
  c(m, n) = acc;
};
int main(){}
