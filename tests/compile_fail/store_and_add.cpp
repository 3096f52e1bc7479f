// Expect: e, line 9: argument y is Out and takes both = and +=: += starts it at 0, so drop the =, or make it InOut
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = 0;
  y(m) += 1;
};
int main() {}
