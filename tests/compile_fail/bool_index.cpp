// Expect: e, line 8: argument x: index 2 is a bool literal: write an integer
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m, true);
};
int main() {}
