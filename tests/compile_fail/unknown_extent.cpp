// Expect: e, line 7: no argument has an extent Q; the extents are M, N
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"Q">(BM);
  y(m) = 1;
};
int main() {}
