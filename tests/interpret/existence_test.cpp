// Owns tests of lanes that do not exist, of blocks and their ends, and of operations that move lanes.
#include <tessera/tessera.hpp>

#include <algorithm>

#include "support.hpp"

namespace {

using namespace tessera;

inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(of_nothing)(Kernel k, In<f32, "N"> x, In<i8, "N"> y, Out<f32, "R"> f, Out<i32, "R"> i, Out<i64, "R"> p,
                           Out<b8, "R"> b) {
  auto n = k.all<"N">();
  f(0) = sum<"N">(x(n));
  f(1) = prod<"N">(x(n));
  f(2) = max<"N">(x(n));
  f(3) = min<"N">(x(n));
  f(4) = dot(x(n), x(n));
  f(5) = reduce<"N">(x(n), 7.f, [](auto a, auto c) { return a + c - 7; });
  i(0) = sum<"N">(y(n));
  i(1) = prod<"N">(y(n));
  i(2) = cast<i32>(max<"N">(y(n)));
  i(3) = cast<i32>(min<"N">(y(n)));
  p(0) = argmax<"N">(x(n));
  p(1) = argmin<"N">(x(n));
  b(0) = any<"N">(x(n) > 0);
  b(1) = all<"N">(x(n) > 0);
};
TESSERA_KERNEL(ragged)(Kernel k, In<f32, "N"> x, Scalar<i64> from, Scalar<i64> to, Out<f32, "R"> f,
                       Out<i64, "R"> where_, Out<i64, "P", "FOUR"> ends) {
  Var total = k.zeros<f32>(), top = k.full<f32>(-inf), at_ = k.full<i64>(-1), piece = k.zeros<i64>();
  for (auto i : k.blocks<"N">(BN, from, to)) {
    total += sum<"N">(x(i));
    at_ = where(max<"N">(x(i)) > top, argmax<"N">(x(i)), at_);
    top = max(top, max<"N">(x(i)));
    ends(piece, 0) = i.begin();
    ends(piece, 1) = i.end();
    ends(piece, 2) = i.count();
    ends(piece, 3) = i.number();
    piece += 1;
  }
  f(0) = total;
  f(1) = top;
  where_(0) = at_;
  where_(1) = piece;
};
TESSERA_KERNEL(moved)(Kernel k, In<f32, "N"> x, Out<f32, "N"> sorted, Out<f32, "N"> flipped, Out<f32, "N"> pieces,
                      Out<f32, "N"> again, Out<i64, "N"> positions, Out<f32, "N"> running) {
  auto n = k.block<"N">(BN);
  sorted(n) = sort<"N">(x(n), Order::descending);
  flipped(n) = flip<"N">(x(n));
  auto s = split<"N", "A", "B">(x(n), 4);
  auto in_piece = sum<"B">(s);  // the last piece may be short
  pieces(n) = at<"A">(in_piece, (n - n.begin()) / 4);
  auto m = merge<"A", "B", "C">(s);
  again(n) = at<"C">(m, n - n.begin());
  positions(n) = n;
  running(n) = associative_scan<"N">(x(n), -inf, [](auto a, auto b) { return max(a, b); });
};
TESSERA_KERNEL(means)(Kernel k, In<f32, "M", "N"> x, Out<f32, "N"> pieces, Out<f32> whole) {
  auto n = k.all<"N">();
  auto s = split<"N", "A", "B">(x(k.all<"M">(), n), 4);
  pieces(n) = at<"A">(mean<"M", "B">(s), n / 4);
  whole() = mean(s);
};
TESSERA_KERNEL(joined)(Kernel k, In<f32, "N"> x, In<f32, "M"> y, Out<f32> total, Out<i64> count, Out<f32, "K"> best,
                       Out<i64, "K"> at_) {
  auto c = k.all<"K">();
  for (auto n : k.blocks<"N">(BN))
    for (auto m : k.blocks<"M">(BN)) {
      auto both = join<"C">(as<"N", "C">(x(n)), as<"M", "C">(y(m)));
      total() += sum<"C">(both);
      count() += sum<"C">(cast<i64>(both == both));
      if (auto t = k.when(n.number() == 0 && m.number() == 0)) {
        auto [v, p] = topk<"C", "K">(both, c);
        best(c) = v;
        at_(c) = p;
      }
    }
};
TESSERA_KERNEL(halo)(Kernel k, In<f32, "N"> x, Out<f32, "N"> lanes, Out<f32, "N"> total) {
  auto n = k.block<"N">(BN);
  auto wide = n.grow(2);
  auto u = x(wide);
  lanes(n) = sum<"N">(cast<f32>(wide == wide));  // reduces the grown axis: lanes that exist
  total(n) = at<"N">(pad(u, 100), n - 2) + at<"N">(pad(u, 100), n + 2);
};
TESSERA_KERNEL(inserts)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.all<"N">();
  Var v = x(n);
  for (auto i : k.range(1, k.extent<"N">())) at<"N">(v, i) = at<"N">(v, i - 1) + at<"N">(v, i);
  y(n) = v;
};
TESSERA_KERNEL(masked)(Kernel k, In<i32, "N"> to, In<f32, "N"> x, Out<f32, "M"> y, Out<f32, "N"> z) {
  auto n = k.block<"N">(BN);
  y(to(n)).where(to(n) >= 0) = x(n);
  z(n) = x(to(n)).where(to(n) >= 0, -1);
};
TESSERA_KERNEL(spans)(Kernel k, In<i64, "P"> from, In<i64, "P"> to, In<f32, "N"> x, Out<f32, "N"> y, Out<f32, "P"> s) {
  auto p = k.index<"P">();
  auto t = k.span<"N">(BN, from(p), to(p));
  y(t) = x(t) * 2;
  s(p) = sum<"N">(x(t));
};
TESSERA_KERNEL(branches)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y, Out<i64, "N"> id) {
  auto n = k.block<"N">(BN);
  id(n) = k.linear_id() * 10 + k.block_id<"N">();
  if (auto t = k.when(n.number() % 2 == 0)) y(n) = x(n);
  if (auto e = k.otherwise()) y(n) = -x(n);
  k.stop_if(n.number() == 1);
  y(n) = 2 * x(n);
};

}  // namespace

using namespace interpret_test;

TEST_CASE("reductions of nothing") {
  std::vector<float> x, f(6);
  std::vector<std::int8_t> y;
  std::vector<std::int32_t> i(6);
  std::vector<std::int64_t> p(6);
  std::vector<std::uint8_t> b(6, 9);
  REQUIRE_OK(run(of_nothing.program,
                 {array(x, {0}), array(y, {0}), array(f, {6}), array(i, {6}), array(p, {6}), array(b, {6})}));
  check_equal(f, std::vector<float>{0, 1, -INFINITY, INFINITY, 0, 7});
  CHECK(i[0] == 0);
  CHECK(i[1] == 1);
  CHECK(i[2] == -128);
  CHECK(i[3] == 127);
  CHECK(p[0] == -1);
  CHECK(p[1] == -1);
  CHECK(b[0] == 0);
  CHECK(b[1] == 1);
}

TEST_CASE("argmax is the first of ties, and NaN wins") {
  std::vector<float> f(6);
  std::vector<std::int32_t> i(6);
  std::vector<std::int64_t> p(6);
  std::vector<std::uint8_t> b(6);
  const auto go = [&](std::vector<float> x) {
    std::vector<std::int8_t> y(x.size(), 1);
    const auto n = static_cast<std::int64_t>(x.size());
    REQUIRE_OK(run(of_nothing.program,
                   {array(x, {n}), array(y, {n}), array(f, {6}), array(i, {6}), array(p, {6}), array(b, {6})}));
  };
  go({1, 3, 0, 3, 0});
  CHECK(p[0] == 1);
  CHECK(p[1] == 2);
  CHECK(f[2] == 3);
  go({1, NAN, 5, NAN});
  CHECK(p[0] == 1);
  CHECK(p[1] == 1);
  CHECK(std::isnan(f[2]));
  CHECK(std::isnan(f[3]));
  CHECK(b[0] == 1);
  CHECK(b[1] == 0);
}

TEST_CASE("ranges of loops: lanes beyond them do not exist") {
  Numbers r;
  const std::int64_t n = 23;
  auto x = r.reals<float>(n);
  for (const std::int64_t tile : {1, 4, 16})
    for (const auto& [from, to] :
         {std::pair<std::int64_t, std::int64_t>{0, 23}, {3, 20}, {5, 5}, {9, 2}, {20, 99}, {-3, 6}}) {
      std::vector<float> f(2);
      std::vector<std::int64_t> where(2), ends(at(4 * 64), -7);
      REQUIRE_OK(run(ragged.program,
                     {array(x, {n}), scalar(from), scalar(to), array(f, {2}), array(where, {2}), array(ends, {64, 4})},
                     {tile}));
      double total = 0;
      float top = -INFINITY;
      std::int64_t at_ = -1;
      for (std::int64_t i = std::max<std::int64_t>(from, 0); i < std::min(to, n); ++i) {
        total += x[at(i)];
        if (x[at(i)] > top) top = x[at(i)], at_ = i;
      }
      CHECK(f[0] == doctest::Approx(total));
      CHECK(f[1] == top);
      CHECK(where[0] == at_);
      const std::int64_t high = std::min(to, n), pieces = from < high ? (high - from + tile - 1) / tile : 0;
      CHECK(where[1] == pieces);
      for (std::int64_t i = 0; i < pieces; ++i) {
        const std::int64_t begin = std::clamp<std::int64_t>(from + i * tile, 0, high),
                           end = std::clamp<std::int64_t>(from + (i + 1) * tile, 0, high);
        CHECK(ends[at(4 * i)] == begin);
        CHECK(ends[at(4 * i + 1)] == end);
        CHECK(ends[at(4 * i + 2)] == end - begin);
        CHECK(ends[at(4 * i + 3)] == i);
      }
    }
}

TEST_CASE("sort, flip, split, merge and scans along a short block") {
  Numbers r;
  for (const std::int64_t n : {1, 8, 21})
    for (const std::int64_t tile : {4, 8, 12}) {
      auto x = r.reals<float>(n);
      std::vector<float> sorted(at(n)), flipped(at(n)), pieces(at(n)), again(at(n)), running(at(n));
      std::vector<std::int64_t> positions(at(n));
      const Report report = run(moved.program,
                                {array(x, {n}), array(sorted, {n}), array(flipped, {n}), array(pieces, {n}),
                                 array(again, {n}), array(positions, {n}), array(running, {n})},
                                {tile});
      REQUIRE_OK(report);
      for (std::int64_t first = 0; first < n; first += tile) {
        const std::int64_t last = std::min(n, first + tile);
        std::vector<float> want(x.begin() + first, x.begin() + last);
        std::sort(want.rbegin(), want.rend());
        float top = -INFINITY;
        for (std::int64_t i = first; i < last; ++i) {
          CHECK(sorted[at(i)] == want[at(i - first)]);
          CHECK(flipped[at(i)] == x[at(first + last - 1 - i)]);
          double piece = 0;
          const std::int64_t begin = first + (i - first) / 4 * 4;
          for (std::int64_t j = begin; j < std::min(last, begin + 4); ++j) piece += x[at(j)];
          CHECK(pieces[at(i)] == doctest::Approx(piece));
          CHECK(again[at(i)] == x[at(i)]);
          CHECK(positions[at(i)] == i);
          top = std::max(top, x[at(i)]);
          CHECK(running[at(i)] == top);
        }
      }
    }
}

TEST_CASE("means count the lanes that exist, in short pieces too") {
  Numbers r;
  for (const std::int64_t n : {1, 4, 11}) {
    const std::int64_t m = 3;
    auto x = r.reals<float>(m * n);
    std::vector<float> pieces(at(n)), whole(1);
    REQUIRE_OK(run(means.program, {array(x, {m, n}), array(pieces, {n}), array(whole, {})}));
    double all = 0;
    for (const float v : x) all += v / double(m * n);
    CHECK(whole[0] == doctest::Approx(all));
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0, count = 0;
      for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t p = j / 4 * 4; p < std::min(n, j / 4 * 4 + 4); ++p) sum += x[at(i * n + p)], ++count;
      CHECK(pieces[at(j)] == doctest::Approx(sum / count));
    }
  }
}

TEST_CASE("joined tiles keep what does not exist in the middle") {
  Numbers r;
  const std::int64_t n = 5, m = 3, k = 12;
  auto x = r.reals<float>(n), y = r.reals<float>(m);
  std::vector<float> total(1), best(at(k));
  std::vector<std::int64_t> count(1), where(at(k));
  REQUIRE_OK(run(
      joined.program,
      {array(x, {n}), array(y, {m}), array(total, {}), array(count, {}), array(best, {k}), array(where, {k})}, {16}));
  double sum = 0;
  for (const float v : x) sum += v;
  for (const float v : y) sum += v;
  CHECK(total[0] == doctest::Approx(sum));
  CHECK(count[0] == n + m);
  std::vector<std::pair<float, std::int64_t>> all;
  for (std::int64_t i = 0; i < n; ++i) all.push_back({-x[at(i)], i});
  for (std::int64_t i = 0; i < m; ++i) all.push_back({-y[at(i)], 16 + i});  // positions count lanes, existing or not
  std::sort(all.begin(), all.end());
  for (std::int64_t i = 0; i < k; ++i) {
    CHECK(best[at(i)] == (i < n + m ? -all[at(i)].first : -INFINITY));
    CHECK(where[at(i)] == (i < n + m ? all[at(i)].second : -1));
  }
}

TEST_CASE("halos end at the extent; pads take over") {
  Numbers r;
  const std::int64_t n = 9;
  auto x = r.reals<float>(n);
  for (const std::int64_t tile : {1, 4, 16}) {
    std::vector<float> lanes(at(n)), total(at(n));
    REQUIRE_OK(run(halo.program, {array(x, {n}), array(lanes, {n}), array(total, {n})}, {tile}));
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t begin = i / tile * tile;
      CHECK(lanes[at(i)] == float(std::min(n, begin + tile + 2) - std::max<std::int64_t>(0, begin - 2)));
      const auto get = [&](std::int64_t j) { return j < 0 || j >= n ? 100.f : x[at(j)]; };
      CHECK(total[at(i)] == get(i - 2) + get(i + 2));
    }
  }
}

TEST_CASE("insertions into a variable, one lane after the other") {
  std::vector<float> x{1, 2, 3, 4, 5}, y(5);
  REQUIRE_OK(run(inserts.program, {array(x, {5}), array(y, {5})}));
  check_equal(y, std::vector<float>{1, 3, 6, 10, 15});
}

TEST_CASE("masks skip stores, and reads") {
  std::vector<std::int32_t> to{2, -5, 0, -1, 1};
  std::vector<float> x{1, 2, 3, 4, 5}, y{9, 9, 9, 9}, z(5);
  REQUIRE_OK(run(masked.program, {array(to, {5}), array(x, {5}), array(y, {4}), array(z, {5})}, {2}));
  check_equal(y, std::vector<float>{3, 5, 1, 9});
  check_equal(z, std::vector<float>{3, -1, 1, -1, 2});
}

TEST_CASE("spans from memory") {
  std::vector<std::int64_t> from{0, 3, 7, 2}, to{3, 6, 7, 1};
  std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8}, y(8), s(4, 9.f);
  REQUIRE_OK(run(spans.program, {array(from, {4}), array(to, {4}), array(x, {8}), array(y, {8}), array(s, {4})}, {4}));
  check_equal(y, std::vector<float>{2, 4, 6, 8, 10, 12, 0, 0});
  check_equal(s, std::vector<float>{6, 15, 0, 0});
}

TEST_CASE("branches, the end of a program, and its number") {
  std::vector<float> x{1, 2, 3, 4, 5, 6, 7}, y(7);
  std::vector<std::int64_t> id(7);
  REQUIRE_OK(run(branches.program, {array(x, {7}), array(y, {7}), array(id, {7})}, {2}));
  check_equal(y, std::vector<float>{2, 4, -3, -4, 10, 12, 14});
  check_equal(id, std::vector<std::int64_t>{0, 0, 11, 11, 22, 22, 33});
}
