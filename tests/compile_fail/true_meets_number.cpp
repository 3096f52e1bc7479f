// Expect: e, line 8: +: true or false meets i32: write a number
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i32, "M"> x, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m) + true;
};
int main() {}
