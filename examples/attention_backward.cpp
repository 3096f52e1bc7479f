// Flash attention, backward: gradients of queries, keys and values, for everything that attention.cpp can do.
#include <tessera/tessera.hpp>

#include <algorithm>
#include <cmath>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(attention_backward)(Kernel k, In<f32, "T", "HQ", "D"> q, In<f32, "S", "HK", "D"> key,
                                   In<f32, "S", "HK", "D"> value, In<f32, "T", "HQ", "D"> dout, In<f32, "T", "HQ"> lse,
                                   In<f32, "T", "HQ"> delta, In<i32, "B+1"> q_at, In<i32, "B+1"> s_at,
                                   Scalar<i32> longest, Scalar<i32> window, Scalar<f32> scale,
                                   Out<f32, "T", "HQ", "D"> dq, Out<f32, "S", "HK", "D"> dkey,
                                   Out<f32, "S", "HK", "D"> dvalue) {
  auto b = k.index<"B">(), g = k.index<"HK">();
  auto j = k.block<"S">(BN, s_at(b), s_at(b + 1), longest);
  auto d = k.all<"D">();
  auto group = k.extent<"HQ">() / k.extent<"HK">(), shift = s_at(b + 1) - q_at(b + 1);
  Var dk = k.zeros<f32>(j, d), dv = k.zeros<f32>(j, d);
  for (auto h : k.range(g * group, (g + 1) * group))
    for (auto i : k.blocks<"T">(BM, max(q_at(b), j.begin() - shift), min(q_at(b + 1), j.end() - shift + window))) {
      auto seen = j <= i + shift && j > i + shift - window;
      auto p = where(seen, exp(dot(q(i, h, d), key(j, g, d)) * scale - lse(i, h)), 0);
      auto ds = p * (dot(dout(i, h, d), value(j, g, d)) - delta(i, h)) * scale;
      dv += dot(p, dout(i, h, d));
      dk += dot(ds, q(i, h, d));
      dq(i, h, d) += dot(ds, key(j, g, d));  // from every block of keys
    }
  dkey(j, g, d) = dk;
  dvalue(j, g, d) = dv;
};

int main(int argc, char** argv) {
  example::Run run("attention_backward: causal, window, grouped heads, ragged batch", argc, argv);
  const std::size_t HQ = 8, HK = 2, D = 64;
  const std::vector<std::int32_t> q_at = run.small() ? std::vector{0, 40, 40, 57} : std::vector{0, 512, 640, 1664};
  const std::vector<std::int32_t> s_at = run.small() ? std::vector{0, 40, 51, 90} : std::vector{0, 512, 896, 1920};
  const std::size_t T = q_at.back(), S = s_at.back(), B = q_at.size() - 1;
  const int longest = run.small() ? 40 : 1024, window = run.small() ? 20 : 768;
  const double scale = 1 / std::sqrt(double(D));
  const auto q = run.random(T * HQ * D, -2, 2), key = run.random(S * HK * D, -2, 2), value = run.random(S * HK * D);
  const auto dout = run.random(T * HQ * D);
  std::vector<float> lse(T * HQ), delta(T * HQ), dq(T * HQ * D), dkey(S * HK * D), dvalue(S * HK * D);
  std::vector<double> dq64(dq.size()), dkey64(dkey.size()), dvalue64(dvalue.size()), p(S), dp(S);
  double pairs = 0;
  for (std::size_t b = 0; b < B; ++b)
    for (std::size_t at = q_at[b] * HQ; at < q_at[b + 1] * HQ; ++at) {  // a query of a head
      const std::size_t g = at % HQ / (HQ / HK), last = at / HQ + s_at[b + 1] - q_at[b + 1];
      const std::size_t first = std::max(s_at[b], static_cast<int>(last) - window + 1);
      double total = 0, mean = 0;
      pairs += static_cast<double>(last + 1 - first);
      for (std::size_t j = first; j <= last; ++j) {
        total += p[j] = std::exp(scale * example::dot(&q[at * D], &key[(j * HK + g) * D], D));
        mean += p[j] * (dp[j] = example::dot(&dout[at * D], &value[(j * HK + g) * D], D));
      }
      lse[at] = static_cast<float>(std::log(total));  // what the forward pass leaves
      delta[at] = static_cast<float>(mean / total);   // the same as Σ out · dout over D
      for (std::size_t j = first; j <= last; ++j)
        for (std::size_t d = 0; d < D; ++d) {
          const double ds = p[j] / total * (dp[j] - mean / total) * scale;
          dvalue64[(j * HK + g) * D + d] += p[j] / total * dout[at * D + d];
          dkey64[(j * HK + g) * D + d] += ds * q[at * D + d];
          dq64[at * D + d] += ds * key[(j * HK + g) * D + d];
        }
    }

  run.operations("attention_backward", 10.0 * pairs * D, [&] {
    attention_backward(view(q, {T, HQ, D}), view(key, {S, HK, D}), view(value, {S, HK, D}), view(dout, {T, HQ, D}),
                       view(lse, {T, HQ}), view(delta, {T, HQ}), q_at, s_at, longest, window, scale,
                       view(dq, {T, HQ, D}), view(dkey, {S, HK, D}), view(dvalue, {S, HK, D}));
  });
  run.expect_all(dq, dq64, 1e-5), run.expect_all(dkey, dkey64, 1e-5), run.expect_all(dvalue, dvalue64, 1e-5);
  return run.result();
}
