// Expect: e, line 9: at: the tile has no axis N; its axis is M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = x(m);
  at<"N">(v, 3) = 1;
  y(m) = v;
};
int main() {}
