// Expect: e, line 8: cast: stochastic rounding needs random bits, which a cast has not: round to nearest_even or toward_zero
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f16, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = cast<f16>(x(m), Rounding::stochastic, Saturation::saturate);
};
int main() {}
