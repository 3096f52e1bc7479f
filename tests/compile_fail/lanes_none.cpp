// Expect: e, line 8: lanes: a tile size of 0: it is 1 or more
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto l = k.lanes<"L">(0);
  y(m) = x(m) + cast<f32>(sum<"L">(l + 0));
};
int main() {}
