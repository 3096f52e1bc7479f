// Expect: an_operation_on_numbers_only_has_no_kernel_write_k_value_of_one_of_them
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  y(m) = cast<f32>(BM);
};
int main() {}
