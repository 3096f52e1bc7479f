// Expect: argument x has 1 axis, 2 indices are given
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> f) {
  auto i = k.block<"M">(BM);
  f(i) = x(i, i);
};
int main(){}
