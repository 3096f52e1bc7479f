// Expect: e, line 8: when: the condition has axes M: any() or all() of it, or where() for values
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  if (auto t = k.when(ids(m) > 0)) y(m) = 1;
};
int main() {}
