// Expect: e, line 8: block_id: no grid block runs over N
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto b = k.block_id<"N">();
  y(m) = x(m, b);
};
int main() {}
