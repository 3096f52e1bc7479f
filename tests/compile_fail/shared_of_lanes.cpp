// Expect: e, line 7: shared: its axes are given by blocks that run over extents, not by lanes or values
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto s = k.shared<f32>(k.lanes<"E">(8));
  y(k.block<"M">(BM)) = 1;
};
int main() {}
