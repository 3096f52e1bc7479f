// Expect: e, line 8: block: the range is from one number to another; this one has axis M
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<i64, "M"> from, Scalar<i64> most, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto t = k.block<"M">(4, from(m), from(m) + 1, most);
  y(t) = x(t);
};
int main() {}
