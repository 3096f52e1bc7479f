// Expect: e, line 9: argument y: index 1 is f32: an index is an integer, cast<i64>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto i = x(m);
  y(i) = x(m);
};
int main() {}
