// Radix sort of 32-bit keys: eight passes over 4 bits each; a pass counts, sums, and moves each key to its place.
#include <tessera/tessera.hpp>

#include <algorithm>

#include "support/support.hpp"

using namespace tessera;

inline constexpr int chunk = 4096;
inline constexpr std::size_t digits = 16;

TESSERA_KERNEL(count_digits)(Kernel k, In<u32, "N"> key, Scalar<u32> shift, Out<i32, "N/4096", "R"> count) {
  auto i = k.block<"N">(chunk);
  auto r = k.all<"R">();
  count(i.number(), r) = sum<"N">(cast<i32>(cast<i32>(key(i) >> shift & 15) == r));
};

// Where the keys of a chunk with digit r begin: after all smaller digits, and after the same digit of earlier chunks.
TESSERA_KERNEL(first_places)(Kernel k, In<i32, "C", "R"> count, Out<i32, "C", "R"> base) {
  auto c = k.all<"C">(), r = k.all<"R">();
  auto all = sum<"C">(count(c, r));
  base(c, r) = cumsum<"R">(all) - all + cumsum<"C">(count(c, r)) - count(c, r);
};

TESSERA_KERNEL(move_keys)(Kernel k, In<u32, "N"> key, In<i32, "N/4096", "R"> base, Scalar<u32> shift,
                          InOut<u32, "N"> out) {
  auto i = k.block<"N">(chunk);
  auto r = k.all<"R">();
  auto digit = cast<i32>(key(i) >> shift & 15);
  auto rank = sum<"R">(where(digit == r, cumsum<"N">(cast<i32>(digit == r)), 0)) - 1;  // among equals of the chunk
  out(base(i.number(), digit) + rank) = key(i);
};

int main(int argc, char** argv) {
  example::Run run("radix_sort: 32-bit keys, 4 bits a pass", argc, argv);
  const std::size_t N = run.size(std::size_t{1} << 22, 10'007), C = (N + chunk - 1) / chunk;
  const auto keys = run.integers<std::uint32_t>(N, 0, 0xffffffff);
  std::vector<std::uint32_t> from, to(N), expected;
  std::vector<std::int32_t> count(C * digits), base(C * digits);

  run.things("radix_sort", "million keys/s", 1e-6 * N, [&] {
    from = keys;
    for (std::uint32_t shift = 0; shift < 32; shift += 4) {
      count_digits(from, shift, view(count, {C, digits}));
      first_places(view(count, {C, digits}), view(base, {C, digits}));
      move_keys(from, view(base, {C, digits}), shift, to);
      std::swap(from, to);
    }
  });
  run.things("std::sort", "million keys/s", 1e-6 * N, [&] {
    expected = keys;
    std::sort(expected.begin(), expected.end());
  });

  for (std::size_t i = 0; i < N; ++i) run.expect(from[i], expected[i]);
  return run.result();
}
