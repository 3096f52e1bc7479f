// Expect: e, line 7: shared: a swizzle is 0, 32, 64 or 128 bytes, not 16
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto s = k.shared<f32>({.swizzle = 16}, k.all<"M">());
  y(k.block<"M">(BM)) = 1;
};
int main() {}
