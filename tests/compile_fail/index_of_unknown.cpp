// Expect: e, line 7: no argument has an extent Q; the extents are M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto i = k.index<"Q">();
  y(i) = x(i);
};
int main() {}
