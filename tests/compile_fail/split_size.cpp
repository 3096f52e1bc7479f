// Expect: e, line 9: split: the inner size is a number or a Dim
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  y(m) = sum(split<"N", "G", "E">(x(m, n), ids(0)));
};
int main() {}
