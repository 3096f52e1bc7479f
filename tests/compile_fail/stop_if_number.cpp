// Expect: e, line 8: stop_if: the value is i32, a condition (b8) is needed: compare it, x != 0
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, Scalar<i32> s, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  k.stop_if(s);
  y(m) = x(m);
};
int main() {}
