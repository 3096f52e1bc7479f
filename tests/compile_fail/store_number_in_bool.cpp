// Expect: e, line 8: argument y holds b8, the value is i32: cast<b8>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i32, "M"> x, Out<bool, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m);
};
int main() {}
