// Expect: e, line 7: index: an integer is needed here, not f32
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, Scalar<f32> s, In<f32, "M"> x, Out<f32, "M"> y) {
  auto i = k.index(s);
  y(i) = x(i);
};
int main() {}
