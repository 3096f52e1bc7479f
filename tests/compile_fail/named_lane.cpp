// Expect: e, line 10: a named lane of a Var is its value: assign at<...>(v, index) = value
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  Var v = x(m);
  auto t = at<"M">(v, 3);
  t = 1;
  y(m) = v;
};
int main() {}
