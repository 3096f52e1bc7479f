// Expect: tessera: randint<T> gives an integer type
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = x(m) + cast<f32>(randint<f32>(1u, m));
};
int main() {}
