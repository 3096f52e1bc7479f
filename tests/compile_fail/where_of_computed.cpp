// Expect: e, line 8: where: only a read of an argument takes a mask, x(i).where(mask, other): for values use where(mask, value, other)
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = (x(m, 0) + 1).where(m > 0, 0);
};
int main() {}
