// Expect: e, line 7: block: the longest range must be known before the launch (extents and scalars only)
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM, 0, ids(0), ids(1));
  y(m) = 1;
};
int main() {}
