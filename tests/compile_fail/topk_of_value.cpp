// Expect: e, line 8: topk: the second argument is the block of the places kept, such as k.all<"K">()
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  auto [v, p] = topk<"N", "K">(x(m, n), x(m, n));
  y(m) = sum<"K">(v);
};
int main() {}
