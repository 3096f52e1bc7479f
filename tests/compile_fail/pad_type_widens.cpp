// Expect: e, line 8: pad: f64 does not widen to f32 without loss: cast<f32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y, In<f64, "M"> w) {
  auto m = k.block<"M">(BM);
  y(m) = x.pad(w(0))(m - 1);
};
int main() {}
