// Expect: e, line 9: otherwise: it follows directly after if (auto t = k.when(c)) { ... }
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = 0;
  if (auto e = k.otherwise()) y(m) = 1;
};
int main() {}
