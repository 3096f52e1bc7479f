// Expect: e, line 8: print: the format has 1 {} for 2 values
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  k.print("x = {}", m, x(m, 0));
  y(m) = 1;
};
int main() {}
