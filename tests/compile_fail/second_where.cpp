// Expect: e, line 8: argument y: a second where: join the masks with &&
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m).where(x(m) > 0).where(x(m) < 9) = 1;
};
int main() {}
