// Expect: e, line 8: atomic_add: argument x is In and cannot be written: make it InOut
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i32, "M"> x, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = atomic_add(x(m), 1);
};
int main() {}
