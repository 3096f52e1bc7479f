// Expect: e, line 8: topk: the block runs along M, not along K: as<"K">(block)
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = sum(topk<"N", "K">(x(0, k.all<"N">()), m).values);
};
int main() {}
