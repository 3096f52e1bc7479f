// Expect: e, line 9: loop: the value is i32, a condition (b8) is needed: compare it, x != 0
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var n = k.full<i32>(0);
  while (k.loop(n)) n += 1;
  y(m) = x(m);
};
int main() {}
