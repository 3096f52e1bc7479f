// Owns tests of everything that the interpreter finds wrong, and of print.
#include <tessera/tessera.hpp>

#include "support.hpp"

namespace {

using namespace tessera;

inline constexpr Dim<"BM"> BM;

TESSERA_KERNEL(shifted)(Kernel k, In<f32, "N"> x, Scalar<i32> by, Out<f32, "N"> y) {
  auto i = k.block<"N">(BM);
  y(i) = x(i + by);
};
TESSERA_KERNEL(shifted_tile)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto i = k.block<"N">(BM);
  y(i) = at<"N">(x(i), i + 1);
};
TESSERA_KERNEL(stored_outside)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto i = k.block<"N">(BM);
  y(i + 1) = x(i);
};
TESSERA_KERNEL(inserted_outside)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto i = k.all<"N">();
  Var v = x(i);
  at<"N">(v, k.extent<"N">()) = 1;
  y(i) = v;
};
TESSERA_KERNEL(arithmetic)(Kernel k, In<i32, "N"> a, In<i32, "N"> b, Out<i32, "N"> sum, Out<i32, "N"> quotient) {
  auto i = k.block<"N">(BM);
  sum(i) = a(i) + b(i);
  quotient(i) = a(i) / b(i);
};
TESSERA_KERNEL(sums)(Kernel k, In<i32, "N"> a, Out<i32> total, Out<i32> square) {
  auto i = k.all<"N">();
  total() = sum<"N">(a(i));
  square() = dot(a(i), a(i));
};
TESSERA_KERNEL(scatter)(Kernel k, In<i32, "N"> to, In<f32, "N"> x, Out<f32, "M"> y) {
  auto i = k.block<"N">(BM);
  y(to(i)) = x(i);
};
TESSERA_KERNEL(neighbours)(Kernel k, In<i32, "N"> from, InOut<f32, "N"> x) {
  auto i = k.block<"N">(BM);
  x(i) = x(from(i)) + 1;
};
TESSERA_KERNEL(read_and_add)(Kernel k, In<i32, "N"> to, InOut<f32, "N"> x, Out<f32, "N"> y) {
  auto i = k.block<"N">(BM);
  x(to(i)) += 1;
  y(i) = x(i);
};
TESSERA_KERNEL(scratch)(Kernel k, In<f32, "N"> x, Scalar<i32> first, Out<f32, "N"> y) {
  auto i = k.block<"N">(BM);
  auto s = k.shared<f32>(i);
  if (auto t = k.when(i.begin() >= first)) s(i) = 2 * x(i);
  y(i) = s(i);
};
TESSERA_KERNEL(checked)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto i = k.block<"N">(BM);
  k.check(x(i) >= 0, "x is not negative");
  y(i) = sqrt(x(i));
};
TESSERA_KERNEL(printed)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  k.print("block {} of {}: {}", m.number(), x(m, n), m >= 1);
  y(m) = sum<"N">(x(m, n));
};
TESSERA_KERNEL(no_identity)(Kernel k, In<f32, "N"> x, Out<f32> y) {
  y() = reduce<"N">(x(k.all<"N">()), 1.f, [](auto a, auto b) { return a + b; });
};
TESSERA_KERNEL(endless)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto i = k.block<"N">(BM);
  Var v = x(i);
  while (k.loop(any(v > 0))) v *= 0.5;
  y(i) = v;
};
TESSERA_KERNEL(bounded)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  k.expects(k.extent<"N">() <= 4, "N is at most 4");
  k.expects(k.value(BM) <= 32, "BM is at most 32");
  auto i = k.block<"N">(BM);
  y(i) = x(i);
};

}  // namespace

using namespace interpret_test;

TEST_CASE("indices outside an array: read as 0, found where lanes exist only") {
  std::vector<float> x{1, 2, 3, 4, 5}, y(5);
  const Report report = run(shifted.program, {array(x, {5}), scalar(std::int32_t(2)), array(y, {5})}, {4});
  CHECK(report.finding_count == 2);
  REQUIRE(report.has(FindingKind::outside));
  const auto& f = report.findings[0];
  CHECK(f.text.find("x: index 5 of axis N is outside 0 … 4 at N = 3 (program 0)") != std::string::npos);
  CHECK(f.text.find("shifted, line ") == 0);
  CHECK(f.argument == 0);
  CHECK(f.index == 5);
  CHECK(f.extent == 5);
  CHECK(f.program == 0);
  check_equal(y, std::vector<float>{3, 4, 5, 0, 0});
  CHECK(run(shifted.program, {array(x, {5}), scalar(std::int32_t(-9)), array(y, {5})}, {4}).finding_count == 5);
  CHECK(run(shifted.program, {array(x, {5}), scalar(std::int32_t(0)), array(y, {5})}, {4}).ok());
}

TEST_CASE("positions outside a tile") {
  std::vector<float> x{1, 2, 3, 4, 5}, y(5);
  const Report report = run(shifted_tile.program, {array(x, {5}), array(y, {5})}, {3});
  CHECK(report.finding_count == 2);  // 3 in the first program's tile, 5 beyond the extent in the second's
  REQUIRE(report.has(FindingKind::outside));
  CHECK(report.findings[0].text.find(
            "at: position 3 of axis N is not in the tile, which has 0 … 2 at N = 2; pad the tile") !=
        std::string::npos);
  CHECK(report.findings[1].text.find("position 5 of axis N is not in the tile, which has 3 … 4") != std::string::npos);
}

TEST_CASE("stores outside are dropped and found") {
  std::vector<float> x{1, 2, 3}, y{9, 9, 9};
  const Report report = run(stored_outside.program, {array(x, {3}), array(y, {3})}, {2});
  CHECK(report.finding_count == 1);
  CHECK(report.findings[0].text.find("y: index 3 of axis N is outside 0 … 2 at N = 2 (program 1)") !=
        std::string::npos);
  check_equal(y, std::vector<float>{9, 1, 2});
}

TEST_CASE("insertions outside a variable are dropped and found") {
  std::vector<float> x{1, 2, 3}, y(3);
  const Report report = run(inserted_outside.program, {array(x, {3}), array(y, {3})});
  CHECK(report.finding_count == 1);
  CHECK(report.findings[0].text.find("at: position 3 of axis N is not in the variable") != std::string::npos);
  check_equal(y, x);
}

TEST_CASE("overflow wraps and division by zero gives 0; both are found") {
  std::vector<std::int32_t> a{INT32_MAX, 7, -7, INT32_MIN, 5}, b{1, 0, 2, -1, 2}, s(5), q(5);
  const Report report = run(arithmetic.program, {array(a, {5}), array(b, {5}), array(s, {5}), array(q, {5})}, {3});
  check_equal(s, std::vector<std::int32_t>{INT32_MIN, 7, -5, INT32_MAX, 7});
  check_equal(q, std::vector<std::int32_t>{INT32_MAX, 0, -4, INT32_MIN, 2});
  CHECK(report.finding_count == 4);
  int overflows = 0, divisions = 0;
  for (const auto& f : report.findings) {
    overflows += f.kind == FindingKind::overflow;
    divisions += f.kind == FindingKind::division;
  }
  CHECK(overflows == 3);
  CHECK(divisions == 1);
  CHECK(report.text().find("add of 2147483647 and 1 in i32 overflows at N = 0 (program 0)") != std::string::npos);
  CHECK(report.text().find("div of 7 and 0 in i32 divides by zero at N = 1 (program 0)") != std::string::npos);
}

TEST_CASE("sums and dots that overflow") {
  std::vector<std::int32_t> a{1 << 30, 1 << 30, 3}, total(1), square(1);
  const Report report = run(sums.program, {array(a, {3}), array(total, {}), array(square, {})});
  CHECK(report.finding_count == 2);
  CHECK(report.text().find("sum in i32 overflows") != std::string::npos);
  CHECK(report.text().find("dot in i32 overflows") != std::string::npos);
  CHECK(total[0] == INT32_MIN + 3);
  CHECK(square[0] == 9);
}

TEST_CASE("races: two programs, or two lanes, write one element") {
  std::vector<float> x{1, 2, 3, 4}, y(4);
  const auto go = [&](std::vector<std::int32_t> to, std::int64_t tile) {
    return run(scatter.program, {array(to, {4}), array(x, {4}), array(y, {4})}, {tile});
  };
  CHECK(go({3, 1, 0, 2}, 2).ok());
  check_equal(y, std::vector<float>{3, 2, 4, 1});
  const Report programs = go({0, 1, 2, 1}, 2);
  REQUIRE(programs.finding_count == 1);
  CHECK(programs.findings[0].kind == FindingKind::race);
  CHECK(programs.findings[0].text.find("y(1) is written here, and by program 0 (program 1)") != std::string::npos);
  CHECK(programs.findings[0].other == 0);
  const Report lanes = go({0, 1, 1, 2}, 4);
  REQUIRE(lanes.finding_count == 1);
  CHECK(lanes.findings[0].text.find("y(1) is written with different values by two lanes of one store") !=
        std::string::npos);
  Options quiet;
  quiet.races = false;
  std::vector<std::int32_t> to{0, 1, 1, 1};
  CHECK(run(scatter.program, {array(to, {4}), array(x, {4}), array(y, {4})}, {2}, quiet).ok());
  // A later store of the same program is no race.
  CHECK(go({0, 1, 2, 3}, 4).ok());
}

TEST_CASE("races: a program reads what another writes") {
  std::vector<std::int32_t> from{0, 1, 2, 3};
  std::vector<float> x{1, 2, 3, 4};
  CHECK(run(neighbours.program, {array(from, {4}), array(x, {4})}, {2}).ok());
  from = {0, 2, 2, 3};  // program 0 reads before program 1 writes
  const Report before = run(neighbours.program, {array(from, {4}), array(x, {4})}, {2});
  REQUIRE(before.finding_count == 1);
  CHECK(before.findings[0].text.find("x(2) is written here, and read by several programs (program 1)") !=
        std::string::npos);
  from = {0, 1, 2, 0};  // program 1 reads what program 0 has written
  const Report after = run(neighbours.program, {array(from, {4}), array(x, {4})}, {2});
  REQUIRE(after.finding_count == 1);
  CHECK(after.findings[0].text.find("x(0) is read here, and written by program 0 (program 1)") != std::string::npos);
  std::vector<float> y(4);
  from = {0, 1, 2, 3};
  CHECK(run(read_and_add.program, {array(from, {4}), array(x, {4}), array(y, {4})}, {2}).ok());
  from = {0, 3, 2, 3};
  const Report added = run(read_and_add.program, {array(from, {4}), array(x, {4}), array(y, {4})}, {2});
  REQUIRE(added.has(FindingKind::race));
  CHECK(added.text().find("x(3) is read here, and added to by") != std::string::npos);
}

TEST_CASE("private memory is read after it is written") {
  std::vector<float> x{1, 2, 3, 4, 5}, y(5);
  CHECK(run(scratch.program, {array(x, {5}), scalar(std::int32_t(0)), array(y, {5})}, {2}).ok());
  check_equal(y, std::vector<float>{2, 4, 6, 8, 10});
  const Report report = run(scratch.program, {array(x, {5}), scalar(std::int32_t(2)), array(y, {5})}, {2});
  CHECK(report.finding_count == 2);  // what another program wrote is not seen
  CHECK(report.findings[0].kind == FindingKind::unwritten);
  CHECK(report.findings[0].text.find("shared is read before it is written at N = 0 (program 0)") != std::string::npos);
  check_equal(y, std::vector<float>{0, 0, 6, 8, 10});
}

TEST_CASE("checks that fail") {
  std::vector<float> x{1, -2, 3, -4, -5}, y(5);
  const Report report = run(checked.program, {array(x, {5}), array(y, {5})}, {4});
  REQUIRE(report.finding_count == 2);
  CHECK(report.findings[0].kind == FindingKind::check);
  CHECK(report.findings[0].text.find("check failed: x is not negative at N = 1, and in 1 lanes more (program 0)") !=
        std::string::npos);
  CHECK(report.findings[1].text.find("at N = 4 (program 1)") != std::string::npos);
}

TEST_CASE("print writes values, and lanes that exist") {
  std::vector<float> x{1, 0.1f, -3, INFINITY, 5e-20f, 6}, y(3);
  const Report report = run(printed.program, {array(x, {3, 2}), array(y, {3})}, {2});
  REQUIRE_OK(report);
  CHECK(report.output ==
        "block 0 of [[1, 0.1], [-3, inf]]: [false, true]\n"
        "block 1 of [[5e-20, 6]]: [true]\n");
}

TEST_CASE("an identity that is none") {
  std::vector<float> x{1, 2, 3}, y(1);
  const Report report = run(no_identity.program, {array(x, {3}), array(y, {})});
  REQUIRE(report.finding_count == 1);
  CHECK(report.findings[0].kind == FindingKind::identity);
  CHECK(y[0] == 6);
}

TEST_CASE("limits end the run") {
  std::vector<float> x{1e30f, INFINITY}, y(2);
  Options options;
  options.most_iterations = 1000;
  const Report report = run(endless.program, {array(x, {2}), array(y, {2})}, {1}, options);
  REQUIRE(report.finding_count == 1);
  CHECK(report.findings[0].kind == FindingKind::limit);
  CHECK(report.findings[0].text.find("a loop runs too often") != std::string::npos);
  options.most_lanes = 10;
  const Report lanes = run(endless.program, {array(x, {2}), array(y, {2})}, {16}, options);
  CHECK(lanes.has(FindingKind::limit));
  CHECK(lanes.text().find("too many lanes") != std::string::npos);
}

TEST_CASE("expectations over extents and tile sizes, and tile sizes that are none") {
  std::vector<float> x(5), y(5);
  const Report extent = run(bounded.program, {array(x, {5}), array(y, {5})});
  REQUIRE(extent.finding_count == 1);
  CHECK(extent.findings[0].text.find("expects: N is at most 4") != std::string::npos);
  CHECK(extent.programs == 0);
  const Report size = run(bounded.program, {array(x, {3}), array(y, {3})}, {64});
  REQUIRE(size.finding_count == 1);
  CHECK(size.findings[0].text.find("BM is at most 32") != std::string::npos);
  const Report zero = run(bounded.program, {array(x, {3}), array(y, {3})}, {0});
  REQUIRE(zero.finding_count == 1);
  CHECK(zero.findings[0].kind == FindingKind::configuration);
  CHECK(zero.text().find("a block of 0 lanes: tile sizes are 1 or more") != std::string::npos);
  CHECK(run(bounded.program, {array(x, {3}), array(y, {3})}, {32}).ok());
}

TEST_CASE("findings beyond the limit are counted") {
  std::vector<float> x(100), y(100);
  Options options;
  options.most_findings = 5;
  const Report report =
      run(shifted.program, {array(x, {100}), scalar(std::int32_t(100)), array(y, {100})}, {16}, options);
  CHECK(report.findings.size() == 5);
  CHECK(report.finding_count == 100);
  CHECK(report.text().find("and 95 more") != std::string::npos);
}
