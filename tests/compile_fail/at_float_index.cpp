// Expect: e, line 8: at: an integer is needed here, not f32
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = at<"M">(x(m), x(m));
};
int main() {}
