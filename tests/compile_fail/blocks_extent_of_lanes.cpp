// Expect: e, line 8: no argument has an extent L; the extents are M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  for (auto i : k.blocks<"L">(4)) y(m) = x(m) + cast<f32>(i);
};
int main() {}
