// Expect: e, line 8: <<: i32 and u32 do not widen to each other without loss: cast<...>() one of them
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i32, "M"> x, In<u32, "M"> s, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m) << s(m);
};
int main() {}
