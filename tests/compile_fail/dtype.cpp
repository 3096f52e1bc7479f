// Expect: gemm, line 1[23]: \+: f16 and bf16 do not widen to each other without loss: cast<...>\(\) one of them
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(gemm)(Kernel k, In<f16, "M"> a, In<bf16, "M"> b, Out<f32, "M"> c) {
  auto m = k.block<"M">(BM);
  c(m) = a(m) * 2.0f
    + b(m);
};
int main(){}
