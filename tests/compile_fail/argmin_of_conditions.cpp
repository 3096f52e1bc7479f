// Expect: e, line 8: argmin: the value is b8, numbers are needed: cast<i32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<i64, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = argmin<"N">(x(m, k.all<"N">()) > 0);
};
int main() {}
