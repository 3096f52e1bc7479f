// Expect: e, line 8: ==: a number meets b8: write true or false, or compare
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<b8, "M"> a, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = where(a(m) == 1, 1, 2);
};
int main() {}
