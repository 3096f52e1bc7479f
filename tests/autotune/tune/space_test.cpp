// Owns the tests of the space: where its values come from, and what is pruned before anything is compiled.
#include "autotune/tune/space.hpp"

#include <doctest/doctest.h>

#include "tests/autotune/tune/fake.hpp"

using namespace tessera;
using autotune::Point;

TEST_CASE("space: values come from the caller, what is declared, the target; the target's choice always competes") {
  const fake::Target target(fake::valley);
  const autotune::Space own = fake::space(target);
  REQUIRE(own.dimensions().size() == 3);
  CHECK(own.dimensions()[0].name == "BM");
  CHECK(own.dimensions()[0].values == std::vector<std::int64_t>{8, 16, 32, 64, 128});
  CHECK(own.dimensions()[2].name == "fake.unroll");
  CHECK(own.size() == 75);
  CHECK(autotune::text_of(own.tunables(own.initial())) == "BM=32 BN=32");

  const autotune::Space given = fake::space(target, {{fake::BM, {100, 7}}, {"fake.unroll", {0}}});
  CHECK(given.dimensions()[0].values == std::vector<std::int64_t>{7, 32, 100});
  CHECK(given.size() == 15);
  const autotune::Space fixed = fake::space(target, {}, Config{.tunables = {{"BN", 64}}});
  CHECK(fixed.size() == 15);
  CHECK(autotune::text_of(fixed.tunables(fixed.initial())) == "BN=64 BM=32");
}

TEST_CASE("space: what is declared beside a kernel") {
  using namespace fake;
  static const call::SpaceRegistration declared(call::record_of<std::remove_cv_t<decltype(fake::scale)>>,
                                                {{BM, {24, 48}}, {BN, {96}}});
  const auto candidates = call::declared_space(decltype(fake::scale)::program);
  REQUIRE(candidates.size() == 2);
  CHECK(candidates[0].name == "BM");
  CHECK(candidates[0].values == std::vector<std::int64_t>{24, 48});
}

TEST_CASE("space: values that cannot be are refused in one sentence") {
  const fake::Target target(fake::valley);
  CHECK_THROWS_WITH_AS(fake::space(target, {{"BK", {1}}}),
                       "scale: tuning: there is no tunable BK\n  hint: there are BM, BN, fake.unroll", UserError);
  CHECK_THROWS_WITH_AS(fake::space(target, {{"BM", {0, 8}}}),
                       "scale: tuning: BM cannot be 0\n  hint: values are 1 or more", UserError);
}

TEST_CASE("space: pruned before it is compiled, each with its reason") {
  fake::Target target(fake::valley);
  target.refused = 16;
  autotune::Space space = fake::space(target);
  space.examine(space.initial());
  space.examine_all(space.all(1000));
  const auto why = [&](std::int64_t bm, std::int64_t bn, std::int64_t unroll) {
    return space.examine(*space.point_of({{"BM", bm}, {"BN", bn}, {"fake.unroll", unroll}})).pruned;
  };
  CHECK(why(32, 32, 0) == "");
  CHECK(why(32, 32, 2) == "the same code as BM=32 BN=32");
  CHECK(why(128, 64, 0) == "the kernel expects: a tile has at most 4096 elements");
  CHECK(why(8, 16, 4) == "configuration: 8 rows cannot be unrolled by 4");
  CHECK(why(16, 8, 0) == "scale: too much for one register");
  CHECK(space.examined().size() == 75);
}

TEST_CASE("space: points, texts and neighbours agree") {
  const fake::Target target(fake::valley);
  autotune::Space space = fake::space(target);
  const Point point = *space.point_of({{"BM", 64}, {"BN", 16}});
  CHECK(autotune::text_of(space.tunables(point)) == "BM=64 BN=16");
  CHECK_FALSE(space.point_of({{"BM", 65}, {"BN", 16}}).has_value());
  CHECK_FALSE(space.point_of({{"BM", 64}}).has_value());
  CHECK(space.nearest({{"BM", 70}, {"BN", 1}}) == *space.point_of({{"BM", 64}, {"BN", 8}}));
  for (const Point& near : space.neighbours(point)) {
    int steps = 0;
    for (std::size_t d = 0; d < near.size(); ++d) steps += std::abs(near[d] - point[d]);
    CHECK(steps == 1);
    CHECK(space.examine(near).pruned.empty());
  }
}
