// Expect: e, line 8: argument x: index 2 is f32: an index is an integer, cast<i64>() it
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m, cast<f32>(ids(m)));
};
int main() {}
