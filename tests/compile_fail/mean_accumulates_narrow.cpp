// Expect: e, line 8: mean: f32 does not widen to f16 without loss: cast<f16>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = mean<f16, "N">(x(m, k.all<"N">()));
};
int main() {}
