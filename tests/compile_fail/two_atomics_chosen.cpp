// Expect: e, line 8: two atomics in one expression: their order is not defined: name the first, auto old = ...
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, InOut<i32, "M"> c, InOut<i32, "M"> d, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = where(m > 1, atomic_add(c(m), 1), atomic_add(d(m), 1));
};
int main() {}
