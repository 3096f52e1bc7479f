// Expect: e, line 8: join: f16 and bf16 do not widen to each other without loss: cast<...>() one of them
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f16, "M"> a, In<bf16, "M"> b, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = cast<f32>(sum(join<"C">(as<"M", "C">(a(m)), as<"M", "C">(b(m)))));
};
int main() {}
