// Expect: e, line 8: uniform: of a floating type with a zero
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = cast<f32>(uniform<e8m0>(1u, m));
};
int main() {}
