// Expect: e, line 8: grow: a halo of -1 lanes: it is 0 or more
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = sum<"M">(x(m.grow(-1), 0));
};
int main() {}
