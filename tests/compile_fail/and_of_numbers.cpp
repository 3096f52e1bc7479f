// Expect: e, line 8: &&: the value is i32, a condition (b8) is needed: compare it, x != 0
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = where(ids(m) && ids(m), 1.f, 0.f);
};
int main() {}
