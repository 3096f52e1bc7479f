// Expect: e, line 8: argument y: programs that differ only in grid axis 1 write the same place: index by it, or accumulate with +=
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(0) = sum(x(m));
};
int main() {}
