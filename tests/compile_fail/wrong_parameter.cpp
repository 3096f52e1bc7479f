// Expect: a kernel's parameters are Kernel, In, Out, InOut and Scalar, by value
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, int n, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = n;
};
int main() {}
