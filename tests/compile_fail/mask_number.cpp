// Expect: e, line 8: where: the value is i32, a condition (b8) is needed: compare it, x != 0
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i32, "M"> x, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m).where(x(m)) = 1;
};
int main() {}
