// Expect: e, line 8: range: an integer is needed here, not f32
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, Scalar<f32> s, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  for (auto i : k.range(0, s)) y(m) = x(m) * cast<f32>(i);
};
int main() {}
