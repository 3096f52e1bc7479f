// Expect: e, line 9: dot: the operands share 2 axes: name those to contract, dot<"N">(a, b)
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  y(m) = dot(x(m, n), x(m, n));
};
int main() {}
