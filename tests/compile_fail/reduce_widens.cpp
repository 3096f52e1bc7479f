// Expect: e, line 8: reduce: f64 does not widen to f32 without loss: cast<f32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = reduce<"N">(x(m, k.all<"N">()), 0, [](Tile a, Tile b) { return cast<f64>(a) + b; });
};
int main() {}
