// Expect: nbody, line 13: two different axes are called N, at different positions (lines 11 and 13): rename one, as<"J">(block)
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(nbody)(Kernel k, In<f32, "N"> x, Out<f32, "N"> f) {
  auto i = k.block<"N">(BM);
  Var acc = k.zeros<f32>(i);
  for (auto j : k.blocks<"N">(BM)) acc += x(i) - x(j);
  f(i) = acc;
};
int main(){}
