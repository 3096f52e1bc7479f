// Expect: e, line N: argument shared has 1 axis, 2 indices are given
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto s = k.shared<f32>(m);
  s(m, m) = x(m);
  y(m) = x(m);
};
int main() {}
