// Histogram: counts the bytes of an array into 256 bins; any number of programs add to one bin.
#include <tessera/tessera.hpp>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(histogram)(Kernel k, In<u8, "N"> x, Out<i32, "BINS"> h) {
  auto i = k.block<"N">(BN);
  h(cast<i32>(x(i))) += 1;
};

int main(int argc, char** argv) {
  example::Run run("histogram: of bytes", argc, argv);
  const std::size_t N = run.size(std::size_t{1} << 26, 100'003);
  auto x = run.integers<std::uint8_t>(N, 0, 255);
  for (std::size_t i = 0; i < N; i += 2) x[i] = x[i] * x[i] / 256;  // as in pictures, some are far more frequent
  std::vector<std::int32_t> h(256);

  run.bytes("histogram", 1.0 * N, [&] { histogram(x, h); });

  std::vector<double> expected(256);
  for (std::uint8_t byte : x) expected[byte] += 1;
  run.things("one plain C++ loop", "GB/s", 1e-9 * N, [&] {
    std::vector<std::int32_t> plain(256);
    for (std::uint8_t byte : x) ++plain[byte];
    run.expect(plain[0], expected[0]);
  });
  run.expect_all(h, expected);
  return run.result();
}
