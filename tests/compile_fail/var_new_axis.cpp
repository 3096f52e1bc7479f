// Expect: e, line 10: the value has axis N, which the Var of line 9 has not: reduce it, or declare the Var with it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  Var v = k.zeros<f32>(m);
  v += x(m, n);
  y(m) = v;
};
int main() {}
