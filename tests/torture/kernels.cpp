// Owns the kernels of the crowd.
#include "tests/torture/kernels.hpp"

#include <cmath>
#include <vector>

#include "tessera/tessera.hpp"

namespace torture {
namespace {

using namespace tessera;

constexpr Dim<"BM"> BM;
constexpr Dim<"BN"> BN;

TESSERA_KERNEL(torture_axpy)(Kernel k, In<f32, "N"> x, In<f32, "N"> y, Scalar<f32> a, Out<f32, "N"> z) {
  auto i = k.block<"N">(BN);
  z(i) = x(i) * a + y(i);
};
TESSERA_KERNEL(torture_rows)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto i = k.block<"M">(BM);
  auto j = k.all<"N">();
  y(i) = sum<"N">(x(i, j));
};

int axpy(std::int64_t block) {
  std::vector<float> x(1000), y(1000), z(1000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(i), y[i] = float(1000 - i);
  torture_axpy.with(Config{.tunables = {{"BN", block}}, .threads = 1})(x, y, 2.0f, z);
  int wrong = 0;
  for (std::size_t i = 0; i < z.size(); ++i) wrong += z[i] != float(i) + 1000.0f;
  return wrong;
}

int rows(std::int64_t block) {
  std::vector<float> x(64 * 32, 0.5f), y(64);
  torture_rows.with(Config{.tunables = {{"BM", block}}, .threads = 1})(view(x.data(), {64, 32}), y);
  int wrong = 0;
  for (float v : y) wrong += v != 16.0f;
  return wrong;
}

}  // namespace

int call_all(unsigned first) {
  int wrong = 0;
  for (unsigned n = 0; n < variants; ++n) {
    const unsigned which = (first + n) % variants;
    wrong += which % 2 == 0 ? axpy(16 << which / 2) : rows(4 << which / 2);
  }
  return wrong;
}

}  // namespace torture
