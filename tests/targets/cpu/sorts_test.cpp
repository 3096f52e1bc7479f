// Tests sort and topk on a CPU: every kind of element, lengths around those of vectors and blocks, NaN, ties, strides.
#include <tessera/tessera.hpp>

#include <cmath>

#include "targets/cpu/plan/sorting.hpp"
#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

template <class T>
TESSERA_KERNEL(both_ways)(Kernel k, In<T, "M", "N"> x, Out<T, "M", "N"> up, Out<T, "M", "N"> down) {
  auto m = k.all<"M">();
  auto n = k.all<"N">();
  up(m, n) = sort<"N">(x(m, n));
  down(m, n) = sort<"M">(x(m, n), Order::descending);
};
template <class T>
TESSERA_KERNEL(best)(Kernel k, In<T, "M", "N"> x, Out<T, "M", "K"> value, Out<i64, "M", "K"> place) {
  auto m = k.all<"M">();
  auto n = k.all<"N">(), c = k.all<"K">();
  auto [v, p] = topk<"N", "K">(x(m, n), c);
  value(m, c) = v;
  place(m, c) = p;
};
TESSERA_KERNEL(in_blocks)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(70);
  y(n) = sort<"N">(x(n), Order::descending);
};

using Extents = std::map<std::string, std::int64_t>;
using Data = std::function<double(std::int64_t)>;

double special(std::int64_t i) {
  return i % 13 == 5   ? NAN
         : i % 11 == 3 ? INFINITY
         : i % 7 == 1  ? -INFINITY
         : i % 3 == 0  ? -0.0
                       : double(i * 37 % 19 - 9);
}
double falling(std::int64_t i) { return double(-i); }
double rising(std::int64_t i) { return double(i); }

void check(const ir::Program& p, const Extents& extents, const Data& data = {}) {
  auto c = of(p, extents);
  if (data) c.data = {{"x", data}};
  c.row_padding = extents.at("M") % 2 ? 3 : 0;
  CPU_CHECK(c);
}

}  // namespace

TEST_CASE("networks of any size sort") {
  for (int n = 0; n <= 16; ++n) {
    const auto pairs = cpu::sorting_network(n);
    bool sorted = true;
    for (unsigned bits = 0; bits < 1u << n; ++bits) {  // what sorts zeros and ones sorts everything
      unsigned v = bits;
      for (const auto& [i, j] : pairs)
        if ((v >> i & 1) > (v >> j & 1)) v ^= 1u << i | 1u << j;
      for (int i = 1; i < n; ++i) sorted &= (v >> (i - 1) & 1) <= (v >> i & 1);
    }
    CHECK_MESSAGE(sorted, n);
  }
  CHECK(cpu::sorting_network(8).size() == 19);
}

TEST_CASE("sort along both axes, odd lengths") {
  for (const Extents& s : {Extents{{"M", 1}, {"N", 0}},
                           {{"M", 2}, {"N", 1}},
                           {{"M", 9}, {"N", 2}},
                           {{"M", 7}, {"N", 8}},
                           {{"M", 31}, {"N", 33}},
                           {{"M", 3}, {"N", 65}},
                           {{"M", 2}, {"N", 1000}}})
    check(both_ways<f32>.program, s);
  check(both_ways<f32>.program, {{"M", 1}, {"N", 40000}});
}

TEST_CASE("sort in every kind of element") {
  const Extents s{{"M", 33}, {"N", 150}};
  check(both_ways<f64>.program, s);
  check(both_ways<i8>.program, s);
  check(both_ways<u16>.program, s);
  check(both_ways<i32>.program, s);
  check(both_ways<u64>.program, s);
  check(both_ways<f16>.program, s);
  check(both_ways<f64>.program, {{"M", 5}, {"N", 9}}, special);
  check(both_ways<i64>.program, {{"M", 9}, {"N", 17}}, falling);
  CHECK(cpu_test::compile_avx512(of(both_ways<f32>.program, s)).empty());
}

TEST_CASE("sort of NaN, infinities, zeros of both signs; of rows in order and against it") {
  for (const Extents& s : {Extents{{"M", 20}, {"N", 31}}, {{"M", 3}, {"N", 500}}}) {
    check(both_ways<f32>.program, s, special);
    check(both_ways<f32>.program, s, falling);
    check(both_ways<f32>.program, s, rising);
    check(both_ways<f32>.program, s, [](std::int64_t) { return NAN; });
  }
  check(both_ways<bf16>.program, {{"M", 3}, {"N", 100}}, special);
}

TEST_CASE("the best of rows: few of many short ones, many of long ones, more than there are") {
  for (const Extents& s : {Extents{{"M", 20}, {"N", 16}, {"K", 2}},
                           {{"M", 9}, {"N", 3}, {"K", 5}},
                           {{"M", 3}, {"N", 1000}, {"K", 8}},
                           {{"M", 1}, {"N", 5000}, {"K", 100}},
                           {{"M", 2}, {"N", 40}, {"K", 70}},
                           {{"M", 2}, {"N", 0}, {"K", 3}}}) {
    check(best<f32>.program, s);
    check(best<f32>.program, s, special);
  }
  for (const Data& d : {Data(falling), Data(rising)}) check(best<f32>.program, {{"M", 2}, {"N", 3000}, {"K", 33}}, d);
}

TEST_CASE("the best in every kind of element") {
  const Extents s{{"M", 3}, {"N", 700}, {"K", 20}}, few{{"M", 17}, {"N", 12}, {"K", 3}};
  check(best<f64>.program, s, special);
  check(best<f64>.program, few, special);
  check(best<i8>.program, s);
  check(best<u32>.program, s);
  check(best<u32>.program, few);
  check(best<i64>.program, s, falling);
  check(best<u64>.program, s);
  check(best<f16>.program, s);
  check(best<i16>.program, few);
  CHECK(cpu_test::compile_avx512(of(best<f32>.program, s)).empty());
}

TEST_CASE("sorts of ragged blocks") {
  for (std::int64_t n : {1, 69, 70, 71, 200}) CPU_CHECK(of(in_blocks.program, {{"N", n}}));
}
