// Owns tests of kernels that gather, scatter, count, scan, order and quantise.
#include <algorithm>
#include <numeric>

#include "support.hpp"
#include "tests/kernels/kernels.hpp"

using namespace interpret_test;

TEST_CASE("an embedding moves bits as they are") {
  Numbers r;
  const std::int64_t t = 19, v = 7, d = 11;
  std::vector<f16> table;
  for (std::int64_t i = 0; i < v * d; ++i)
    table.push_back(f16::from_bits(static_cast<std::uint16_t>(r.next())));  // NaNs too
  auto ids = r.wholes<std::int32_t>(t, 0, v - 1);
  std::vector<f16> out(at(t * d));
  const Report report = run(embed.program, {array(ids, {t}), array(table, {v, d}), array(out, {t, d})}, {4});
  REQUIRE_OK(report);
  CHECK(report.bounds[2].of_element.empty());
  for (std::int64_t i = 0; i < t; ++i)
    for (std::int64_t j = 0; j < d; ++j) CHECK(out[at(i * d + j)].bits() == table[at(ids[at(i)] * d + j)].bits());

  ids[3] = 7;
  ids[4] = -1;
  const Report outside = run(embed.program, {array(ids, {t}), array(table, {v, d}), array(out, {t, d})}, {16});
  CHECK(outside.finding_count == 2 * at(d));
  CHECK(outside.findings[0].text == "embed, line " + std::to_string(outside.findings[0].line) +
                                        ": table: index 7 of axis V is outside 0 … 6 at T = 3, D = 0 (program 0)");
  CHECK(out[at(3 * d)].bits() == 0);
}

TEST_CASE("the gradient of an embedding accumulates over equal rows") {
  Numbers r;
  for (const std::int64_t tile : {1, 5, 16}) {
    const std::int64_t t = 40, v = 6, d = 9;
    auto ids = r.wholes<std::int32_t>(t, 0, v - 2);  // the last row gets nothing
    auto dout = r.reals<float>(t * d);
    std::vector<float> table(at(v * d), 3.f);
    std::vector<double> want(table.size());
    for (std::int64_t i = 0; i < t; ++i)
      for (std::int64_t j = 0; j < d; ++j) want[at(ids[at(i)] * d + j)] += dout[at(i * d + j)];
    const Report report =
        run(embed_backward.program, {array(ids, {t}), array(dout, {t, d}), array(table, {v, d})}, {tile});
    REQUIRE_OK(report);
    check_close(report, 2, table, want, 1e-5);
    CHECK(table.back() == 0);
  }
}

TEST_CASE("a histogram") {
  Numbers r;
  for (const std::int64_t n : {0, 1, 1000}) {
    auto x = r.wholes<std::uint8_t>(n, 0, 255);
    std::vector<std::int32_t> h(256, 8), want(256);
    for (const std::uint8_t b : x) ++want[b];
    const Report report = run(histogram.program, {array(x, {n}), array(h, {256})}, {64});
    REQUIRE_OK(report);
    check_equal(h, want);
  }
  std::vector<std::uint8_t> x{1, 200};
  std::vector<std::int32_t> h(100);
  const Report report = run(histogram.program, {array(x, {2}), array(h, {100})});
  REQUIRE(report.finding_count == 1);
  CHECK(report.findings[0].text.find("h: index 200 of axis BINS is outside 0 … 99 at N = 1") != std::string::npos);
  CHECK(h[1] == 1);
}

TEST_CASE("scans in three launches, and in one") {
  Numbers r;
  for (const std::int64_t n : {1, 4096, 9001}) {
    auto x = r.reals<float>(n);
    const std::int64_t chunks = (n + 4095) / 4096;
    std::vector<float> total(at(chunks)), before(at(chunks)), y(at(n)), z(at(n));
    std::vector<double> want(at(n)), want_total(at(chunks));
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      want[at(i)] = sum += x[at(i)];
      want_total[at(i / 4096)] += x[at(i)];
    }
    const Report parts = run(scan_part.program, {array(x, {n}), array(total, {chunks})});
    REQUIRE_OK(parts);
    check_close(parts, 1, total, want_total, 1e-2);
    for (std::size_t c = 1; c < before.size(); ++c) before[c] = before[c - 1] + total[c - 1];
    const Report rest = run(scan_rest.program, {array(x, {n}), array(before, {chunks}), array(y, {n})});
    REQUIRE_OK(rest);
    check_close(rest, 2, y, want, 2e-2);
    const Report whole = run(scan.program, {array(x, {n}), array(z, {n})}, {1000});
    REQUIRE_OK(whole);
    CHECK(whole.programs == 1);
    check_close(whole, 1, z, want, 5e-2);
    for (std::int64_t i = 0; i < n; ++i) {
      CHECK(y[at(i)] == doctest::Approx(want[at(i)]).epsilon(1e-4));
      CHECK(z[at(i)] == doctest::Approx(want[at(i)]).epsilon(1e-4));
    }
  }
}

TEST_CASE("a radix pass sorts by one digit, stably") {
  Numbers r;
  for (const std::int64_t n : {1, 3000, 5000}) {
    auto key = r.wholes<std::uint32_t>(n, 0, 0xffffffff);
    const std::int64_t chunks = (n + 4095) / 4096;
    for (const std::int32_t shift : {0, 28}) {
      const auto digit = [&](std::uint32_t k) { return k >> shift & 15; };
      // base[chunk][digit]: where the chunk's first key of that digit goes.
      std::vector<std::int32_t> base(at(chunks * 16));
      std::int32_t next = 0;
      for (std::uint32_t d = 0; d < 16; ++d)
        for (std::int64_t c = 0; c < chunks; ++c) {
          base[at(c * 16 + d)] = next;
          for (std::int64_t i = c * 4096; i < std::min(n, (c + 1) * 4096); ++i) next += digit(key[at(i)]) == d;
        }
      std::vector<std::uint32_t> out(at(n)), want = key;
      std::vector<std::pair<std::uint32_t, std::size_t>> order;
      for (std::size_t i = 0; i < key.size(); ++i) order.push_back({digit(key[i]), i});
      std::sort(order.begin(), order.end());
      for (std::size_t i = 0; i < key.size(); ++i) want[i] = key[order[i].second];
      const Report report =
          run(radix_scatter.program, {array(key, {n}), array(base, {chunks, 16}), scalar(shift), array(out, {n})});
      REQUIRE_OK(report);
      check_equal(out, want);
    }
  }
}

TEST_CASE("top-k over blocks: values and where they are") {
  Numbers r;
  for (const std::int64_t n : {5, 16, 67})
    for (const std::int64_t tile : {1, 8, 16}) {
      const std::int64_t m = 6, k = 5;
      auto x = r.reals<float>(m * n);
      for (std::int64_t i = 3; i < m * n; i += 4) x[at(i)] = 0.5f;  // ties
      std::vector<float> best(at(m * k)), want(at(m * k));
      std::vector<std::int64_t> where(at(m * k)), want_where(at(m * k));
      for (std::int64_t i = 0; i < m; ++i) {
        std::vector<std::int64_t> order(at(n));
        std::iota(order.begin(), order.end(), 0);
        std::sort(order.begin(), order.end(), [&](auto a, auto b) {
          const float u = x[at(i * n + a)], v = x[at(i * n + b)];
          return u != v ? u > v : a < b;
        });
        for (std::int64_t c = 0; c < k; ++c) {
          want_where[at(i * k + c)] = order[at(c)];
          want[at(i * k + c)] = x[at(i * n + order[at(c)])];
        }
      }
      const Report report = run(top_k.program, {array(x, {m, n}), array(best, {m, k}), array(where, {m, k})}, {tile});
      REQUIRE_OK(report);
      CHECK(report.bounds[1].of_element.empty());
      check_equal(best, want);
      check_equal(where, want_where);
    }
}

TEST_CASE("quantising groups of 32") {
  Numbers r;
  const std::int64_t m = 5, k = 96;
  auto x = r.reals<float>(m * k, -4, 4);
  for (std::int64_t i = 32; i < 64; ++i) x[at(i)] = 0;
  std::vector<std::int8_t> q(at(m * k)), want(at(m * k));
  std::vector<float> scale(at(m * k / 32)), want_scale(at(m * k / 32));
  for (std::int64_t i = 0; i < m * k / 32; ++i) {
    float top = 0;
    for (std::int64_t j = 0; j < 32; ++j) top = std::max(top, std::fabs(x[at(i * 32 + j)]));
    want_scale[at(i)] = top / 127;
    for (std::int64_t j = 0; j < 32; ++j)
      want[at(i * 32 + j)] = static_cast<std::int8_t>(std::nearbyint(x[at(i * 32 + j)] / std::max(top / 127, 1e-30f)));
  }
  for (const std::int64_t tile : {1, 2, 16}) {
    const Report report =
        run(quantize_groups.program, {array(x, {m, k}), array(q, {m, k}), array(scale, {m, k / 32})}, {tile});
    REQUIRE_OK(report);
    check_equal(q, want);
    check_equal(scale, want_scale);
  }
  std::vector<float> odd(33);
  std::vector<std::int8_t> q_odd(33);
  std::vector<float> s_odd(2);
  const Report refused =
      run(quantize_groups.program, {array(odd, {1, 33}), array(q_odd, {1, 33}), array(s_odd, {1, 2})});
  REQUIRE(refused.has(FindingKind::expects));
  CHECK(refused.findings[0].text.find("K is a multiple of 32") != std::string::npos);
}
