// Expect: e, line 10: loop: the condition is a value computed before the loop and never changes: write the expression itself in k.loop(...), over Vars
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = cast<f32>(ids(m));
  auto more = any(v > 0);
  while (k.loop(more)) v -= 1;
  y(m) = v;
};
int main() {}
