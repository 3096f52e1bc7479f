// Expect: rowsum, line 12: argument c: programs that differ only in grid axis 2 write the same place: index by it, or accumulate with +=
#include <tessera/tessera.hpp>

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
TESSERA_KERNEL(rowsum)(Kernel k, In<f32, "M", "N"> a, Out<f32, "M"> c) {
  auto m = k.block<"M">(BM); auto n = k.block<"N">(BN);
  c(m) = sum<"N">(a(m, n));
};
int main(){}
