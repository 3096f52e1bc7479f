// Expect: a number has no kernel and no type here: Var v = k.full<f32>(0)
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = 0;
  y(m) = v;
};
int main() {}
