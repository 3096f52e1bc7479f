// Expect: e, line 8: range: it goes from one number to another; this one has axis M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  for (auto i : k.range(0, ids(m))) y(m) += 1;
};
int main() {}
