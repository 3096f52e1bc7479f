// Expect: e, line 9: argument c: a named place is the value read there: store as c(...) = value
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, InOut<f32, "M"> c) {
  auto m = k.block<"M">(BM);
  auto old = c(m);
  old = 1;
};
int main() {}
