// Expect: e, line 8: atomic_add: the value is b8, numbers are needed: cast<i32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, InOut<bool, "M"> c) {
  auto m = k.block<"M">(BM);
  atomic_add(c(m), true);
};
int main() {}
