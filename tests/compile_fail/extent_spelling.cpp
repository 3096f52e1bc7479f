// Expect: e, line 6: "K-1" is no extent: write a name, "N", "N+1" or "N/32"
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, In<f32, "K-1"> s, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m);
};
int main() {}
