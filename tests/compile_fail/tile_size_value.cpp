// Expect: e, line 7: block: a tile size is a number or a Dim (or made of them)
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, Scalar<i32> n, Out<f32, "M"> y) {
  auto m = k.block<"M">(n);
  y(m) = 1;
};
int main() {}
