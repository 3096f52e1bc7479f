// Expect: e, line 12: argument f holds f16, the value is f32: cast<f16>() it
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f16, "M"> f) {
  auto i = k.block<"M">(BM);
  f(i) = x(i) * 2;
};
int main(){}
