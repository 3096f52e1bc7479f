// Expect: e, line 8: <: f16 and bf16 do not widen to each other without loss: cast<...>() one of them
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f16, "M"> x, In<bf16, "M"> s, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = where(x(m) < s(m), 1, 0);
};
int main() {}
