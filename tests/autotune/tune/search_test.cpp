// Owns the tests of the searches, with simulated times: what is found, at what cost, and that runs agree.
#include "autotune/tune/search.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/autotune/tune/fake.hpp"

using namespace tessera;
using autotune::Outcome;
using autotune::SearchResult;

namespace {

std::string winner(const autotune::Space& space, const SearchResult& r) {
  return r.winner < 0 ? "none" : autotune::text_of(space.tunables(r.tried[static_cast<std::size_t>(r.winner)].point));
}

/// A search with noise of 2 % and some outliers; the model that ranks is `model`.
struct Run {
  fake::Target target;
  autotune::Space space;
  fake::Bench bench;
  autotune::SearchOptions options;
  SearchResult result;

  explicit Run(fake::Model model = fake::valley, std::uint64_t seed = 1, const std::vector<Candidates>& given = {})
      : target(std::move(model)), space(fake::space(target, given)), bench(fake::valley, 0.02, seed) {}
  std::string operator()() {
    result = autotune::search(space, bench, options);
    return winner(space, result);
  }
};

std::vector<autotune::Timing> rows(const autotune::Space& space, const SearchResult& r) {
  std::vector<autotune::Timing> all;
  for (const autotune::Tried& t : r.tried)
    all.push_back({space.tunables(t.point),
                   t.outcome,
                   t.seconds.middle,
                   t.seconds.low,
                   t.seconds.high,
                   t.runs,
                   t.bits,
                   t.note,
                   {},
                   0,
                   false});
  return all;
}

double wrong_model(const std::vector<Tuned>& t) {  // believes in small tiles
  return 1e-6 * static_cast<double>(fake::value(t, "BM") * fake::value(t, "BN"));
}

}  // namespace

TEST_CASE("search: exhaustive finds the best, and counts what it tries") {
  Run run;
  run.options.kind = Search::exhaustive;
  CHECK(run() == "BM=64 BN=16 fake.unroll=4");
  CHECK(run.result.stopped == "every configuration was tried");
  std::size_t legal = 0;
  for (const auto& [point, examined] : run.space.examined()) legal += examined.pruned.empty();
  CHECK(run.result.tried.size() == legal);
}

TEST_CASE("search: guided finds the best with few configurations") {
  Run run;
  CHECK(run() == "BM=64 BN=16 fake.unroll=4");
  CHECK(run.result.tried.size() <= 8);
}

TEST_CASE("search: guided descends where the model is wrong") {
  Run run(wrong_model);
  run.options.configurations = 40;
  CHECK(run() == "BM=64 BN=16 fake.unroll=4");
}

TEST_CASE("search: random tries as many as it may, the same ones for a seed") {
  std::set<std::string> first;
  for (int repeat = 0; repeat < 2; ++repeat) {
    Run run(fake::valley, static_cast<std::uint64_t>(repeat));
    run.options.kind = Search::random;
    run.options.configurations = 12;
    run();
    CHECK(run.result.tried.size() == 12);
    std::set<std::string> tried;
    for (const auto& t : run.result.tried) tried.insert(autotune::text_of(run.space.tunables(t.point)));
    if (repeat == 0)
      first = tried;
    else
      CHECK(tried == first);
  }
}

TEST_CASE("search: a budget in seconds ends it") {
  Run run;
  run.options.kind = Search::exhaustive;
  run.options.seconds = 1;
  run();
  CHECK(run.result.stopped == "the budget of 1 s is spent");
  CHECK(run.bench.clock < 1.8);  // the batch at hand is finished
  CHECK(run.result.winner >= 0);
}

TEST_CASE("search: non-deterministic winners (triton#9368): runs agree although timings differ and tie") {
  const auto flat = [](const std::vector<Tuned>&) { return 1e-3; };  // everything ties
  std::set<std::string> winners, valleys;
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    Run tied(fake::valley, seed);
    tied.bench = fake::Bench(flat, 0.02, seed);
    winners.insert(tied());
    valleys.insert(Run(fake::valley, seed)());
  }
  CHECK(winners.size() == 1);
  CHECK(*winners.begin() == "BM=32 BN=32");  // what ties stays with the target's own choice
  CHECK(valleys.size() == 1);
}

TEST_CASE("search: one more value re-tunes only what is new (triton#9822)") {
  const std::vector<Candidates> before{{fake::BM, {16, 32, 64}}, {"fake.unroll", {0}}};
  const std::vector<Candidates> after{{fake::BM, {16, 32, 64, 96}}, {"fake.unroll", {0}}};
  Run first(fake::valley, 1, before);
  first.options.kind = Search::exhaustive;
  first();
  Run second(fake::valley, 2, after);
  second.options.kind = Search::exhaustive;
  second.options.known = rows(first.space, first.result);
  second();
  std::size_t added = 0;
  for (const auto& t : second.result.tried)
    added += fake::value(second.space.tunables(t.point), "BM") == 96 && t.number >= 0;
  CHECK(added == 3);                        // BN = 8, 16, 32; more elements are not expected
  CHECK(second.result.timed <= added + 2);  // the reference, and the best so far, which defends itself
  CHECK(second.result.tried.size() == first.result.tried.size() + added);
}

TEST_CASE("search: what is known needs no timing at all") {
  Run first;
  first();
  Run second(fake::valley, 2);
  second.options.known = rows(first.space, first.result);
  CHECK(second() == winner(first.space, first.result));
  CHECK(second.result.timed == 0);
  CHECK(second.bench.samples == 0);
}

TEST_CASE("search: upgrades that invert optima (triton#9757, #11373): hints are timed, not believed") {
  Run run;
  run.options.hints = {{{"BM", 8}, {"BN", 128}}};  // was best before; it is the worst now
  CHECK(run() == "BM=64 BN=16 fake.unroll=4");
  const auto hinted = std::find_if(run.result.tried.begin(), run.result.tried.end(), [&](const auto& t) {
    return autotune::text_of(run.space.tunables(t.point)) == "BM=8 BN=128";
  });
  REQUIRE(hinted != run.result.tried.end());
  CHECK(hinted->runs >= 1);
}

TEST_CASE("search: what is lost is reported, and costs no other configuration anything (triton#6547, #9230)") {
  Run run;
  run.bench.prepared = [](const std::vector<Tuned>& t) {
    autotune::Prepared p;
    if (fake::value(t, "BM") == 64 && fake::value(t, "fake.unroll") == 4)
      p = {Outcome::wrong, "y(3, 1) is 7, not 8", ""};
    if (fake::value(t, "BM") == 128) p = {Outcome::crashed, "signal 11", ""};
    return p;
  };
  run.options.kind = Search::exhaustive;
  CHECK(run() == "BM=64 BN=16");
  std::size_t wrong = 0, crashed = 0;
  for (const auto& t : run.result.tried) {
    wrong += t.outcome == Outcome::wrong && t.note == "y(3, 1) is 7, not 8" && t.runs == 0;
    crashed += t.outcome == Outcome::crashed && t.note == "signal 11";
  }
  CHECK(wrong == 4);
  CHECK(crashed == 6);
}

TEST_CASE("search: deterministic, only bitwise equal results compete") {
  Run run;
  run.options.deterministic = true;
  run.options.kind = Search::exhaustive;
  run.bench.prepared = [](const std::vector<Tuned>& t) {
    return autotune::Prepared{Outcome::ok, "", std::to_string(fake::value(t, "BN"))};  // the order hangs on BN
  };
  CHECK(run() == "BM=64 BN=32 fake.unroll=4");
  for (const auto& t : run.result.tried)
    if (fake::value(run.space.tunables(t.point), "BN") != 32) CHECK(t.outcome == Outcome::wrong);
}

TEST_CASE("search: everything lost is no winner") {
  Run run;
  run.bench.prepared = [](const std::vector<Tuned>&) { return autotune::Prepared{Outcome::crashed, "signal 6", ""}; };
  CHECK(run() == "none");
  CHECK(run.result.stopped == "every configuration was lost");
}
