// Expect: e, line 8: argument y holds i32, the value is f32: cast<i32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i32, "M"> x, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = scaled(x(m), x(m) > 0);
};
int main() {}
