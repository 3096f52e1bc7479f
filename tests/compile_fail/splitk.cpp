// Expect: gemm_split, line 16: argument c: programs that differ only in grid axis 1 write the same place: index by it, or accumulate with +=
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(gemm_split)(Kernel k, In<f16, "M", "K"> a, In<f16, "K", "N"> b, Out<f32, "M", "N"> c) {
  auto s = k.index(SPLIT);
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto part = cdiv(k.extent<"K">(), SPLIT);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK, s * part, (s + 1) * part)) acc += dot(a(m, i), b(i, n));
  c(m, n) = acc;
};
int main(){}
