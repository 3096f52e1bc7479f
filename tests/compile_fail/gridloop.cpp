// Expect: g, line 12: index: the grid must be known before the launch (extents and scalars only)
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(g)(Kernel k, In<i32, "B"> len, In<f16, "M", "K"> a, Out<f16, "M", "K"> c) {
  auto b = k.index<"B">();
  auto t = k.index(len(b));
  auto m = k.block<"M">(BM), n = k.block<"K">(BN);
  c(m, n) = a(m, n);
};
int main(){}
