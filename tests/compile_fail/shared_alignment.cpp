// Expect: e, line 7: shared: an alignment is a power of two up to 4096 bytes, not 48
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto s = k.shared<f32>({.alignment = 48}, k.all<"M">());
  y(k.block<"M">(BM)) = 1;
};
int main() {}
