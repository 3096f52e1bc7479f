// Expect: e, line 8: >: the literal -1 is beyond u8: cast<...>() the tile to a wider type
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<u8, "M"> a, Out<b8, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = a(m) > -1;
};
int main() {}
