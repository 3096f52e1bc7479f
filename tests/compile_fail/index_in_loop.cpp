// Expect: e, line 8: the grid is spanned at the top level, not inside a loop or branch: use k.blocks, k.range or k.span
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  for (auto i : k.range(0, 3)) y(k.index<"M">()) = x(i);
};
int main() {}
