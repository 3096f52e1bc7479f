// Expect: e, line 8: argument c: a masked read needs a value for the other lanes: where(mask, other)
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, InOut<f32, "M"> c, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = c(m).where(m > 0) * 2;
};
int main() {}
