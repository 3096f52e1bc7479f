// Expect: e, line 8: argument y: the value has axis N, which the place has not: reduce it, sum<"N">(...), or index by it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  y(m) += x(m, n);
};
int main() {}
