// Expect: e, line 8: fma: the value is i32, a floating type is needed: cast<f32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i32, "M"> x, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = fma(x(m), x(m), x(m));
};
int main() {}
