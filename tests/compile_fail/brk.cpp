// Expect: gemm, line 12: a loop that starts here is left by break or return: use while (k.loop(condition))
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(gemm)(Kernel k, In<f32, "M"> a, Out<f32, "M"> c) {
  auto m = k.block<"M">(BM);
  for (auto i : k.range(0, 7)) { c(m) = a(m); break; }
};
int main(){}
