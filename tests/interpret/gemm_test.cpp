// Owns tests of products: batched, gram, split-K, int8, int4, mx, grouped by expert, block-sparse, convolution.
#include "support.hpp"
#include "tests/kernels/kernels.hpp"

using namespace interpret_test;

namespace {

constexpr std::int64_t sizes[][3] = {{1, 1, 1}, {5, 7, 11}, {16, 32, 16}, {17, 13, 37}, {4, 6, 0}};  // M, N, K

}  // namespace

TEST_CASE("batched products") {
  Numbers r;
  for (const auto& [m, n, k] : sizes)
    for (const std::int64_t tile : {1, 16, 7}) {
      const std::int64_t batch = 3;
      auto a = r.reals<float>(batch * m * k), b = r.reals<float>(batch * k * n);
      std::vector<float> c(at(batch * m * n), 5.f);
      std::vector<double> want(c.size());
      for (std::int64_t z = 0; z < batch; ++z)
        for (std::int64_t i = 0; i < m; ++i)
          for (std::int64_t j = 0; j < n; ++j)
            for (std::int64_t x = 0; x < k; ++x)
              want[at((z * m + i) * n + j)] += double(a[at((z * m + i) * k + x)]) * b[at((z * k + x) * n + j)];
      const Report report =
          run(bmm.program, {array(a, {batch, m, k}), array(b, {batch, k, n}), array(c, {batch, m, n})}, {tile});
      REQUIRE_OK(report);
      check_close(report, 2, c, want, 1e-5);
    }
}

TEST_CASE("a product of transposed and strided operands") {
  Numbers r;
  const std::int64_t m = 9, n = 5, k = 12;
  auto a = r.reals<float>(m * k), b = r.reals<float>(k * n);
  std::vector<float> at_(a.size()), bt(b.size()), c(at(m * n)), d(at(m * n));
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t x = 0; x < k; ++x) at_[at(x * m + i)] = a[at(i * k + x)];
  for (std::int64_t x = 0; x < k; ++x)
    for (std::int64_t j = 0; j < n; ++j) bt[at(j * k + x)] = b[at(x * n + j)];
  REQUIRE_OK(run(bmm.program, {array(a, {1, m, k}), array(b, {1, k, n}), array(c, {1, m, n})}));
  REQUIRE_OK(
      run(bmm.program, {array(at_, {1, m, k}, {0, 1, m}), array(bt, {1, k, n}, {0, 1, k}), array(d, {1, m, n})}));
  check_equal(c, d);
}

TEST_CASE("the Gram matrix: one array, two names of an axis") {
  Numbers r;
  for (const std::int64_t n : {1, 7, 18})
    for (const std::int64_t tile : {4, 16}) {
      const std::int64_t k = 21;
      auto x = r.reals<float>(n * k);
      std::vector<float> g(at(n * n));
      std::vector<double> want(g.size());
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < n; ++j)
          for (std::int64_t c = 0; c < k; ++c) want[at(i * n + j)] += double(x[at(i * k + c)]) * x[at(j * k + c)];
      const Report report = run(gram.program, {array(x, {n, k}), array(g, {n, n})}, {tile});
      REQUIRE_OK(report);
      check_close(report, 1, g, want, 1e-5);
    }
}

TEST_CASE("split-K accumulates over programs") {
  Numbers r;
  for (const std::int64_t tile : {1, 3, 16}) {
    const std::int64_t m = 6, n = 9, k = 50;
    auto a = r.reals<f16>(m * k), b = r.reals<f16>(k * n);
    std::vector<float> c(at(m * n), 77.f);
    std::vector<double> want(c.size());
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t x = 0; x < k; ++x)
          want[at(i * n + j)] += as_double(a[at(i * k + x)]) * as_double(b[at(x * n + j)]);
    const Report report = run(gemm_split.program, {array(a, {m, k}), array(b, {k, n}), array(c, {m, n})}, {tile});
    REQUIRE_OK(report);
    CHECK(report.grid[0] == tile);
    check_close(report, 2, c, want, 1e-5);
  }
}

TEST_CASE("int8 with zero points is exact but for the scale") {
  Numbers r;
  for (const auto& [m, n, k] : sizes) {
    auto a = r.wholes<std::int8_t>(m * k, -128, 127), b = r.wholes<std::int8_t>(k * n, -128, 127);
    auto zero_b = r.wholes<std::int8_t>(n, -20, 20);
    auto scale = r.reals<float>(n, 0.01, 0.02);
    const std::int8_t zero_a = -7;
    std::vector<float> c(at(m * n)), want(c.size());
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        std::int64_t sum = 0;
        for (std::int64_t x = 0; x < k; ++x) sum += (a[at(i * k + x)] - zero_a) * (b[at(x * n + j)] - zero_b[at(j)]);
        want[at(i * n + j)] = float(sum) * (scale[at(j)] * 0.5f);
      }
    const Report report = run(gemm_i8.program, {array(a, {m, k}), array(b, {k, n}), array(scale, {n}),
                                                array(zero_b, {n}), scalar(zero_a), scalar(0.5f), array(c, {m, n})});
    REQUIRE_OK(report);
    check_equal(c, want);
  }
}

TEST_CASE("int4 weights with scales of groups") {
  Numbers r;
  for (const std::int64_t k : {2, 130, 300}) {
    const std::int64_t m = 3, n = 5, groups = (k + 127) / 128;
    auto a = r.reals<f16>(m * k), scale = r.reals<f16>(groups * n, 0.1, 0.3);
    auto packed = r.wholes<std::uint8_t>((k + 1) / 2 * n, 0, 255), zero = r.wholes<std::uint8_t>(groups * n, 0, 15);
    std::vector<f16> c(at(m * n));
    std::vector<double> want(c.size());
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t x = 0; x < k; ++x) {
          const int q = packed[at(x / 2 * n + j)] >> (x % 2 * 4) & 15;
          const double w = as_double(f16((q - zero[at(x / 128 * n + j)]) * as_double(scale[at(x / 128 * n + j)])));
          want[at(i * n + j)] += as_double(a[at(i * k + x)]) * w;
        }
    const Report report = run(gemm_i4.program, {array(a, {m, k}), array(packed, {(k + 1) / 2, n}),
                                                array(scale, {groups, n}), array(zero, {groups, n}), array(c, {m, n})});
    REQUIRE_OK(report);
    check_close(report, 4, c, want, 2e-3);
  }
}

TEST_CASE("mx: fp4 with scales of blocks, packed two a byte") {
  Numbers r;
  for (const std::int64_t k : {1, 32, 70}) {
    const std::int64_t m = 4, n = 6, blocks = (k + 31) / 32;
    auto a = r.wholes<std::uint8_t>((m * k + 1) / 2, 0, 255), b = r.wholes<std::uint8_t>((k * n + 1) / 2, 0, 255);
    auto sa = r.wholes<std::uint8_t>(m * blocks, 120, 130), sb = r.wholes<std::uint8_t>(blocks * n, 120, 130);
    std::vector<float> c(at(m * n));
    std::vector<double> want(c.size());
    const auto e2m1 = [](const std::vector<std::uint8_t>& v, std::int64_t i) {
      constexpr double magnitude[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
      const int bits = v[at(i / 2)] >> (i % 2 * 4) & 15;
      return (bits & 8 ? -1 : 1) * magnitude[bits & 7];
    };
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t x = 0; x < k; ++x)
          want[at(i * n + j)] += e2m1(a, i * k + x) * std::ldexp(1.0, sa[at(i * blocks + x / 32)] - 127) *
                                 e2m1(b, x * n + j) * std::ldexp(1.0, sb[at(x / 32 * n + j)] - 127);
    const Report report = run(
        gemm_mx.program,
        {array(a, {m, k}), array(sa, {m, blocks}), array(b, {k, n}), array(sb, {blocks, n}), array(c, {m, n})}, {8});
    REQUIRE_OK(report);
    check_close(report, 4, c, want, 1e-3);
  }
}

TEST_CASE("experts' products, their rows found on the device") {
  Numbers r;
  for (const std::int64_t tile : {1, 4, 16}) {
    const std::int64_t e = 4, k = 10, n = 7;
    std::vector<std::int32_t> start{0, 5, 5, 18, 21};  // the second expert has no rows
    const std::int64_t t = start.back();
    auto x = r.reals<bf16>(t * k), w = r.reals<bf16>(e * k * n);
    std::vector<bf16> y(at(t * n), bf16(9.f));
    std::vector<double> want(y.size());
    for (std::int64_t g = 0; g < e; ++g)
      for (std::int64_t i = start[at(g)]; i < start[at(g + 1)]; ++i)
        for (std::int64_t j = 0; j < n; ++j)
          for (std::int64_t c = 0; c < k; ++c)
            want[at(i * n + j)] += as_double(x[at(i * k + c)]) * as_double(w[at((g * k + c) * n + j)]);
    const Report report =
        run(moe.program, {array(x, {t, k}), array(w, {e, k, n}), array(start, {e + 1}), array(y, {t, n})}, {tile});
    REQUIRE_OK(report);
    check_close(report, 3, y, want, 8e-3);
  }
}

TEST_CASE("block-sparse rows times a dense matrix") {
  Numbers r;
  const std::int64_t rows = 4, e = 3, f = 2, k = 10, n = 19;
  std::vector<std::int32_t> row{0, 2, 2, 5, 6}, col{0, 3, 1, 2, 4, 0};
  auto v = r.reals<float>(6 * e * f), b = r.reals<float>(k * n);
  std::vector<float> c(at(rows * e * n), 4.f);
  std::vector<double> want(c.size());
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t p = row[at(i)]; p < row[at(i + 1)]; ++p)
      for (std::int64_t x = 0; x < e; ++x)
        for (std::int64_t y = 0; y < f; ++y)
          for (std::int64_t j = 0; j < n; ++j)
            want[at((i * e + x) * n + j)] += double(v[at((p * e + x) * f + y)]) * b[at((col[at(p)] * f + y) * n + j)];
  const auto call = [&](std::int64_t m, std::vector<float>& out) {
    return run(bsr.program,
               {array(row, {rows + 1}), array(col, {6}), array(v, {6, e, f}), array(b, {k, n}), array(out, {m, n})},
               {8});
  };
  const Report report = call(rows * e, c);
  REQUIRE_OK(report);
  check_close(report, 4, c, want, 1e-5);

  SUBCASE("expectations are checked before anything runs") {
    std::vector<float> wrong(at((rows * e + 1) * n), 4.f);
    const Report refused = call(rows * e + 1, wrong);
    REQUIRE(refused.findings.size() == 1);
    CHECK(refused.findings[0].kind == FindingKind::expects);
    CHECK(refused.findings[0].text.find("expects: M is R blocks of E rows") != std::string::npos);
    CHECK(refused.findings[0].program == -1);
    CHECK(wrong[0] == 4);
  }
  SUBCASE("a column out of range is found, and reads as 0") {
    col[3] = 5;
    const Report outside = call(rows * e, c);
    REQUIRE(outside.has(FindingKind::outside));
    const auto& finding = outside.findings[0];
    CHECK(finding.text.find("b: index 10 of axis K is outside 0 … 9") != std::string::npos);
    CHECK(finding.argument == 3);
    CHECK(finding.axis == 0);
    CHECK(finding.index == 10);
    CHECK(finding.extent == 10);
  }
}

TEST_CASE("convolution with groups, stride and padding") {
  Numbers r;
  struct Shape {
    std::int64_t b, g, c, h, w, f, kh, kw;
    std::int32_t stride, pad;
  };
  for (const Shape& s : {Shape{1, 1, 3, 6, 6, 4, 3, 3, 1, 1}, Shape{2, 2, 5, 9, 7, 3, 3, 2, 2, 0},
                         Shape{1, 1, 1, 1, 1, 1, 1, 1, 1, 0}, Shape{1, 1, 2, 5, 5, 17, 5, 5, 3, 2}})
    for (const std::int64_t tile : {2, 16}) {
      const std::int64_t oh = (s.h + 2 * s.pad - s.kh) / s.stride + 1, ow = (s.w + 2 * s.pad - s.kw) / s.stride + 1;
      auto x = r.reals<float>(s.b * s.g * s.c * s.h * s.w), w = r.reals<float>(s.g * s.f * s.c * s.kh * s.kw);
      std::vector<float> y(at(s.b * s.g * s.f * oh * ow));
      std::vector<double> want(y.size());
      for (std::int64_t b = 0; b < s.b; ++b)
        for (std::int64_t g = 0; g < s.g; ++g)
          for (std::int64_t f = 0; f < s.f; ++f)
            for (std::int64_t i = 0; i < oh; ++i)
              for (std::int64_t j = 0; j < ow; ++j)
                for (std::int64_t c = 0; c < s.c; ++c)
                  for (std::int64_t p = 0; p < s.kh; ++p)
                    for (std::int64_t q = 0; q < s.kw; ++q) {
                      const std::int64_t yy = i * s.stride + p - s.pad, xx = j * s.stride + q - s.pad;
                      if (yy < 0 || yy >= s.h || xx < 0 || xx >= s.w) continue;
                      want[at((((b * s.g + g) * s.f + f) * oh + i) * ow + j)] +=
                          double(x[at((((b * s.g + g) * s.c + c) * s.h + yy) * s.w + xx)]) *
                          w[at((((g * s.f + f) * s.c + c) * s.kh + p) * s.kw + q)];
                    }
      const Report report = run(conv2d.program,
                                {array(x, {s.b, s.g, s.c, s.h, s.w}), array(w, {s.g, s.f, s.c, s.kh, s.kw}),
                                 scalar(s.stride), scalar(s.pad), array(y, {s.b, s.g, s.f, oh, ow})},
                                {tile});
      REQUIRE_OK(report);
      check_close(report, 4, y, want, 1e-5);
    }
}
