// Expect: e, line 8: dot: the operands share no axis; there must be one to contract: the first has M, the second N
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BM);
  y(m) += sum<"N">(dot(x(m, 0), x(0, n)));
};
int main() {}
