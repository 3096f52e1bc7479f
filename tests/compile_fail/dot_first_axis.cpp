// Expect: e, line 8: dot, first operand: the tile has no axis K; its axes are M, N
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y, In<f32, "N", "K"> w) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">(), i = k.all<"K">();
  y(m) = dot<"K">(x(m, n), w(n, i));
};
int main() {}
