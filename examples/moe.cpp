// Mixture of experts: each token meets its own expert's matrix. Tokens lie sorted by expert; how many each expert has
// is known on the device only.
#include <tessera/tessera.hpp>

#include <algorithm>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

TESSERA_KERNEL(moe)(Kernel k, In<bf16, "T", "K"> x, In<bf16, "E", "K", "N"> w, In<i32, "E+1"> start,
                    Out<bf16, "T", "N"> y) {
  auto p = k.index(cdiv(k.extent<"T">(), BM) + k.extent<"E">());  // never more pieces than this
  auto n = k.block<"N">(BN);
  auto all = k.all<"E">();
  auto pieces = cdiv(start(all + 1) - start(all), BM);
  auto upto = cumsum<"E">(pieces);
  auto e = sum<"E">(cast<i32>(upto <= p));  // the expert of piece p
  k.stop_if(e == k.extent<"E">());
  auto skip = sum<"E">(where(upto <= p, pieces, 0));
  auto t = k.span<"T">(BM, start(e) + (p - skip) * BM, start(e + 1));
  Var acc = k.zeros<f32>(t, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(x(t, i), w(e, i, n));
  y(t, n) = cast<bf16>(acc);
};

int main(int argc, char** argv) {
  example::Run run("moe: a GEMM for each expert, in one launch", argc, argv);
  const std::size_t T = run.size(4096, 150), E = 8, K = run.size(1024, 70), N = run.size(1024, 90);
  const auto x = run.random<bf16>(T * K), w = run.random<bf16>(E * K * N);
  std::vector<bf16> y(T * N);
  auto start = run.integers<std::int32_t>(E + 1, 0, static_cast<std::int64_t>(T));
  std::sort(start.begin(), start.end());
  start[0] = 0, start[3] = start[4], start[E] = static_cast<std::int32_t>(T);  // expert 3 has no token

  run.operations("moe", 2.0 * T * K * N, [&] { moe(view(x, {T, K}), view(w, {E, K, N}), start, view(y, {T, N})); });

  for (std::size_t at : run.some(T * N, 20'000)) {
    const std::size_t t = at / N, n = at % N;
    const std::size_t e = std::upper_bound(start.begin(), start.end(), static_cast<int>(t)) - start.begin() - 1;
    double sum = 0;
    for (std::size_t i = 0; i < K; ++i)
      sum += static_cast<double>(x[t * K + i]) * static_cast<double>(w[(e * K + i) * N + n]);
    run.expect(static_cast<double>(y[at]), sum, 0x1p-8);  // half a unit of bf16
  }
  return run.result();
}
