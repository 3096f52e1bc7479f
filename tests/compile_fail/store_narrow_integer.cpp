// Expect: e, line 8: argument y holds i8, the value is i32: cast<i8>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i32, "M"> a, Out<i8, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = a(m);
};
int main() {}
