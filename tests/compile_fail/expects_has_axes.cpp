// Expect: e, line 8: expects: the condition has axes M: any() or all() of it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  k.expects(x(m) > 0, "x is positive");
  y(m) = x(m);
};
int main() {}
