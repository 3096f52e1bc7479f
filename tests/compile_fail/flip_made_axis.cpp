// Expect: e, line 8: flip: axis J was made by an operation and has no positions of its own
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  y(m) = sum<"J">(sum<"N">(flip<"J">(merge<"M", "N", "J">(x(m, n)))));
};
int main() {}
