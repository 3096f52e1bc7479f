// Tests on a CPU: loops, branches, stops, ragged blocks, variables, updates in place, atomics, scratch.
#include <tessera/tessera.hpp>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(branches)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y, Out<i64, "N"> id, Out<f32, "N"> z) {
  auto n = k.block<"N">(8);
  id(n) = k.linear_id() * 10 + k.block_id<"N">();
  Var v = x(n);
  if (auto t = k.when(n.number() % 2 == 0)) {
    y(n) = x(n);
    if (auto u = k.when(any(v > 0))) v = v * 2;
    if (auto e = k.otherwise()) {
      v += 1;
      if (auto w = k.when(n.number() == 4)) v = -v;
    }
  }
  if (auto e = k.otherwise()) {
    y(n) = -x(n);
    v = v - sum<"N">(x(n));
  }
  z(n) = v;
  k.stop_if(n.number() == 1);
  y(n) = 2 * x(n);
};
TESSERA_KERNEL(stops)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y, Out<f32, "M"> last, Out<i32, "M"> turns) {
  auto m = k.index<"M">();
  Var s = k.zeros<f32>(), t = k.zeros<i32>();
  last(m) = 7;
  for (auto n : k.blocks<"N">(4)) {
    s += sum<"N">(x(m, n));
    t += 1;
    y(m) = s;
    turns(m) = t;
    if (auto b = k.when(t > 1)) {
      k.stop_if(s < 0);
      turns(m) = t + 100;
    }
    for (auto i : k.range(0, 3)) {
      k.stop_if(s > 2 && i == 1);
      s += 0.125f;
    }
  }
  last(m) = s;
};
TESSERA_KERNEL(stops_while)(Kernel k, In<i32, "M"> limit, Out<i32, "M"> y, Out<i32, "M"> done) {
  auto m = k.index<"M">();
  Var v = k.zeros<i32>();
  done(m) = 0;
  while (k.loop(v < 1000)) {
    v += 3;
    y(m) = v;
    k.stop_if(v > limit(m));
  }
  done(m) = v;
};
TESSERA_KERNEL(ragged)(Kernel k, In<i64, "B+1"> start, In<f32, "T", "N"> x, Scalar<i32> longest, Out<f32, "T", "N"> y,
                       Out<f32, "B", "N"> total) {
  auto b = k.index<"B">();
  auto t = k.block<"T">(4, start(b), start(b + 1), longest);
  auto n = k.all<"N">();
  y(t, n) = x(t, n) + cast<f32>(b);
  total(b, n) += sum<"T">(x(t, n));
};
TESSERA_KERNEL(spans)(Kernel k, In<i64, "P"> from, In<i64, "P"> to, In<f32, "N"> x, Out<f32, "N"> y, Out<f32, "P"> s,
                      Out<i64, "P", "FOUR"> ends) {
  auto p = k.index<"P">();
  auto t = k.span<"N">(16, from(p), to(p));
  y(t) = x(t) * 2;
  s(p) = sum<"N">(x(t));
  ends(p, 0) = t.begin();
  ends(p, 1) = t.end();
  ends(p, 2) = t.count();
  ends(p, 3) = max<"N">(t);
};
TESSERA_KERNEL(ranges)(Kernel k, In<f32, "N"> x, Scalar<i64> from, Scalar<i64> to, Out<f32> total, Out<f32> top,
                       Out<i64> count) {
  Var s = k.zeros<f32>(), m = k.full<f32>(-inf), c = k.zeros<i64>();
  for (auto n : k.blocks<"N">(BN, from, to)) {
    s += sum<"N">(x(n));
    m = max(m, max<"N">(x(n)));
    c += n.count();
  }
  total() = s;
  top() = m;
  count() = c;
};
TESSERA_KERNEL(variables)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y, Out<f32, "M", "N"> z) {
  auto m = k.block<"M">(4);
  auto n = k.all<"N">();
  Var a = x(m, n), b = k.zeros<f32>(m, n);
  auto old = a + 0;
  Var copy = a;
  a = a * 2;
  auto swap = a;
  b = copy + a;
  copy = swap - old;
  a = at<"N">(a, k.extent<"N">() - 1 - n) + sum<"N">(a);
  y(m, n) = a + b;
  z(m, n) = copy;
};
TESSERA_KERNEL(in_place)(Kernel k, InOut<f32, "M", "N"> x, InOut<f32, "N"> row) {
  auto m = k.block<"M">(4);
  auto n = k.all<"N">();
  auto old = x(m, n);
  x(m, n) = flip<"N">(x(m, n)) + 1;
  x(m, n) = x(m, n) * 2 - old;
  row(n) += sum<"M">(old);
};
TESSERA_KERNEL(atomics)(Kernel k, In<i32, "N"> to, In<i32, "N"> x, InOut<i32, "M"> low, InOut<i32, "M"> high,
                        InOut<i32, "M"> bits, InOut<i32, "M"> sum_, InOut<f32, "M"> real, InOut<u8, "M"> byte) {
  auto n = k.block<"N">(BN);
  atomic_min(low(to(n)), x(n));
  atomic_max(high(to(n)), x(n));
  atomic_or(bits(to(n)), x(n));
  atomic_add(sum_(to(n)), x(n));
  atomic_max(real(to(n)), cast<f32>(x(n)));
  atomic_xor(byte(to(n)), cast<u8>(x(n)));
};
TESSERA_KERNEL(swaps)(Kernel k, InOut<i32, "N"> x, InOut<f32, "N"> f, Out<i32, "N"> old, Out<i32, "N"> seen,
                      Out<f32, "N"> real) {
  auto n = k.block<"N">(BN);
  old(n) = atomic_exchange(x(n), 7);
  seen(n) = atomic_compare_exchange(x(n), 7, cast<i32>(n));
  real(n) = atomic_add(f(n), 2.5f) * 2;
};
TESSERA_KERNEL(tickets)(Kernel k, In<i32, "N"> x, InOut<i32> next, Out<i32, "N"> out) {
  auto n = k.block<"N">(4);
  auto first = atomic_add(next(), 4);
  out(first + cast<i32>(n - n.begin())) = x(n);
};
TESSERA_KERNEL(scratch)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(4);
  auto n = k.all<"N">();
  auto s = k.shared<f32>(m, n);
  s(m, n) = x(m, n) * 2;
  y(m, n) = s(m, k.extent<"N">() - 1 - n) + s(m, n);
};
TESSERA_KERNEL(halving)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y, Out<i32, "M"> turns) {
  auto m = k.index<"M">();
  auto n = k.all<"N">();
  Var v = x(m, n), t = k.zeros<i32>();
  while (k.loop(any(abs(v) > 0.125f))) {
    v = where(abs(v) > 0.125f, v * 0.5f, v);
    t += 1;
  }
  y(m, n) = v;
  turns(m) = t;
};
TESSERA_KERNEL(histograms)(Kernel k, In<u8, "M", "N"> x, Out<i32, "M", "BINS"> h, Out<f32, "BINS"> weight) {
  auto m = k.index<"M">();
  auto n = k.block<"N">(BN);
  h(m, cast<i32>(x(m, n))) += 1;
  weight(cast<i32>(x(m, n))).where(x(m, n) > 3) += 0.5f;
};

const std::int64_t lengths[] = {1, 7, 37, 100};

void check(const ir::Program& p, const std::map<std::string, std::int64_t>& extents) {
  auto c = of(p, extents);
  CPU_CHECK(c);
  c.row_padding = 3;
  CPU_CHECK(c);
}

}  // namespace

TEST_CASE("branches in branches; stops at the top level, in loops and in branches") {
  for (std::int64_t n : lengths) {
    check(branches.program, {{"N", n}});
    check(stops.program, {{"M", 23}, {"N", n}});
  }
  auto c = of(stops_while.program, {{"M", 9}});
  c.data = {{"limit", [](std::int64_t i) { return double(i * 200); }}};
  CPU_CHECK(c);
}

TEST_CASE("ragged blocks, spans, ranges of blocks") {
  for (std::int64_t n : {1, 8, 37}) {
    auto c = of(ragged.program, {{"B", 3}, {"T", 21}, {"N", n}});
    c.scalars = {{"longest", 12}};
    c.data = {{"start", [](std::int64_t i) {
                 const double v[] = {0, 5, 9, 21};
                 return i < 4 ? v[i] : 0;  // behind a row is padding
               }}};
    CPU_CHECK(c);
    c.row_padding = 2;
    CPU_CHECK(c);
  }
  auto s = of(spans.program, {{"P", 4}, {"N", 50}, {"FOUR", 4}});
  s.data = {{"from",
             [](std::int64_t i) {
               const double v[] = {0, 10, 20, 45};
               return v[i];
             }},
            {"to", [](std::int64_t i) {
               const double v[] = {7, 10, 36, 70};
               return v[i];
             }}};
  CPU_CHECK(s);
  for (auto [from, to] : {std::pair{0, 50}, {3, 41}, {-5, 60}, {20, 20}, {30, 10}}) {
    auto r = of(ranges.program, {{"N", 50}});
    r.scalars = {{"from", double(from)}, {"to", double(to)}};
    CPU_CHECK(r);
  }
}

TEST_CASE("variables, updates in place, scratch, loops until nothing is left") {
  for (std::int64_t n : lengths) {
    check(variables.program, {{"M", 6}, {"N", n}});
    check(in_place.program, {{"M", 6}, {"N", n}});
    check(scratch.program, {{"M", 6}, {"N", n}});
    check(halving.program, {{"M", 6}, {"N", n}});
    auto h = of(histograms.program, {{"M", 3}, {"N", n}, {"BINS", 16}});
    CPU_CHECK(h);
  }
}

TEST_CASE("atomics and the values that they give") {
  for (std::int64_t n : lengths) {
    auto c = of(atomics.program, {{"N", n}, {"M", 6}});
    c.data = {{"to", [](std::int64_t i) { return double(i * i % 6); }}};
    CPU_CHECK(c);
    check(swaps.program, {{"N", n}});
  }
  auto t = of(tickets.program, {{"N", 40}});
  t.data = {{"next", [](std::int64_t) { return 0.0; }}};
  CPU_CHECK(t);
}
