// Expect: e, line 8: argument y: the literal 256 is beyond u8: cast<...>() the tile to a wider type
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, Out<u8, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = 256;
};
int main() {}
