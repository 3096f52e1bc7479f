// Expect: e, line 8: argument c: programs that differ only in grid axis 2 write the same place: index by it, or accumulate with +=
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, InOut<f32, "M"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BM);
  c(m) = sum<"N">(x(m, n));
};
int main() {}
