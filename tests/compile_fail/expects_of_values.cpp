// Expect: e, line 7: expects: the condition must be known before the launch (extents, scalars and Dims only): for values use k.check
#include <tessera/tessera.hpp>

using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  k.expects(ids(0) > 0, "the first is positive");
  y(k.block<"M">(BM)) = 1;
};
int main() {}
