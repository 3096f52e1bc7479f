// Expect: e, line 9: argument shared holds f16, the value is f32: cast<f16>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto s = k.shared<f16>(m);
  s(m) = x(m);
  y(m) = cast<f32>(s(m));
};
int main() {}
