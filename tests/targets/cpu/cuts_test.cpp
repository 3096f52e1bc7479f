// Tests the tile sizes that the CPU target chooses where the caller gives none.
#include "targets/cpu/plan/cuts.hpp"

#include <map>
#include <string>

#include "targets/cpu/plan/plan.hpp"
#include "tests/kernels/kernels.hpp"
#include "tests/targets/cpu/support.hpp"

namespace {

std::map<std::string, std::int64_t> cuts_of(const ir::Program& p, std::map<std::string, std::int64_t> extents,
                                            std::vector<std::optional<std::int64_t>> given = {}) {
  std::vector<std::int64_t> values;
  for (const ir::Extent& e : p.extents)
    values.push_back((extents.at(std::string(p.str(e.base))) + e.plus + e.divide - 1) / e.divide);
  if (given.empty()) given.resize(p.tunables.size());
  const cpu::Machine machine;  // AVX2, 512 KiB of second-level cache, one thread
  const cpu::Cuts cuts = cpu::choose_cuts(p, values, given, machine);
  std::map<std::string, std::int64_t> named;
  for (std::size_t i = 0; i < p.tunables.size(); ++i) named[std::string(p.str(p.tunables[i].name))] = cuts.tunables[i];
  return named;
}

}  // namespace

TEST_CASE("tiles of two grid axes: whole rows first, and as many as the second cache holds") {
  const auto near = cuts_of(heat_steps<1>.program, {{"Y", 427}, {"X", 640}});
  CHECK(near.at("BN") == 640);
  CHECK(near.at("BM") >= 16);
  const auto far = cuts_of(heat_steps<4>.program, {{"Y", 427}, {"X", 640}});
  CHECK(far.at("BN") == 640);
  CHECK(far.at("BM") >= 16);
  CHECK(far.at("BM") * far.at("BN") * 8 <= 256 << 10);

  const auto wide = cuts_of(heat_steps<4>.program, {{"Y", 100}, {"X", 1 << 20}});
  CHECK(wide.at("BN") >= 1024);
  CHECK(wide.at("BN") < 1 << 20);
  CHECK(wide.at("BM") >= 8);

  // A cut that the caller gives is his.
  const auto given = cuts_of(heat_steps<4>.program, {{"Y", 427}, {"X", 640}}, {5, std::nullopt});
  CHECK(given.at("BM") == 5);
}

TEST_CASE("a loop while any lane goes on takes no more lanes than two vectors") {
  const auto cuts = cuts_of(mandelbrot.program, {{"Y", 1024}, {"X", 1536}});
  CHECK(cuts.at("BM") == 1);
  CHECK(cuts.at("BN") == 16);
}

TEST_CASE("elementwise kernels take everything in one go") {
  const auto cuts = cuts_of(five_point.program, {{"Y", 427}, {"X", 640}});
  CHECK(cuts.at("BM") == 427);
  CHECK(cuts.at("BN") == 640);
}

TEST_CASE("a span is a block of rows like those of a grid") {
  const auto cuts = cuts_of(moe.program, {{"T", 4096}, {"E", 8}, {"K", 1024}, {"N", 1024}});
  CHECK(cuts.at("BM") >= 96);
  CHECK(cuts.at("BN") == 1024);
}
