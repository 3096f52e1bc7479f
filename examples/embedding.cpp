// Embedding: rows of a table by their numbers, and backward: gradients added to the rows that were used.
#include <tessera/tessera.hpp>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(embed)(Kernel k, In<i32, "T"> ids, In<f16, "V", "D"> table, Out<f16, "T", "D"> out) {
  auto t = k.block<"T">(BM), d = k.block<"D">(BN);
  out(t, d) = table(ids(t), d);
};

TESSERA_KERNEL(embed_backward)(Kernel k, In<i32, "T"> ids, In<f32, "T", "D"> dout, Out<f32, "V", "D"> dtable) {
  auto t = k.block<"T">(BM), d = k.block<"D">(BN);
  dtable(ids(t), d) += dout(t, d);
};

int main(int argc, char** argv) {
  example::Run run("embedding: rows by number, and backward", argc, argv);
  const std::size_t T = run.size(16'384, 300), V = run.size(50'257, 91), D = run.size(768, 70);
  const auto ids = run.integers<std::int32_t>(T, 0, static_cast<std::int64_t>(V) - 1);
  const auto table = run.random<f16>(V * D);
  const auto dout = run.random(T * D);
  std::vector<f16> out(T * D);
  std::vector<float> dtable(V * D);

  run.bytes("embed", 4.0 * T * D, [&] { embed(ids, view(table, {V, D}), view(out, {T, D})); });
  run.bytes("embed_backward", 4.0 * V * D + 12.0 * T * D,
            [&] { embed_backward(ids, view(dout, {T, D}), view(dtable, {V, D})); });

  std::vector<double> expected(V * D);
  for (std::size_t t = 0; t < T; ++t)
    for (std::size_t d = 0; d < D; ++d) {
      run.expect(static_cast<double>(out[t * D + d]), static_cast<double>(table[ids[t] * D + d]));
      expected[ids[t] * D + d] += dout[t * D + d];
    }
  run.expect_all(dtable, expected, 1e-6);
  return run.result();
}
