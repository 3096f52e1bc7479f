// Expect: e, line 8: +: i64 and u64 do not widen to each other without loss: cast<...>() one of them
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i64, "M"> x, In<u64, "M"> s, Out<i64, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m) + s(m);
};
int main() {}
