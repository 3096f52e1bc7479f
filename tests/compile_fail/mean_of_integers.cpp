// Expect: e, line 8: mean: the value is i32, a floating type is needed: cast<f32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = mean<"M">(ids(m));
};
int main() {}
