// Expect: e, line 8: a block is a value: it cannot be assigned
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  m = k.all<"M">();
  y(m) = 1;
};
int main() {}
