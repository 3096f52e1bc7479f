// Expect: e, line 8: blocks: the range is from one number to another; this one has axis M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i64, "M"> from, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  for (auto t : k.blocks<"M">(4, 0, from(m))) y(t) = x(t);
};
int main() {}
