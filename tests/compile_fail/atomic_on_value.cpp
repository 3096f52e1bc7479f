// Expect: e, line 9: atomic_max: a value is no place in memory: give it an access of an InOut argument, c(m)
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, InOut<i32, "M"> c) {
  auto m = k.block<"M">(BM);
  auto old = c(m) + 0;
  atomic_max(old, 1);
};
int main() {}
