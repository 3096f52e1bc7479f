// Expect: e, line 8: argument x: its axis 1 is M/2, but the block runs over M: use a block over its extent, or compute an index, block + 0
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M/2"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m);
};
int main() {}
