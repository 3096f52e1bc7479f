// Expect: e, line 8: merge: the merged axis is given as a block or by name
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  y(m) = sum(merge<"M", "N">(x(m, n), x(m, n)));
};
int main() {}
