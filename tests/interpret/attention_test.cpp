// Owns tests of attention and its gradient: ragged batches, grouped heads, a causal window, f16 and bf16.
#include "support.hpp"
#include "tests/kernels/kernels.hpp"

using namespace interpret_test;

namespace {

/// A problem and its float64 answer.
template <class T>
struct Problem {
  std::int64_t hq, hk, d, window, longest;
  std::vector<std::int32_t> q_at, s_at;
  float scale;
  std::vector<T> q, key, value, dout;
  std::vector<double> out, lse, delta, dq, dk, dv;

  Problem(std::int64_t hq_, std::int64_t hk_, std::int64_t d_, std::int64_t window_, std::vector<std::int32_t> q_at_,
          std::vector<std::int32_t> s_at_)
      : hq(hq_), hk(hk_), d(d_), window(window_), longest(0), q_at(std::move(q_at_)), s_at(std::move(s_at_)) {
    Numbers r;
    scale = 1 / std::sqrt(float(d));
    q = r.reals<T>(tq() * hq * d);
    key = r.reals<T>(ts() * hk * d);
    value = r.reals<T>(ts() * hk * d);
    dout = r.reals<T>(tq() * hq * d);
    out.assign(q.size(), 0);
    dq.assign(q.size(), 0);
    dk.assign(key.size(), 0);
    dv.assign(key.size(), 0);
    lse.assign(at(tq() * hq), 0);
    delta.assign(at(tq() * hq), 0);
    for (std::int64_t b = 0; b < batches(); ++b) solve(b);
  }
  std::int64_t batches() const { return std::int64_t(q_at.size()) - 1; }
  std::int64_t tq() const { return q_at.back(); }
  std::int64_t ts() const { return s_at.back(); }

  void solve(std::int64_t b) {
    const std::int64_t shift = (s_at[at(b + 1)] - q_at[at(b + 1)]);
    longest = std::max<std::int64_t>(longest, std::max(q_at[at(b + 1)] - q_at[at(b)], s_at[at(b + 1)] - s_at[at(b)]));
    for (std::int64_t h = 0; h < hq; ++h)
      for (std::int64_t i = q_at[at(b)]; i < q_at[at(b + 1)]; ++i) {
        const std::int64_t g = h / (hq / hk);
        const auto Q = [&](std::int64_t x) { return at((i * hq + h) * d + x); };
        const auto K = [&](std::int64_t j, std::int64_t x) { return at((j * hk + g) * d + x); };
        std::vector<std::int64_t> seen;
        for (std::int64_t j = s_at[at(b)]; j < s_at[at(b + 1)]; ++j)
          if (j <= i + shift && j > i + shift - window) seen.push_back(j);
        std::vector<double> p;
        double total = 0;
        for (std::int64_t j : seen) {
          double s = 0;
          for (std::int64_t x = 0; x < d; ++x) s += as_double(q[Q(x)]) * as_double(key[K(j, x)]);
          p.push_back(std::exp(s * double(scale)));
          total += p.back();
        }
        lse[at(i * hq + h)] = std::log(total);
        for (std::size_t k = 0; k < seen.size(); ++k)
          for (std::int64_t x = 0; x < d; ++x) out[Q(x)] += p[k] / total * as_double(value[K(seen[k], x)]);
        double dot = 0;
        for (std::int64_t x = 0; x < d; ++x) dot += as_double(dout[Q(x)]) * out[Q(x)];
        delta[at(i * hq + h)] = dot;
        for (std::size_t k = 0; k < seen.size(); ++k) {
          double dp = 0;
          for (std::int64_t x = 0; x < d; ++x) dp += as_double(dout[Q(x)]) * as_double(value[K(seen[k], x)]);
          const double ds = p[k] / total * (dp - dot) * double(scale);
          for (std::int64_t x = 0; x < d; ++x) {
            dv[K(seen[k], x)] += p[k] / total * as_double(dout[Q(x)]);
            dk[K(seen[k], x)] += ds * as_double(q[Q(x)]);
            dq[Q(x)] += ds * as_double(key[K(seen[k], x)]);
          }
        }
      }
  }
};

template <class T>
void check_forward(const tessera::ir::Program& program, Problem<T>& p, std::int64_t tile, double tolerance) {
  const std::int64_t tq = p.tq(), ts = p.ts(), batches = p.batches();
  std::vector<T> out(p.q.size());
  std::vector<float> lse(p.lse.size());
  const Report report =
      run(program,
          {array(p.q, {tq, p.hq, p.d}), array(p.key, {ts, p.hk, p.d}), array(p.value, {ts, p.hk, p.d}),
           array(p.q_at, {batches + 1}), array(p.s_at, {batches + 1}), scalar(std::int32_t(p.longest)),
           scalar(std::int32_t(p.window)), scalar(p.scale), array(out, {tq, p.hq, p.d}), array(lse, {tq, p.hq})},
          {tile});
  REQUIRE_OK(report);
  CHECK(report.programs == batches * p.hq * ((p.longest + tile - 1) / tile));
  check_close(report, 8, out, p.out, tolerance, any_rounding);
  check_close(report, 9, lse, p.lse, 1e-4, any_rounding);
}

}  // namespace

TEST_CASE("attention f16: ragged, grouped heads, window") {
  Problem<f16> p(4, 2, 8, 7, {0, 5, 5, 18}, {0, 9, 12, 30});
  for (const std::int64_t tile : {1, 4, 16, 19}) check_forward(attention<f16>.program, p, tile, 2e-3);
}

TEST_CASE("attention f16: causal over everything, one query") {
  Problem<f16> all(2, 2, 16, 1000, {0, 33}, {0, 33});
  check_forward(attention<f16>.program, all, 16, 2e-3);
  Problem<f16> one(3, 1, 5, 1000, {0, 1}, {0, 50});
  check_forward(attention<f16>.program, one, 16, 2e-3);
}

TEST_CASE("attention f16: queries that see no key") {
  Problem<f16> p(1, 1, 4, 2, {0, 6}, {0, 3});  // the first three queries come before every key
  p.out.assign(p.out.size(), 0);
  Problem<f16> q = p;
  for (std::int64_t i = 3; i < 6; ++i) q.lse[at(i)] = p.lse[at(i)];
  std::vector<f16> out(p.q.size(), f16(9.f));
  std::vector<float> lse(6);
  const Report report = run(attention<f16>.program,
                            {array(p.q, {6, 1, 4}), array(p.key, {3, 1, 4}), array(p.value, {3, 1, 4}),
                             array(p.q_at, {2}), array(p.s_at, {2}), scalar(std::int32_t(6)), scalar(std::int32_t(2)),
                             scalar(p.scale), array(out, {6, 1, 4}), array(lse, {6, 1})},
                            {4});
  REQUIRE_OK(report);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(lse[i] == -INFINITY);
    for (std::size_t x = 0; x < 4; ++x) CHECK(as_double(out[4 * i + x]) == 0);
  }
  for (std::size_t i = 3; i < 6; ++i) CHECK(lse[i] == doctest::Approx(q.lse[i]).epsilon(1e-4));
}

TEST_CASE("attention bf16") {
  Problem<bf16> p(4, 4, 8, 9, {0, 3, 20}, {0, 11, 33});
  for (const std::int64_t tile : {3, 16}) check_forward(attention<bf16>.program, p, tile, 1.5e-2);
}

TEST_CASE("attention says when a batch is longer than longest") {
  Problem<f16> p(1, 1, 4, 100, {0, 5, 12}, {0, 5, 12});
  p.longest = 6;
  std::vector<f16> out(p.q.size(), f16(9.f));
  std::vector<float> lse(12, 9.f);
  const Report report = run(attention<f16>.program,
                            {array(p.q, {12, 1, 4}), array(p.key, {12, 1, 4}), array(p.value, {12, 1, 4}),
                             array(p.q_at, {3}), array(p.s_at, {3}), scalar(std::int32_t(6)), scalar(std::int32_t(100)),
                             scalar(p.scale), array(out, {12, 1, 4}), array(lse, {12, 1})},
                            {4});
  REQUIRE(report.has(FindingKind::ragged));
  CHECK(report.findings[0].text.find("block over T from 5 to 12 has 7 positions, more than its longest, 6") !=
        std::string::npos);
  CHECK(lse[10] != 9);
  CHECK(lse[11] == 9);  // cut off
}

TEST_CASE("the gradient of attention") {
  Problem<f16> p(4, 2, 8, 7, {0, 5, 5, 18}, {0, 9, 12, 30});
  const std::int64_t tq = p.tq(), ts = p.ts(), batches = p.batches();
  std::vector<float> lse, delta;
  for (double x : p.lse) lse.push_back(float(x));
  for (double x : p.delta) delta.push_back(float(x));
  for (const std::int64_t tile : {4, 16}) {
    std::vector<float> dq(p.q.size(), 3.f);
    std::vector<f16> dk(p.key.size(), f16(3.f)), dv(p.key.size(), f16(3.f));
    const Report report = run(
        attention_backward<f16>.program,
        {array(p.q, {tq, p.hq, p.d}), array(p.key, {ts, p.hk, p.d}), array(p.value, {ts, p.hk, p.d}),
         array(p.dout, {tq, p.hq, p.d}), array(lse, {tq, p.hq}), array(delta, {tq, p.hq}), array(p.q_at, {batches + 1}),
         array(p.s_at, {batches + 1}), scalar(std::int32_t(p.longest)), scalar(std::int32_t(p.window)), scalar(p.scale),
         array(dq, {tq, p.hq, p.d}), array(dk, {ts, p.hk, p.d}), array(dv, {ts, p.hk, p.d})},
        {tile});
    REQUIRE_OK(report);
    check_close(report, 11, dq, p.dq, 2e-3, any_rounding);
    check_close(report, 12, dk, p.dk, 3e-3, any_rounding);
    check_close(report, 13, dv, p.dv, 3e-3, any_rounding);
  }
}
