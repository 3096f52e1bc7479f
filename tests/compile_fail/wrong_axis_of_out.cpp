// Expect: e, line 8: argument y: its axis 1 is N, but the block runs over M: use a block over its extent, or compute an index, block + 0
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "N"> y, In<f32, "N"> z) {
  auto m = k.block<"M">(BM);
  y(m) = x(m);
};
int main() {}
