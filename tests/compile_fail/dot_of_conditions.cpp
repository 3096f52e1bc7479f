// Expect: e, line 8: dot: the value is b8, numbers are needed: cast<i32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  y(m) = dot(x(m, n) > 0, x(m, n) > 1);
};
int main() {}
