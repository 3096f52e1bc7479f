// Expect: e, line 8: topk: the tile has no axis Q; its axes are M, N
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM); auto c = k.lanes<"K">(4);
  auto [v, p] = topk<"Q", "K">(x(m, k.all<"N">()), c);
  y(m) = sum<"K">(v);
};
int main() {}
