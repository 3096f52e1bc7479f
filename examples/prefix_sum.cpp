// Prefix sums: in one launch with a carry, and in three launches whose programs run in parallel.
#include <tessera/tessera.hpp>

#include <numeric>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BN"> BN;
inline constexpr int chunk = 4096;

TESSERA_KERNEL(prefix_sum)(Kernel k, In<i32, "N"> x, Out<i32, "N"> y) {
  Var carry = k.zeros<i32>();
  for (auto i : k.blocks<"N">(BN)) {
    y(i) = carry + cumsum<"N">(x(i));
    carry += sum<"N">(x(i));
  }
};

TESSERA_KERNEL(chunk_sums)(Kernel k, In<i32, "N"> x, Out<i32, "N/4096"> total) {
  auto i = k.block<"N">(chunk);
  total(i.number()) = sum<"N">(x(i));
};
TESSERA_KERNEL(sums_before)(Kernel k, In<i32, "C"> total, Out<i32, "C"> before) {
  auto c = k.all<"C">();
  before(c) = cumsum<"C">(total(c)) - total(c);
};
TESSERA_KERNEL(chunk_scan)(Kernel k, In<i32, "N"> x, In<i32, "N/4096"> before, Out<i32, "N"> y) {
  auto i = k.block<"N">(chunk);
  y(i) = before(i.number()) + cumsum<"N">(x(i));
};

int main(int argc, char** argv) {
  example::Run run("prefix_sum: in one launch, and in three", argc, argv);
  const std::size_t N = run.size(std::size_t{1} << 25, 20'011), C = (N + chunk - 1) / chunk;
  const auto x = run.integers<std::int32_t>(N, -100, 100);
  std::vector<std::int32_t> y(N), z(N), total(C), before(C), plain(N);

  run.bytes("prefix_sum, one launch", 8.0 * N, [&] { prefix_sum(x, y); });
  run.bytes("prefix_sum, three launches", 8.0 * N, [&] {
    chunk_sums(x, total);
    sums_before(total, before);
    chunk_scan(x, before, z);
  });
  run.bytes("std::inclusive_scan", 8.0 * N, [&] { std::inclusive_scan(x.begin(), x.end(), plain.begin()); });

  double sum = 0;
  for (std::size_t i = 0; i < N; ++i) {
    sum += x[i];
    run.expect(y[i], sum);
    run.expect(z[i], sum);
  }
  return run.result();
}
