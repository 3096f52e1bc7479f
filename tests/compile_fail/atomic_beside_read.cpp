// Expect: e, line 8: argument c: an atomic and a read in one expression: their order is not defined: name the first, auto old = ...
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, InOut<i32, "M"> c, Out<i32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = atomic_add(c(m), 1) + c(m);
};
int main() {}
