// Tests the record of compilations that programs can ask for.
#include <doctest/doctest.h>

#include <algorithm>
#include <tessera/call/statistics.hpp>
#include <tessera/tessera.hpp>

#include "tests/support/skip.hpp"

using namespace tessera;

namespace {

constexpr Dim<"BN"> BN;

TESSERA_KERNEL(statistics_twice)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(BN);
  y(n) = x(n) + x(n);
};

std::vector<Compilation> mine() {
  std::vector<Compilation> list = compilations();
  std::erase_if(list, [](const Compilation& c) { return c.kernel != "statistics_twice"; });
  return list;
}

}  // namespace

TEST_CASE("compilations are recorded once each, in order, with what they were made for") {
  std::vector<float> x(40, 1.5f), y(40);
  CHECK(mine().empty());
  statistics_twice(x, y);
  if (mine().empty()) TESSERA_SKIP("nothing compiles here");
  statistics_twice(x, y);
  REQUIRE(mine().size() == 1);
  const Compilation first = mine()[0];
  CHECK(first.target == "cpu");
  CHECK(!first.features.empty());
  CHECK(first.known.find("N=40") != std::string::npos);
  CHECK(first.choices.starts_with("BN="));
  CHECK(first.threads == 0);
  CHECK(first.bytes > 0);
  CHECK(first.plan_milliseconds > 0);
  CHECK(first.milliseconds > first.plan_milliseconds);

  statistics_twice.with(Config{.tunables = {{"BN", 8}}, .threads = 1})(x, y);
  REQUIRE(mine().size() == 2);
  CHECK(mine()[1].choices == "BN=8");
  CHECK(mine()[1].threads == 1);

  statistics_twice.with(Config{.target = "interpreter"})(x, y);
  CHECK(mine().size() == 2);
  CHECK(y[39] == 3);
}
