// Expect: e, line 12: sum: the tile has no axis K; its axes are M, N
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> f) {
  auto i = k.block<"M">(BM); auto j = k.all<"N">();
  f(i) = sum<"K">(exp(x(i, j)));
};
int main(){}
