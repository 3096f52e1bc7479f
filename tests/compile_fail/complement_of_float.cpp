// Expect: e, line 8: ~: the value is f32, an integer is needed: cast<i32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = ~x(m);
};
int main() {}
