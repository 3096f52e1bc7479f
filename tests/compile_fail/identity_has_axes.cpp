// Expect: e, line 8: reduce: an identity has axes: it is one number for each value
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  y(m) = reduce<"N">(x(m, n), x(m, 0), [](Tile a, Tile b) { return a + b; });
};
int main() {}
