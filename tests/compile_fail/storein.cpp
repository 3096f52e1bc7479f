// Expect: argument a is In and cannot be written
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(gemm)(Kernel k, In<f32, "M"> a, Out<f32, "M"> c) {
  auto m = k.block<"M">(BM);
  a(m) = a(m) * 2.0f; c(m) = 0;
};
int main(){}
