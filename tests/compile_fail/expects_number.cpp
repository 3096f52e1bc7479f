// Expect: e, line 8: expects: the value is i64, a condition (b8) is needed: compare it, x != 0
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  k.expects(k.extent<"M">(), "M");
  y(m) = x(m);
};
int main() {}
