// Expect: e, line 8: *: the literal is beyond f16: cast<...>() the tile to a wider type
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f16, "M"> a, Out<f16, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = a(m) * 1e6;
};
int main() {}
