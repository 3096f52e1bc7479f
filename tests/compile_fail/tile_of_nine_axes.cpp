// Expect: e, line 9: a tile has at most 8 axes: reduce or split the work
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "A", "B", "C", "D", "E"> x, In<f32, "F", "G", "H", "I"> z, Out<f32, "A"> y) {
  auto a = k.block<"A">(BM);
  auto t = x(a, k.all<"B">(), k.all<"C">(), k.all<"D">(), k.all<"E">());
  y(a) = sum(t * z(k.all<"F">(), k.all<"G">(), k.all<"H">(), k.all<"I">()));
};
int main() {}
