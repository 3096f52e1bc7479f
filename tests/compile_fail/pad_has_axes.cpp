// Expect: e, line 8: pad: the value outside has axes: it is one number
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  y(m) = sum<"N">(at<"N">(pad(x(m, n), x(m, 0)), n - 1));
};
int main() {}
