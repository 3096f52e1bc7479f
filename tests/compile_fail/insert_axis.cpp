// Expect: e, line 9: at: the value has axis N, which the Var of line 8 has not beside M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  Var v = x(m, 0);
  at<"M">(v, 3) = x(3, n);
  y(m) = v;
};
int main() {}
