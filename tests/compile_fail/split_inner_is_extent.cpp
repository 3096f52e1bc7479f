// Expect: e, line 8: split: the inner block has no size of its own: use k.lanes<"E">(size)
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y, In<f32, "G", "E"> w) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">(), g = k.all<"G">(), i = k.all<"E">();
  y(m) = sum(split<"N">(x(m, n), g, i));
};
int main() {}
