// Expect: e, line 6: argument x has 9 axes: at most 8
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "A", "B", "C", "D", "E", "F", "G", "H", "I"> x, Out<f32, "A"> y) {
  y(k.block<"A">(BM)) = 1;
};
int main() {}
