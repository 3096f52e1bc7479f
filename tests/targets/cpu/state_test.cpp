// Tests on a CPU loops whose variables stay in registers: counted ones, ones that go on while any lane does, with
// masks, counters and elements of several widths; and loops like them whose variables cannot.
#include <tessera/tessera.hpp>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

// How many steps of "half, or three times and one" lead to 1: integers, so that each lane's count is exact.
TESSERA_KERNEL(steps_to_one)(Kernel k, In<i32, "M", "N"> x, Scalar<i32> limit, Out<i32, "M", "N"> steps,
                             Out<i32, "M", "N"> end, Out<b8, "M", "N"> open) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var v = abs(x(m, n)) + 1, count = k.zeros<i32>(m, n), on = v > 1;
  while (k.loop(any(on))) {
    v = where(on, where(v % 2 == 0, v / 2, 3 * v + 1), v);
    count += cast<i32>(on);
    on = v > 1 && count < limit;
  }
  steps(m, n) = count;
  end(m, n) = v;
  open(m, n) = on;
};
// A tile of one row of any length: few lanes go in registers, many do not.
TESSERA_KERNEL(all_together)(Kernel k, In<i32, "M", "N"> x, In<i64, "N"> w, Out<i32, "M", "N"> y, Out<i64, "M"> turns) {
  auto m = k.index<"M">();
  auto n = k.all<"N">();
  Var v = x(m, n);
  Var t = k.full<i64>(0);
  while (k.loop(!all(v < 0) && t < 9)) {
    v = v - cast<i32>(w(n) % 3 + 2);
    t += 1;
    v = v + cast<i32>(any(v > 3));
  }
  y(m, n) = v;
  turns(m) = t;
};
TESSERA_KERNEL(counted)(Kernel k, In<f32, "M", "N"> x, In<f32, "N"> w, In<i32, "C"> turns, Out<f32, "M", "N"> y,
                        Out<f64, "M", "N"> z, Out<i8, "M", "N"> c, Out<i32> last) {
  auto m = k.all<"M">(), n = k.all<"N">();
  Var v = x(m, n);
  Var wide = k.zeros<f64>(m, n);
  Var few = k.zeros<i8>(m, n);
  Var above = x(m, n) > 0;
  for (auto i : k.range(0, turns(0))) {
    auto next = v * 0.5f + w(n);
    wide += cast<f64>(next) * cast<f64>(i);
    few = few + cast<i8>(above);
    above = above == (i % 2 == 0);
    v = where(above, next, v - 1);
  }
  y(m, n) = v + sum<"N">(v);
  z(m, n) = wide;
  c(m, n) = few;
  Var a = k.full<i32>(1), b = k.full<i32>(0);
  for (auto i : k.range(0, turns(0))) {
    auto s = a + b;
    b = a;
    a = s + cast<i32>(i);
  }
  last() = a * 100 + b;
};
TESSERA_KERNEL(counters)(Kernel k, In<i32, "M", "N"> x, In<i32, "C"> turns, In<i32, "C", "N"> rows,
                         Out<i32, "M", "N"> y, Out<i32, "M"> left, Out<i32, "M", "N"> z) {
  auto m = k.index<"M">();
  auto n = k.block<"N">(40);
  Var v = x(m, n);
  Var turn = turns(0) + cast<i32>(m);
  while (k.loop(turn > 0)) {
    v = v * 3 % 1001 + turn;
    turn -= 2;
  }
  y(m, n) = v;
  left(m) += turn;
  Var sums = k.zeros<i32>(n);
  for (auto c : k.range(0, k.extent<"C">())) sums = max(sums + rows(c, n), cast<i32>(c));
  z(m, n) = sums;
};

const std::int64_t lengths[] = {1, 7, 16, 43};

}  // namespace

TEST_CASE("loops that go on while any lane does") {
  for (std::int64_t n : lengths) {
    auto c = of(steps_to_one.program, {{"M", 3}, {"N", n}});
    c.scalars = {{"limit", 20}};
    CPU_CHECK(c);
    c.tunables = {2, 8};
    CPU_CHECK(c);
    c.tunables = {3, 64};
    CPU_CHECK(c);
    CPU_CHECK(of(all_together.program, {{"M", 3}, {"N", n}}));
  }
  CPU_CHECK(of(all_together.program, {{"M", 2}, {"N", 0}}));
}

TEST_CASE("counted loops over tiles, masks and single values") {
  for (double turns : {0.0, 1.0, 6.0})
    for (std::int64_t n : {1, 43}) {
      auto c = of(counted.program, {{"M", 3}, {"N", n}, {"C", 1}});
      c.data = {{"turns", [=](std::int64_t) { return turns; }}};
      CPU_CHECK(c);
    }
}

TEST_CASE("counters beside tiles, and rows that a loop reads") {
  for (std::int64_t n : {0, 5, 90}) {
    auto c = of(counters.program, {{"M", 3}, {"N", n}, {"C", 5}});
    c.data = {{"turns", [](std::int64_t) { return 6.0; }}};
    CPU_CHECK(c);
  }
}
