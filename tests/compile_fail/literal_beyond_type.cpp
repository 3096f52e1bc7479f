// Expect: e, line 8: +: the literal 300 is beyond i8: cast<...>() the tile to a wider type
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i8, "M"> a, Out<i8, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = a(m) + 300;
};
int main() {}
