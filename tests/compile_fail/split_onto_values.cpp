// Expect: e, line 8: split: the outer and the inner axis are given as blocks
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = sum(split<"M">(x(m), x(m), 4));
};
int main() {}
