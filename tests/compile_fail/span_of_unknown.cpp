// Expect: e, line 8: no argument has an extent T; the extents are M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto t = k.span<"T">(4, 0, 4);
  y(m) = x(m);
};
int main() {}
