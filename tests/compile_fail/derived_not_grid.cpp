// Expect: e, line 8: argument x: its axis 2 is N, but the block runs over M: use a block over its extent, or compute an index, block + 0
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m, m);
};
int main() {}
