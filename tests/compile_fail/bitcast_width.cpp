// Expect: e, line 8: bitcast: f32 has 32 bits and i16 16: cast<...>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = cast<f32>(bitcast<i16>(x(m, 0)));
};
int main() {}
