// Top-k: the 50 largest logits of each row of a vocabulary, and where they are; a block at a time beside the best so
// far.
#include <tessera/tessera.hpp>

#include <algorithm>
#include <numeric>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(top_k)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "K"> best, Out<i64, "M", "K"> place) {
  auto m = k.block<"M">(BM);
  auto c = k.all<"K">();
  Var v = k.full<f32>(-inf, m, c), p = k.full<i64>(-1, m, c);
  for (auto n : k.blocks<"N">(BN)) {
    auto both = join<"C">(as<"K", "C">(v), as<"N", "C">(x(m, n)));
    auto [top, from] = topk<"C", "K">(both, c);  // the first of equals, so that the earlier one stays
    p = where(from < k.extent<"K">(), at<"K">(p, min(from, k.extent<"K">() - 1)), from - k.extent<"K">() + n.begin());
    v = top;
  }
  best(m, c) = v;
  place(m, c) = p;
};

TESSERA_KERNEL(top_k_at_once)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "K"> best, Out<i64, "M", "K"> place) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">(), c = k.all<"K">();
  auto [top, from] = topk<"N", "K">(x(m, n), c);
  best(m, c) = top;
  place(m, c) = from;
};

int main(int argc, char** argv) {
  example::Run run("top_k: the largest logits of each row", argc, argv);
  const std::size_t M = run.size(64, 7), N = run.size(50'257, 1003), K = run.size(50, 9);
  auto x = run.random(M * N, -10, 10);
  for (float& v : x) v = static_cast<float>(static_cast<int>(v * 1000)) / 1000;  // so that some are equal
  std::vector<float> best(M * K);
  std::vector<std::int64_t> place(M * K), order(N);

  for (const bool blocks : {true, false}) {
    run.bytes(blocks ? "top_k, block by block" : "top_k, at once", 4.0 * M * N, [&] {
      if (blocks)
        top_k(view(x, {M, N}), view(best, {M, K}), view(place, {M, K}));
      else
        top_k_at_once(view(x, {M, N}), view(best, {M, K}), view(place, {M, K}));
    });
    for (std::size_t m = 0; m < M; ++m) {
      const float* row = &x[m * N];
      std::iota(order.begin(), order.end(), 0);
      const auto before = [&](auto a, auto b) { return row[a] > row[b] || (row[a] == row[b] && a < b); };
      std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(K), order.end(), before);
      for (std::size_t c = 0; c < K; ++c) {
        run.expect(static_cast<double>(place[m * K + c]), static_cast<double>(order[c]));
        run.expect(best[m * K + c], row[order[c]]);
      }
    }
  }
  return run.result();
}
