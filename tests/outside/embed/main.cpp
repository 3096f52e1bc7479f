// A program with two kernels: says whether they are right, and how it came by them.
#include <tessera/call/statistics.hpp>
#include <tessera/tessera.hpp>

#include <cstdio>
#include <vector>

using namespace tessera;

TESSERA_KERNEL(scale)(Kernel k, In<f32, "N"> x, Scalar<f32> a, Out<f32, "N"> y) {
  auto i = k.block<"N">(64);
  y(i) = x(i) * a;
};
TESSERA_KERNEL(total)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(8);
  auto n = k.all<"N">();
  y(m) = sum<"N">(x(m, n));
};

int main() {
  std::vector<float> x(600, 2.0f), y(600), rows(20);
  scale(x, 1.5f, y);
  total(view(x.data(), {20, 30}), rows);
  for (float v : y)
    if (v != 3.0f) return 1;
  for (float v : rows)
    if (v != 60.0f) return 1;
  const Counts c = counts();
  std::printf("%d compiled, %d loaded\n", int(c.compiled), int(c.loaded));
}
