// Expect: e, line 9: f64 into a Var of f32 (line 8) loses bits: cast<f32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f64, "M"> w, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = x(m);
  v += w(m);
  y(m) = v;
};
int main() {}
