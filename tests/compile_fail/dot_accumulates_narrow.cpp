// Expect: e, line 8: dot: f32 and f32 cannot be accumulated in f16: it is narrower
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y, In<f64, "N"> w) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  y(m) = dot<f16>(x(m, n), cast<f32>(w(n)));
};
int main() {}
