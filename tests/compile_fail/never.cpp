// Expect: argument c is Out and is never written
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(gemm)(Kernel k, In<f32, "M"> a, Out<f32, "M"> c) {
  auto m = k.block<"M">(BM);
  k.print("{}", a(m));
};
int main(){}
