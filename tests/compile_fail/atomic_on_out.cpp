// Expect: e, line 8: atomic_max: argument y is Out, and an atomic reads: make it InOut
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  atomic_max(y(m), 2);
};
int main() {}
