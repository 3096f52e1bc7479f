// Expect: e, line 8: argument y: programs that differ only in grid axis 2 write the same place: index by it, or accumulate with +=
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.index<"M">(), n = k.index<"N">();
  y(m) = x(m, n);
};
int main() {}
