// Expect: e, line 8: merge: the tile has no axis Q; its axes are M, N
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  y(m) = sum(merge<"N", "Q", "J">(x(m, n)));
};
int main() {}
