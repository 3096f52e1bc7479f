// Expect: e, line 8: the grid is spanned at the top level, not inside a loop or branch: use k.blocks, k.range or k.span
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, Scalar<i32> s, In<f32, "M"> x, Out<f32, "M"> y) {
  if (auto t = k.when(s > 0)) {
    auto m = k.block<"M">(BM);
    y(m) = x(m);
  }
};
int main() {}
