// Expect: e, line 9: a Var: f64 does not widen to f32 without loss: cast<f32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f64, "M"> w, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = x(m);
  at<"M">(v, 3) = w(0);
  y(m) = v;
};
int main() {}
