// Flash attention, forward: causal, with a window, heads that share keys, and sequences of any lengths in one batch.
#include <tessera/tessera.hpp>

#include <algorithm>
#include <cmath>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

struct OnlineSoftmax {
  Var top, total, acc;
  constexpr OnlineSoftmax(Kernel k, Block i, Block d)
      : top(k.full<f32>(-inf, i)), total(k.zeros<f32>(i)), acc(k.zeros<f32>(i, d)) {}
  constexpr void add(Tile s, Tile v) {
    auto m = max(top, max<"S">(s));
    auto safe = where(m == -inf, 0, m), p = exp(s - safe), fix = exp(top - safe);
    total = total * fix + sum<"S">(p);
    acc = acc * fix + dot(cast(p, v), v);
    top = m;
  }
};

template <class F>
TESSERA_KERNEL(attention)(Kernel k, In<F, "T", "HQ", "D"> q, In<F, "S", "HK", "D"> key, In<F, "S", "HK", "D"> value,
                          In<i32, "B+1"> q_at, In<i32, "B+1"> s_at, Scalar<i32> longest, Scalar<i32> window,
                          Scalar<f32> scale, Out<F, "T", "HQ", "D"> out, Out<f32, "T", "HQ"> lse) {
  k.expects(k.extent<"HQ">() % k.extent<"HK">() == 0, "query heads are a multiple of key heads");
  auto b = k.index<"B">(), h = k.index<"HQ">();
  auto i = k.block<"T">(BM, q_at(b), q_at(b + 1), longest), d = k.all<"D">();
  auto g = h / (k.extent<"HQ">() / k.extent<"HK">());
  auto shift = s_at(b + 1) - q_at(b + 1);  // the last query sees the last key
  OnlineSoftmax o(k, i, d);
  for (auto j : k.blocks<"S">(BN, max(s_at(b), i.begin() + shift - window), min(s_at(b + 1), i.end() + shift))) {
    auto seen = j <= i + shift && j > i + shift - window;
    o.add(where(seen, dot(q(i, h, d), key(j, g, d)) * scale, -inf), value(j, g, d));
  }
  out(i, h, d) = cast<F>(o.acc / max(o.total, 1e-30f));
  lse(i, h) = o.top + log(o.total);
};

int main(int argc, char** argv) {
  example::Run run("attention: causal, window, grouped heads, ragged batch", argc, argv);
  const std::size_t HQ = 8, HK = 2, D = 64;
  const std::vector<std::int32_t> q_at = run.small() ? std::vector{0, 40, 40, 57} : std::vector{0, 1024, 1324, 3372};
  const std::vector<std::int32_t> s_at = run.small() ? std::vector{0, 40, 51, 90} : std::vector{0, 1024, 1824, 3872};
  const std::size_t T = q_at.back(), S = s_at.back(), B = q_at.size() - 1;
  const auto q = run.random(T * HQ * D, -2, 2), key = run.random(S * HK * D, -2, 2), value = run.random(S * HK * D);
  const int longest = run.small() ? 40 : 2048;
  const double scale = 1 / std::sqrt(double(D));
  std::vector<float> out(T * HQ * D), lse(T * HQ);
  for (const int window : {1 << 20, run.small() ? 5 : 256}) {
    double pairs = 0;
    for (std::size_t b = 0; b < B; ++b)
      for (int n = s_at[b + 1] - s_at[b], i = n - q_at[b + 1] + q_at[b]; i < n; ++i) pairs += std::min(i + 1, window);
    run.operations(window > 1000 ? "attention, causal" : "attention, window", 4.0 * pairs * HQ * D, [&] {
      attention<f32>(view(q, {T, HQ, D}), view(key, {S, HK, D}), view(value, {S, HK, D}), q_at, s_at, longest, window,
                     scale, view(out, {T, HQ, D}), view(lse, {T, HQ}));
    });
    for (std::size_t at : run.some(T * HQ, 400)) {
      const std::size_t i = at / HQ, h = at % HQ, g = h / (HQ / HK);
      const std::size_t b = std::upper_bound(q_at.begin(), q_at.end(), static_cast<int>(i)) - q_at.begin() - 1;
      const int last = static_cast<int>(i) + s_at[b + 1] - q_at[b + 1];
      double total = 0;
      std::vector<double> o(D);
      for (int j = std::max(s_at[b], last - window + 1); j <= last; ++j) {
        const double p = std::exp(scale * example::dot(&q[at * D], &key[(j * HK + g) * D], D));
        total += p;
        for (std::size_t d = 0; d < D; ++d) o[d] += p * value[(j * HK + g) * D + d];
      }
      for (std::size_t d = 0; d < D; ++d) run.expect(out[at * D + d], o[d] / total, 1e-5);
      run.expect(lse[at], std::log(total), 1e-5);
    }
  }
  return run.result();
}
