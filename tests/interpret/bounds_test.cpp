// Owns tests of error bounds: what other legal evaluations give lies within them, and what is exact has none.
#include <tessera/tessera.hpp>

#include <algorithm>
#include <numeric>

#include "support.hpp"
#include "tessera/interpret/compare.hpp"

namespace {

using namespace tessera;

inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(total)(Kernel k, In<f32, "N"> x, Out<f32> s) {
  Var t = k.zeros<f32>();
  for (auto i : k.blocks<"N">(BN)) t += sum<"N">(x(i));
  s() = t;
};
TESSERA_KERNEL(inner)(Kernel k, In<f32, "N"> x, In<f32, "N"> y, Out<f32> s) {
  Var t = k.zeros<f32>();
  for (auto i : k.blocks<"N">(BN)) t += dot(x(i), y(i));
  s() = t;
};
TESSERA_KERNEL(scattered)(Kernel k, In<f32, "N"> x, Out<f32> s) { s() += sum<"N">(x(k.block<"N">(BN))); };
TESSERA_KERNEL(folded)(Kernel k, In<f32, "N"> x, Out<f32> s) {
  s() = reduce<"N">(x(k.all<"N">()), 0.f, [](auto a, auto b) { return a + b; });
};
TESSERA_KERNEL(fused)(Kernel k, In<f32, "N"> a, In<f32, "N"> b, In<f32, "N"> c, Out<f32, "N"> y) {
  auto i = k.block<"N">(BN);
  y(i) = a(i) * b(i) + c(i);
};
TESSERA_KERNEL(exact)(Kernel k, In<f32, "N"> a, In<f32, "N"> b, In<i32, "N"> c, Out<f32, "N"> sum,
                      Out<f32, "N"> quotient, Out<f32, "N"> root, Out<i32, "N"> i, Out<f32, "N"> moved,
                      Out<f32, "N"> half) {
  auto n = k.block<"N">(BN);
  sum(n) = a(n) + b(n);
  quotient(n) = a(n) / b(n);
  root(n) = sqrt(abs(a(n)));
  i(n) = c(n) * c(n) / 3;
  moved(n) = flip<"N">(sort<"N">(a(n)));
  half(n) = a(n) * 0.5;
};
TESSERA_KERNEL(decided)(Kernel k, In<f32, "N"> a, In<f32, "N"> b, In<f32, "N"> t, Out<f32, "N"> y, Out<i32, "N"> down,
                        Out<f16, "N"> h, Out<b8, "N"> above) {
  auto n = k.block<"N">(BN);
  auto p = a(n) * b(n);  // may be fused, or not
  y(n) = where(p > t(n), 1.0, -1.0);
  down(n) = cast<i32>(floor(p));
  h(n) = cast<f16>(p);
  above(n) = p > t(n);
};
TESSERA_KERNEL(zeros_meet)(Kernel k, In<f32, "N"> a, In<f32, "N"> b, Out<f32, "N"> larger, Out<f32, "N"> inverse,
                           Out<f16, "N"> root, Out<b8, "N"> above, Out<f32> least, Out<f32> inverse_least) {
  auto n = k.all<"N">();
  larger(n) = max(a(n), b(n));
  inverse(n) = 1 / max(a(n), b(n));
  root(n) = rsqrt(cast<f16>(max(a(n), b(n))));
  above(n) = max(a(n), b(n)) > 0;
  least() = min<"N">(a(n));
  inverse_least() = 1 / min<"N">(a(n));
};
TESSERA_KERNEL(functions)(Kernel k, In<f32, "N"> x, Out<f32, "N"> e, Out<f32, "N"> t, Out<f32, "N"> l) {
  auto n = k.block<"N">(BN);
  e(n) = exp(x(n));
  t(n) = tanh(x(n));
  l(n) = log(exp(x(n)));
};
TESSERA_KERNEL(unsure_loop)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(1);
  Var v = exp(x(n));
  while (k.loop(any(v > 1))) v *= 0.5;
  y(n) = v;
};
TESSERA_KERNEL(gathered)(Kernel k, In<f32, "N"> x, In<f32, "N"> y, Out<f32, "N"> z) {
  auto n = k.block<"N">(BN);
  z(n) = y(cast<i32>(floor(exp(x(n)))));
};
TESSERA_KERNEL(overflows)(Kernel k, In<f32, "N"> x, Out<f32> s, Out<f32> top) {
  auto n = k.all<"N">();
  s() = sum<"N">(x(n));
  top() = max<"N">(x(n));
};

}  // namespace

using namespace interpret_test;
using tessera::interpreter::unbounded;

namespace {

/// Sums in several orders, in f32.
std::vector<float> orders(std::vector<float> x) {
  std::vector<float> sums;
  const auto ascending = [&] { return std::accumulate(x.begin(), x.end(), 0.f); };
  sums.push_back(ascending());
  float lanes[8] = {};
  for (std::size_t i = 0; i < x.size(); ++i) lanes[i % 8] += x[i];
  sums.push_back(((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7])));
  std::reverse(x.begin(), x.end());
  sums.push_back(ascending());
  std::sort(x.begin(), x.end());
  sums.push_back(ascending());
  std::reverse(x.begin(), x.end());
  sums.push_back(ascending());
  return sums;
}

}  // namespace

TEST_CASE("sums in other orders lie within the bound, which is not idle") {
  Numbers r;
  for (const std::int64_t n : {3, 100, 3000})
    for (const bool biased : {false, true})
      for (const std::int64_t tile : {1, 16, 5000}) {
        auto x = r.reals<float>(n, biased ? 0.0999 : -1, biased ? 0.1001 : 1);
        std::vector<float> s(1);
        for (const auto* program : {&total.program, &scattered.program, &folded.program}) {
          const Report report = run(*program, {array(x, {n}), array(s, {})}, {tile});
          REQUIRE_OK(report);
          const double bound = report.bounds[1].at(0);
          double magnitude = 0;
          for (const float v : x) magnitude += std::fabs(v);
          for (const float other : orders(x)) CHECK(std::fabs(double(other) - s[0]) <= bound);
          CHECK(bound <= 4 * double(n) * 1.2e-7 * magnitude);
        }
      }
}

TEST_CASE("dots in other orders, fused or not, lie within the bound") {
  Numbers r;
  for (const std::int64_t n : {1, 37, 2000})
    for (const std::int64_t tile : {1, 16, 5000}) {
      auto x = r.reals<float>(n), y = r.reals<float>(n);
      std::vector<float> s(1), products;
      const Report report = run(inner.program, {array(x, {n}), array(y, {n}), array(s, {})}, {tile});
      REQUIRE_OK(report);
      const double bound = report.bounds[2].at(0);
      for (std::size_t i = 0; i < x.size(); ++i) products.push_back(x[i] * y[i]);
      for (const float other : orders(products)) CHECK(std::fabs(double(other) - s[0]) <= bound);
      float fma_sum = 0;
      for (std::size_t i = x.size(); i-- > 0;) fma_sum = std::fma(x[i], y[i], fma_sum);
      CHECK(std::fabs(double(fma_sum) - s[0]) <= bound);
    }
}

TEST_CASE("a product and a sum may be fused") {
  Numbers r;
  const std::int64_t n = 400;
  auto a = r.reals<float>(n), b = r.reals<float>(n), c = r.reals<float>(n);
  for (std::size_t i = 0; i < 200; ++i) c[i] = -a[i] * b[i];  // cancels: all that is left is what fusing keeps
  std::vector<float> y(at(n));
  const Report report = run(fused.program, {array(a, {n}), array(b, {n}), array(c, {n}), array(y, {n})});
  REQUIRE_OK(report);
  int differ = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float other = std::fma(a[i], b[i], c[i]);
    CHECK(std::fabs(double(other) - y[i]) <= report.bounds[3].at(i));
    CHECK(report.bounds[3].at(i) < 4e-7);
    differ += other != y[i];
  }
  CHECK(differ > 150);
}

TEST_CASE("exact operations, integers and moves have no bound") {
  Numbers r;
  const std::int64_t n = 50;
  auto a = r.reals<float>(n), b = r.reals<float>(n, 1, 2);
  auto c = r.wholes<std::int32_t>(n, -1000, 1000);
  std::vector<float> sum(at(n)), quotient(at(n)), root(at(n)), moved(at(n)), half(at(n));
  std::vector<std::int32_t> i(at(n));
  const Report report =
      run(exact.program, {array(a, {n}), array(b, {n}), array(c, {n}), array(sum, {n}), array(quotient, {n}),
                          array(root, {n}), array(i, {n}), array(moved, {n}), array(half, {n})});
  REQUIRE_OK(report);
  for (std::size_t k = 3; k < 9; ++k) CHECK(report.bounds[k].of_element.empty());
}

TEST_CASE("decisions on what is inexact") {
  //             tie      clear     just below an integer   f16 tie
  std::vector<float> a{0.1f, 2.f, 1 / 3.f, 1 + 0x1p-12f}, b{0.3f, 3.f, 3.f, 1 + 0x1p-12f},
      t{0.1f * 0.3f, 5.f, 9.f, 0.f};
  std::vector<float> y(4);
  std::vector<std::int32_t> down(4);
  std::vector<f16> h(4);
  std::vector<std::uint8_t> above(4);
  const Report report = run(decided.program, {array(a, {4}), array(b, {4}), array(t, {4}), array(y, {4}),
                                              array(down, {4}), array(h, {4}), array(above, {4})});
  REQUIRE_OK(report);
  CHECK(y[0] == -1);
  CHECK(report.bounds[3].at(0) == 2);  // 1 is as good
  CHECK(report.bounds[6].at(0) == 1);
  CHECK(report.bounds[3].at(1) == 0);
  CHECK(report.bounds[4].at(1) == 0);
  CHECK(down[2] == 1);
  CHECK(report.bounds[4].at(2) == 1);  // a fused product is below 1
  CHECK(report.bounds[4].at(0) == 0);
  CHECK(report.bounds[5].at(3) < 0.002);
}

TEST_CASE("max and min of zeros may give either: the same number, but not the same quotients") {
  std::vector<float> a{-0.f, 0.f, 0.f}, b{0.f, -0.f, 0.f}, larger(3), inverse(3);
  std::vector<f16> root(3);
  std::vector<std::uint8_t> above(3);
  std::vector<float> least(1), inverse_least(1);
  const Report report =
      run(zeros_meet.program, {array(a, {3}), array(b, {3}), array(larger, {3}), array(inverse, {3}), array(root, {3}),
                               array(above, {3}), array(least, {}), array(inverse_least, {})});
  for (std::size_t i = 0; i < 3; ++i) {
    const bool both = i < 2;
    CHECK(report.bounds[2].at(i) < 1e-300);
    CHECK(report.bounds[3].at(i) == (both ? interpreter::unbounded : 0));
    CHECK(report.bounds[4].at(i) == (both ? interpreter::unbounded : 0));
    CHECK(report.bounds[5].at(i) == 0);
  }
  CHECK(report.bounds[6].at(0) < 1e-300);
  CHECK(report.bounds[7].at(0) == interpreter::unbounded);
}

TEST_CASE("functions of one unit more or less lie within the bound") {
  Numbers r;
  const std::int64_t n = 200;
  auto x = r.reals<float>(n, -5, 5);
  x[0] = -INFINITY;
  x[1] = INFINITY;
  x[2] = NAN;
  std::vector<float> e(at(n)), t(at(n)), l(at(n));
  const Report report = run(functions.program, {array(x, {n}), array(e, {n}), array(t, {n}), array(l, {n})});
  REQUIRE_OK(report);
  CHECK(e[0] == 0);
  CHECK(l[0] == -INFINITY);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t k = 1; k < 4; ++k) CHECK(report.bounds[k].at(i) == 0);  // certain
  for (std::size_t i = 3; i < x.size(); ++i) {
    for (const float side : {-INFINITY, INFINITY}) {
      const float other = std::nextafter(e[i], side);
      CHECK(std::fabs(double(other) - e[i]) <= report.bounds[1].at(i));
      CHECK(std::fabs(double(std::log(other)) - l[i]) <= report.bounds[3].at(i));
    }
    CHECK(report.bounds[1].at(i) < 4e-7 * e[i]);
    CHECK(report.bounds[2].at(i) < 4e-7);
    CHECK(report.bounds[3].at(i) < 3e-6);
  }
}

TEST_CASE("what hangs on an inexact loop, branch or index has no finite bound, and says so") {
  std::vector<float> x{0.f, 1.f, std::log(2.f)}, y(3);
  const Report report = run(unsure_loop.program, {array(x, {3}), array(y, {3})});
  REQUIRE_OK(report);
  CHECK(report.uncertain_control);
  CHECK(report.bounds[1].at(0) == unbounded);  // exp(0) > 1 may be
  CHECK(report.bounds[1].at(1) < 1e-6);
  CHECK(report.bounds[1].at(2) == unbounded);
  std::vector<float> values{1, 2, 3}, z(3);
  const Report gather = run(gathered.program, {array(x, {3}), array(values, {3}), array(z, {3})}, {4});
  REQUIRE_OK(gather);
  CHECK(gather.bounds[2].at(0) == unbounded);  // exp(0) may be below 1
  CHECK(gather.bounds[2].at(1) == 0);
}

TEST_CASE("sums that overflow in some order have no bound") {
  std::vector<float> x{3e38f, -3e38f, 3e38f}, s(1), top(1);
  const Report report = run(overflows.program, {array(x, {3}), array(s, {}), array(top, {})});
  CHECK(s[0] == 3e38f);
  CHECK(report.bounds[1].at(0) == unbounded);
  CHECK(report.bounds[2].at(0) == 0);
  x = {INFINITY, 1, 2};
  const Report infinite = run(overflows.program, {array(x, {3}), array(s, {}), array(top, {})});
  CHECK(s[0] == INFINITY);
  CHECK(infinite.bounds[1].at(0) == 0);
}

TEST_CASE("another implementation's results are judged by the bounds") {
  using tessera::interpreter::mismatches;
  Numbers r;
  const std::int64_t n = 10;
  auto a = r.reals<float>(n, 1, 2), b = r.reals<float>(n, 1, 2), c = r.reals<float>(n, 1, 2);
  std::vector<float> y(at(n)), other(at(n));
  const Report report = run(fused.program, {array(a, {n}), array(b, {n}), array(c, {n}), array(y, {n})});
  const auto& program = fused.program;
  const auto layout = tessera::call::frame_layout(program);
  const auto frame = [&](std::vector<float>& out) {
    std::vector<std::uint64_t> words(layout.words(), 1);
    std::vector<float>* arrays[] = {&a, &b, &c, &out};
    for (std::size_t i = 0; i < 4; ++i) words[i] = reinterpret_cast<std::uintptr_t>(arrays[i]->data());
    words[layout.extent_word(0)] = static_cast<std::uint64_t>(n);
    return words;
  };
  for (std::size_t i = 0; i < y.size(); ++i) other[i] = std::fma(a[i], b[i], c[i]);
  CHECK(mismatches(program, frame(y), report, frame(other)).empty());
  other[3] = y[3] + 0.5f;
  other[7] = NAN;
  const auto wrong = mismatches(program, frame(y), report, frame(other));
  REQUIRE(wrong.size() == 2);
  CHECK(wrong[0].argument == 3);
  CHECK(wrong[0].element == 3);
  CHECK(wrong[0].text.find("y(3) is ") == 0);
  CHECK(wrong[1].text.find("y(7) is nan, not ") == 0);
  using tessera::interpreter::agrees;
  CHECK(agrees(DType::f32, 0x7fc00000, 0x7fc00001, 0));
  CHECK(agrees(DType::f32, 0x80000000, 0, 0));
  CHECK_FALSE(agrees(DType::f32, 0x3f800000, 0x3f800001, 0));
  CHECK_FALSE(agrees(DType::i32, 1, 2, 0));
  CHECK(agrees(DType::i32, 1, 2, 1));
  CHECK(agrees(DType::i32, 1, 900, unbounded));
}
