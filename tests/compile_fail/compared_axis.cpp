// Expect: e, line 8: argument c: the compared value has axis N, which the place has not: reduce it, sum<"N">(...), or index by it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i32, "M", "N"> x, InOut<i32, "M"> c) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  atomic_compare_exchange(c(m), x(m, n), 1);
};
int main() {}
