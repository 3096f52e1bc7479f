// Expect: e, line 9: a loop that starts here is left by break or return: use while (k.loop(condition))
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = cast<f32>(ids(m));
  while (k.loop(any(v > 0))) {
    v -= 1;
    break;
  }
  y(m) = v;
};
int main() {}
