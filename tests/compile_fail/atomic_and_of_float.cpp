// Expect: e, line 8: atomic_and: the value is f32, integers or conditions are needed: cast<i32>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, InOut<f32, "M"> c) {
  auto m = k.block<"M">(BM);
  atomic_and(c(m), 1);
};
int main() {}
