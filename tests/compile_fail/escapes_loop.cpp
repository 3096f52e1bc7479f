// Expect: e, line 11: a value made inside a loop or branch (line 10) is used outside it: declare it Var before
#include <tessera/tessera.hpp>
#include <vector>
using namespace tessera;
inline constexpr Dim<"BM"> BM;
TESSERA_KERNEL(e)(Kernel k, In<f32, "M", "N"> x, In<i32, "M"> ids, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  std::vector<Tile> kept;
  for (auto i : k.range(0, 3))
    kept.push_back(x(m, i));
  y(m) = kept[0] + 1;
};
int main() {}
