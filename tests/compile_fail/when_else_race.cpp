// Expect: e, line 9: argument y: programs that differ only in grid axis 2 write the same place: index by it, or accumulate with +=
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BM);
  if (auto t = k.when(n.number() == 0)) y(m) = sum<"N">(x(m, n));
  if (auto e = k.otherwise()) y(m) = 0;
};
int main() {}
