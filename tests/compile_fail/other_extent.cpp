// Expect: e, line 8: sum: the tile has no axis M; its axis is M+1
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, In<f32, "M+1"> w, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m) + sum<"M">(w(k.all<"M+1">()));
};
int main() {}
