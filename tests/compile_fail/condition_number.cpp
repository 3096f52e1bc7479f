// Expect: e, line 8: when: the value is i64, a condition (b8) is needed: compare it, x != 0
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  if (auto t = k.when(m.begin())) y(m) = 1;
};
int main() {}
