// Expect: e, line 8: dot: f16 and bf16 do not widen to each other without loss: cast<...>() one of them
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f16, "M", "N"> a, In<bf16, "N"> b, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  y(m) = dot(a(m, n), b(n));
};
int main() {}
