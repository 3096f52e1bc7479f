// Expect: e, line 12: argument f is Out and cannot be read: make it InOut
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> f) {
  auto i = k.block<"M">(BM);
  f(i) = x(i); f(i) = f(i) * 2;
};
int main(){}
