// Expect: e, line 9: reduce: result 1 of the function has axis N, which the combined values have not
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y, In<f32, "N"> w) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  auto t = w(n);
  y(m) = reduce<"N">(x(m, n), 0, [&](Tile a, Tile b) { return a + b * t; });
};
int main() {}
