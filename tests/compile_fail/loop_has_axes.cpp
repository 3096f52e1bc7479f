// Expect: e, line 9: loop: the condition has axes M: any() or all() of it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = cast<f32>(ids(m));
  while (k.loop(v > 0)) v -= 1;
  y(m) = v;
};
int main() {}
