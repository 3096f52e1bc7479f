// Expect: e, line 9: print: at most 16 values
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto v = x(m);
  k.print("{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}", v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v);
  y(m) = v;
};
int main() {}
