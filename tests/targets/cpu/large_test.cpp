// Tests machine code at extents of real jobs, where blocks for the caches, panels and rests are of their usual sizes.
#include <tessera/tessera.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "tests/support/differential.hpp"
#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;
using tessera_test::Arguments;
using Extents = std::map<std::string, std::int64_t>;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(large_product)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  c(m, n) = dot(a(m, k.all<"K">()), b(k.all<"K">(), n)) + 1;
};
TESSERA_KERNEL(large_turned)(Kernel k, In<f32, "K", "M"> a, In<f32, "N", "K"> b, Out<f32, "N", "M"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  c(n, m) = dot(a(k.all<"K">(), m), b(n, k.all<"K">()));
};
TESSERA_KERNEL(large_bytes)(Kernel k, In<i8, "M", "K"> a, In<i8, "K", "N"> b, Out<i32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  c(m, n) = dot(a(m, k.all<"K">()), b(k.all<"K">(), n));
};
TESSERA_KERNEL(large_batch)(Kernel k, In<f32, "M", "A", "B"> x, In<f32, "A", "B", "N"> y, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto a = k.all<"A">(), b = k.all<"B">();
  c(m, n) = dot<"A", "B">(x(m, a, b), y(a, b, n)) + 1;
};
TESSERA_KERNEL(large_window)
(Kernel k, In<f32, "C", "H", "W"> x, In<f32, "F", "C", "S", "S"> w, Scalar<i32> stride, Scalar<i32> pad,
 Out<f32, "F", "OH", "OW"> y) {
  auto f = k.block<"F">(BM), oh = k.block<"OH">(BN), ow = k.all<"OW">();
  auto c = k.all<"C">(), kh = k.all<"S">(), kw = as<"T">(k.all<"S">());
  y(f, oh, ow) = dot<"C", "S", "T">(w(f, c, kh, kw), x.pad(0)(c, oh * stride + kh - pad, ow * stride + kw - pad));
};
TESSERA_KERNEL(large_columns)(Kernel k, In<f32, "M", "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(BN);
  y(n) = sum<"M">(x(k.all<"M">(), n));
};
TESSERA_KERNEL(large_sort)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  y(m, k.all<"N">()) = sort<"N">(x(m, k.all<"N">()));
};
TESSERA_KERNEL(large_scan)(Kernel k, In<i32, "M", "N"> x, Out<i32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  y(m, k.all<"N">()) = cumsum<"N">(x(m, k.all<"N">()));
};

TESSERA_KERNEL(large_transpose)(Kernel k, In<f32, "M", "N"> x, Out<f32, "N", "M"> y) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  y(n, m) = x(m, n) * 2;
};
TESSERA_KERNEL(large_counts)(Kernel k, In<u16, "N"> x, Out<i32, "B"> h) {
  auto n = k.block<"N">(BN);
  h(cast<i32>(x(n))) += 1;
};
TESSERA_KERNEL(large_best)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "Q"> best, Out<i64, "M"> first) {
  auto m = k.block<"M">(BM);
  auto [values, places] = topk<"N", "Q">(x(m, k.all<"N">()), k.all<"Q">());
  best(m, k.all<"Q">()) = values;
  first(m) = argmax<"N">(x(m, k.all<"N">()));
};
TESSERA_KERNEL(large_softmax)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto e = exp(x(m, n) - max<"N">(x(m, n)));
  y(m, n) = e / sum<"N">(e);
};
TESSERA_KERNEL(large_stencil)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto p = x.pad(0);
  y(m, n) = p(m - 1, n) + p(m + 1, n) + p(m, n - 1) + p(m, n + 1) - 4 * x(m, n);
};

template <class T>
double at(const Arguments& a, std::size_t arg, std::int64_t element) {
  T value;
  std::memcpy(&value, a.memory(arg) + element * static_cast<std::int64_t>(sizeof value), sizeof value);
  return value;
}

/// The sum of `count` products of elements of arguments 0 and 1, from `left` and `right` on, in their steps.
template <class T>
double product(const Arguments& a, std::int64_t left, std::int64_t left_step, std::int64_t right,
               std::int64_t right_step, std::int64_t count) {
  double total = 0;
  for (std::int64_t k = 0; k < count; ++k)
    total += at<T>(a, 0, left + k * left_step) * at<T>(a, 1, right + k * right_step);
  return total;
}

#define LARGE_CHECK(...)                                         \
  do {                                                           \
    const std::string wrong_ = cpu_test::run_large(__VA_ARGS__); \
    CHECK_MESSAGE(wrong_.empty(), wrong_);                       \
  } while (false)

}  // namespace

TEST_CASE("large: products, square and long, as they lie and turned") {
  const std::int64_t shapes[][3] = {
      {700, 1040, 1031}, {5, 4099, 1501}, {2600, 3, 1501}, {3, 7, 100003}, {1300, 520, 65}};
  for (const auto& [M, N, K] : shapes) {
    const std::int64_t m_count = M, n_count = N, k_count = K;
    CAPTURE(M);
    CAPTURE(N);
    CAPTURE(K);
    const Extents extents{{"M", M}, {"N", N}, {"K", K}};
    const double tolerance = 1e-5 + 4e-7 * static_cast<double>(K);
    LARGE_CHECK(of(large_product.program, extents), 2, tolerance, [&](const Arguments& a, std::int64_t e) {
      return product<float>(a, e / n_count * k_count, 1, e % n_count, n_count, k_count) + 1;
    });
    LARGE_CHECK(of(large_turned.program, extents), 2, tolerance, [&](const Arguments& a, std::int64_t e) {
      return product<float>(a, e % m_count, m_count, e / m_count * k_count, 1, k_count);
    });
    LARGE_CHECK(of(large_bytes.program, extents), 2, 0, [&](const Arguments& a, std::int64_t e) {
      return product<std::int8_t>(a, e / n_count * k_count, 1, e % n_count, n_count, k_count);
    });
  }
}

TEST_CASE("large: sums over two axes, either of them long") {
  const std::int64_t shapes[][4] = {{100, 3, 5000, 40},  {100, 5000, 3, 40}, {7, 70, 90, 130},
                                    {130, 2, 3000, 100}, {40, 0, 70, 33},    {40, 70, 0, 33}};
  for (const auto& shape : shapes) {
    const std::int64_t m_count = shape[0], k_count = shape[1] * shape[2], n_count = shape[3];
    CAPTURE(m_count);
    CAPTURE(shape[1]);
    CAPTURE(shape[2]);
    const auto c = of(large_batch.program, {{"M", m_count}, {"A", shape[1]}, {"B", shape[2]}, {"N", n_count}});
    LARGE_CHECK(c, 2, 1e-5 + 4e-7 * static_cast<double>(k_count), [&](const Arguments& a, std::int64_t e) {
      return product<float>(a, e / n_count * k_count, 1, e % n_count, n_count, k_count) + 1;
    });
  }
}

TEST_CASE("large: windows over pictures of every width") {
  const std::int64_t shapes[][5] = {
      {20, 24, 56, 3, 1}, {3, 64, 113, 7, 2}, {33, 7, 61, 3, 1}, {16, 16, 129, 1, 1}, {8, 40, 75, 5, 3}};
  for (const auto& shape : shapes) {
    const std::int64_t C = shape[0], F = shape[1], W = shape[2], S = shape[3], stride = shape[4], pad = S / 2;
    const std::int64_t H = W - 1, OH = (H + 2 * pad - S) / stride + 1, OW = (W + 2 * pad - S) / stride + 1;
    CAPTURE(C);
    CAPTURE(F);
    CAPTURE(W);
    CAPTURE(S);
    auto c = of(large_window.program, {{"C", C}, {"F", F}, {"H", H}, {"W", W}, {"S", S}, {"OH", OH}, {"OW", OW}});
    c.scalars = {{"stride", static_cast<double>(stride)}, {"pad", static_cast<double>(pad)}};
    LARGE_CHECK(c, 4, 1e-4 + 4e-7 * static_cast<double>(C * S * S), [&](const Arguments& a, std::int64_t e) {
      const std::int64_t f = e / (OH * OW), oh = e / OW % OH, ow = e % OW;
      double total = 0;
      for (std::int64_t i = 0; i < C * S * S; ++i) {
        const std::int64_t h = oh * stride + i / S % S - pad, w = ow * stride + i % S - pad;
        if (h >= 0 && h < H && w >= 0 && w < W)
          total += at<float>(a, 0, (i / (S * S) * H + h) * W + w) * at<float>(a, 1, f * C * S * S + i);
      }
      return total;
    });
  }
}

TEST_CASE("large: sums of columns, scans and sorts of long rows") {
  for (const auto& [M, N] : {std::pair<std::int64_t, std::int64_t>{1500, 1003}, {3, 100003}, {30001, 5}}) {
    const std::int64_t m_count = M, n_count = N;
    CAPTURE(M);
    CAPTURE(N);
    const Extents extents{{"M", M}, {"N", N}};
    LARGE_CHECK(of(large_columns.program, extents), 1, 1e-5 + 4e-7 * static_cast<double>(M),
                [&](const Arguments& a, std::int64_t e) {
                  double total = 0;
                  for (std::int64_t m = 0; m < m_count; ++m) total += at<float>(a, 0, m * n_count + e);
                  return total;
                });
    LARGE_CHECK(of(large_scan.program, extents), 1, 0, [&](const Arguments& a, std::int64_t e) {
      double total = 0;
      for (std::int64_t n = e / n_count * n_count; n <= e; ++n) total += at<std::int32_t>(a, 0, n);
      return total;
    });
    std::vector<std::vector<double>> sorted(static_cast<std::size_t>(m_count));
    LARGE_CHECK(of(large_sort.program, extents), 1, 0, [&](const Arguments& a, std::int64_t e) {
      auto& row = sorted[static_cast<std::size_t>(e / n_count)];
      if (row.empty()) {
        for (std::int64_t n = 0; n < n_count; ++n) row.push_back(at<float>(a, 0, e / n_count * n_count + n));
        std::sort(row.begin(), row.end());
      }
      return row[static_cast<std::size_t>(e % n_count)];
    });
  }
}

TEST_CASE("large: transposes, stencils, softmax") {
  for (const auto& [M, N] : {std::pair<std::int64_t, std::int64_t>{1003, 777}, {64, 20001}, {20001, 9}}) {
    const std::int64_t m_count = M, n_count = N;
    CAPTURE(M);
    CAPTURE(N);
    const Extents extents{{"M", M}, {"N", N}};
    const auto x = [&](const Arguments& a, std::int64_t m, std::int64_t n) {
      return m < 0 || n < 0 || m >= m_count || n >= n_count ? 0 : at<float>(a, 0, m * n_count + n);
    };
    LARGE_CHECK(of(large_transpose.program, extents), 1, 0,
                [&](const Arguments& a, std::int64_t e) { return 2 * x(a, e % m_count, e / m_count); });
    LARGE_CHECK(of(large_stencil.program, extents), 1, 1e-5, [&](const Arguments& a, std::int64_t e) {
      const std::int64_t m = e / n_count, n = e % n_count;
      return x(a, m - 1, n) + x(a, m + 1, n) + x(a, m, n - 1) + x(a, m, n + 1) - 4 * x(a, m, n);
    });
    LARGE_CHECK(of(large_softmax.program, extents), 1, 1e-6, [&](const Arguments& a, std::int64_t e) {
      double total = 0;
      for (std::int64_t n = 0; n < n_count; ++n) total += std::exp(x(a, e / n_count, n));
      return std::exp(x(a, e / n_count, e % n_count)) / total;
    });
  }
}

TEST_CASE("large: counts, the best of rows") {
  auto c = of(large_counts.program, {{"N", 200003}, {"B", 1000}});
  c.data = {{"x", [](std::int64_t i) { return static_cast<double>(i * 7919 % 1000 * (i % 3) % 1000); }}};
  std::vector<double> counts;
  LARGE_CHECK(c, 1, 0, [&](const Arguments& a, std::int64_t e) {
    if (counts.empty()) {
      counts.resize(1000);
      for (std::int64_t i = 0; i < 200003; ++i) ++counts[static_cast<std::size_t>(at<std::uint16_t>(a, 0, i))];
    }
    return counts[static_cast<std::size_t>(e)];
  });
  for (const auto& [M, N, Q] : {std::array<std::int64_t, 3>{3, 50257, 100}, {700, 301, 5}, {2, 60001, 3000}}) {
    const std::int64_t n_count = N, q_count = Q;
    CAPTURE(N);
    const auto best = of(large_best.program, {{"M", M}, {"N", N}, {"Q", Q}});
    std::vector<std::vector<double>> sorted(static_cast<std::size_t>(M));
    LARGE_CHECK(best, 1, 0, [&](const Arguments& a, std::int64_t e) {
      auto& row = sorted[static_cast<std::size_t>(e / q_count)];
      if (row.empty()) {
        for (std::int64_t n = 0; n < n_count; ++n) row.push_back(at<float>(a, 0, e / q_count * n_count + n));
        std::sort(row.begin(), row.end(), std::greater<>());
      }
      return row[static_cast<std::size_t>(e % q_count)];
    });
    LARGE_CHECK(best, 2, 0, [&](const Arguments& a, std::int64_t e) {
      std::int64_t first = 0;
      for (std::int64_t n = 1; n < n_count; ++n)
        if (at<float>(a, 0, e * n_count + n) > at<float>(a, 0, e * n_count + first)) first = n;
      return static_cast<double>(first);
    });
  }
}
