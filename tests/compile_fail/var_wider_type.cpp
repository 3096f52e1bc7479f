// Expect: e, line 9: f64 into a Var of f32 (line 8) loses bits: cast<f32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = k.zeros<f32>(m);
  v = cast<f64>(v) * 2;
  y(m) = v;
};
int main() {}
