// Owns the tests of tuning as a whole: what is kept, reports, progress, made calls, bad input.
#include "autotune/tune/tune.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "autotune/tune/progress.hpp"
#include "autotune/tune/zero_shot.hpp"
#include "tessera/call/statistics.hpp"
#include "tests/autotune/tune/fake.hpp"
#include "tests/support/skip.hpp"

namespace {

using namespace tessera;
using autotune::Job;
using autotune::Timing;

inline constexpr Dim<"ROWS"> ROWS;
inline constexpr Dim<"COLUMNS"> COLUMNS;

TESSERA_KERNEL(weighted)(Kernel k, In<f32, "M", "N"> x, Scalar<f32> w, In<i32, "M"> from, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(ROWS), n = k.block<"N">(COLUMNS);
  y(m, n) = x(m, n) * w + x(from(m), n);
};
TESSERA_TUNE_SPACE(weighted, {ROWS, {1, 4, 16}}, {COLUMNS, {16, 64}});

TESSERA_KERNEL(row_sums)(Kernel k, In<f32, "M", "N"> x, InOut<f32, "M"> y) {
  auto m = k.block<"M">(ROWS), n = k.block<"N">(COLUMNS);
  y(m) += sum<"N">(x(m, n));
};
TESSERA_TUNE_SPACE(row_sums, {ROWS, {4, 16}}, {COLUMNS, {16, 64}});

constexpr const ir::Program& weighted_program = decltype(weighted)::program;

/// What was timed, in memory.
class Memory final : public autotune::History {
 public:
  std::vector<Timing> rows;
  std::vector<autotune::Neighbour> others;
  int chosen = -1;
  std::string mode;

  void open(const autotune::Problem&, const std::string& wanted) override { mode = wanted; }
  autotune::TunedKey key() const override {
    autotune::TunedKey key;
    key.extents = {{"M", 40}, {"N", 64}};
    return key;
  }
  std::vector<Timing> all() override { return rows; }
  std::vector<autotune::Neighbour> nearest(std::size_t) override { return others; }
  void record(const std::vector<Timing>& timings, int which) override {
    for (const Timing& t : timings) {
      std::erase_if(rows, [&](const Timing& r) {
        return autotune::text_of(r.configuration) == autotune::text_of(t.configuration);
      });
      rows.push_back(t);
    }
    chosen = which;
    for (Timing& r : rows)
      r.chosen = which >= 0 && autotune::text_of(r.configuration) ==
                                   autotune::text_of(timings[static_cast<std::size_t>(which)].configuration);
  }
  std::string place() const override { return "memory"; }
};

bool no_target() {
  std::string why;
  const auto targets = jit::targets();
  return targets.empty() || !targets.front()->available(why);
}

}  // namespace

TEST_CASE("tune: a second tuning times nothing; one more value times only what is new (triton#4020, #9822)") {
  if (no_target()) TESSERA_SKIP("no target");
  const Job job = Job::made_for(weighted_program, {{"M", 40}, {"N", 64}});
  Memory memory;
  TuneOptions options{.search = Search::exhaustive, .config = {.threads = 1}};
  const std::uint64_t before = counts().timed;
  const TuneResult first = autotune::tune(job, options, &memory);
  CHECK(first.timed == first.trials.size());
  CHECK(counts().timed == before + first.timed);
  CHECK(first.space >= 6);
  CHECK(first.reference == "the interpreter, with its bounds of error for each element");
  CHECK(memory.rows.size() == first.timed);
  const TuneResult second = autotune::tune(job, options, &memory);
  CHECK(second.timed == 0);
  CHECK(second.trials.size() == first.trials.size());
  CHECK(autotune::text_of(second.config.tunables) == autotune::text_of(first.config.tunables));
  options.space = {{ROWS, {1, 4, 16, 20}}};
  const TuneResult third = autotune::tune(job, options, &memory);
  const auto fresh = std::count_if(third.trials.begin(), third.trials.end(), [](const Trial& t) {
    return autotune::text_of(t.tunables).find("ROWS=20 ") != std::string::npos;
  });
  CHECK(fresh >= 2);
  CHECK(fresh <= 3);  // the values that are declared for COLUMNS, and the target's own
  CHECK(third.timed >= static_cast<std::size_t>(fresh));
  // The reference, the best of those known, and in the end another one whose earlier time is better than its new one.
  CHECK(third.timed <= static_cast<std::size_t>(fresh) + 3);
}

TEST_CASE("tune: deterministic tunes code of that mode, and only what has the default's bits competes") {
  if (no_target()) TESSERA_SKIP("no target");
  const Job job = Job::made_for(decltype(row_sums)::program, {{"M", 64}, {"N", 256}});
  const auto columns = [](const Trial& t) {
    for (const Tuned& one : t.tunables)
      if (one.name == "COLUMNS") return one.value;
    return std::int64_t(-1);
  };
  for (const Config& config : {Config{.threads = 1}, Config{.threads = 1, .numerics = Numerics::strict}}) {
    const bool strict = config.numerics == Numerics::strict;
    Memory memory;
    const TuneResult r = autotune::tune(
        job, {.search = Search::exhaustive, .space = {{COLUMNS, {16, 64}}}, .config = config, .deterministic = !strict},
        &memory);
    CHECK(memory.mode == (strict ? "strict" : "deterministic"));
    CHECK(r.config.deterministic == !strict);
    CHECK(r.config.numerics == config.numerics);
    std::size_t others = 0;
    for (const Trial& t : r.trials) {  // a sum for each block: its length shows
      const bool same = columns(t) == columns(r.trials.front());
      others += same ? 0 : 1;
      CHECK(t.outcome == (same ? "ok" : "wrong"));
      if (!same) CHECK(t.note.rfind("deterministic: ", 0) == 0);
    }
    CHECK(others > 0);
  }
}

TEST_CASE("tune: starts from what was best for the nearest shapes") {
  if (no_target()) TESSERA_SKIP("no target");
  const Job job = Job::made_for(weighted_program, {{"M", 40}, {"N", 64}});
  const auto tried = [&](const TuneResult& r, const std::string& text) {
    return std::any_of(r.trials.begin(), r.trials.end(), [&](const Trial& t) {
      return autotune::text_of(t.tunables).find(text) != std::string::npos && t.runs > 0;
    });
  };
  // Two configurations: the target's own choice, and the best of a neighbour, whatever it is.
  for (const std::int64_t rows : {1, 16}) {
    Memory memory;
    autotune::Neighbour n{memory.key(), {}, 0.7};
    n.key.extents["M"] = 60;
    n.best.configuration = {{"ROWS", rows}, {"COLUMNS", 16}};
    memory.others = {n};
    const TuneResult r = autotune::tune(job, {.configurations = 2, .config = {.threads = 1}}, &memory);
    CHECK(r.trials.size() == 2);
    CHECK(tried(r, "ROWS=" + std::to_string(rows) + " COLUMNS=16"));
  }
}

TEST_CASE("tune: the report is one page that needs nothing else") {
  if (no_target()) TESSERA_SKIP("no target");
  const std::string path =
      std::filesystem::temp_directory_path() / ("tessera_report_" + std::to_string(getpid()) + ".html");
  const Job job = Job::made_for(weighted_program, {{"M", 40}, {"N", 64}}, {{"w", 0.5}});
  const TuneResult r = autotune::tune(job, {.config = {.threads = 1}, .report = path}, nullptr);
  std::stringstream page;
  page << std::ifstream(path).rdbuf();
  std::filesystem::remove(path);
  for (const char* part :
       {"<h1>weighted</h1>", "Configurations against time", "Roofline", "Tried", "M=40", "the interpreter"})
    CHECK_MESSAGE(page.str().find(part) != std::string::npos, part);
  for (const char* part : {"http", "src=", "href="}) CHECK(page.str().find(part) == std::string::npos);
  CHECK(page.str().find(autotune::text_of(r.config.tunables)) != std::string::npos);
  CHECK_THROWS_WITH_AS(autotune::tune(job, {.config = {.threads = 1}, .report = "/nowhere/x.html"}, nullptr),
                       "tuning: the report /nowhere/x.html cannot be written", UserError);
}

TEST_CASE("tune: bad options and calls are refused in one sentence, before anything runs") {
  CHECK_THROWS_WITH_AS(Job::made_for(weighted_program, {{"M", 40}}),
                       "weighted: extent N is not given\n  hint: N=… gives it", UserError);
  CHECK_THROWS_WITH_AS(Job::made_for(weighted_program, {{"M", 40}, {"N", 2}, {"Q", 1}}),
                       "weighted: there is no extent Q\n  hint: there are M, N", UserError);
  CHECK_THROWS_WITH_AS(Job::made_for(weighted_program, {{"M", -1}, {"N", 2}}),
                       "weighted: extent M is -1\n  hint: extents are 0 or more", UserError);
  CHECK_THROWS_WITH_AS(Job::made_for(weighted_program, {{"M", 40}, {"N", 2}}, {{"v", 1}}),
                       "weighted: there is no scalar v", UserError);
  CHECK_THROWS_AS(Job::made_for(weighted_program, {{"M", std::int64_t{1} << 40}, {"N", std::int64_t{1} << 40}}),
                  UserError);
  if (no_target()) TESSERA_SKIP("no target");
  const Job job = Job::made_for(weighted_program, {{"M", 4}, {"N", 4}});
  CHECK_THROWS_WITH_AS(autotune::tune(job, {.seconds = 0}, nullptr),
                       "weighted: tuning: a budget of 0 s\n  hint: more than 0", UserError);
  CHECK_THROWS_AS(autotune::tune(job, {.config = {.target = "moon"}}, nullptr), UserError);
  CHECK_THROWS_AS(autotune::tune(job, {.config = {.features = "mmx"}}, nullptr), UserError);
  CHECK_THROWS_AS(autotune::tune(job, {.config = {.tunables = {{"BQ", 1}}}}, nullptr), UserError);
}

TEST_CASE("tune: a fixed tunable stays, and the result runs") {
  if (no_target()) TESSERA_SKIP("no target");
  std::vector<float> x(40 * 64, 2), y(40 * 64);
  std::vector<std::int32_t> from(40, 3);
  const TuneResult r = tune(weighted, {.config = {.tunables = {{"ROWS", 5}}, .threads = 1}, .keep = false})(
      view(x, {40, 64}), 3.0f, view(from, {40}), view(y, {40, 64}));
  CHECK(y[7] == 0);  // the caller's arrays are not touched
  const auto rows =
      std::find_if(r.config.tunables.begin(), r.config.tunables.end(), [](const Tuned& t) { return t.name == "ROWS"; });
  REQUIRE(rows != r.config.tunables.end());
  CHECK(rows->value == 5);
  weighted.with(r.config)(view(x, {40, 64}), 3.0f, view(from, {40}), view(y, {40, 64}));
  CHECK(y[7] == 8);
}

TEST_CASE("tune: progress is lines where there is no terminal, and a bar on one") {
  for (const bool terminal : {false, true}) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    autotune::ProgressWriter writer("gemm", ends[1], terminal);
    TuneProgress p{3, 8, 1.5, 18.5, 0, 0, "", "compiling"};
    writer.show(p);
    p.best = 1.25e-3, p.initial = 2.5e-3, p.configuration = "BM=64", p.stage = "racing";
    writer.show(p);
    writer.show(p);  // nothing new
    close(ends[1]);
    std::array<char, 4096> buffer{};
    const ssize_t n = read(ends[0], buffer.data(), buffer.size());
    close(ends[0]);
    const std::string text(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    CHECK(text.find("best 1.25 ms by BM=64 (2.00 × the default)") != std::string::npos);
    if (terminal)
      CHECK(text.find("█") != std::string::npos);
    else
      CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  }
}

TEST_CASE("zero-shot: a neighbour's choice where the model agrees; the target's own where it objects") {
  const fake::Target target(fake::valley);
  autotune::Space space = fake::space(target);
  autotune::TunedKey here, there;
  here.extents = {{"M", 1024}, {"N", 1024}};
  there.extents = {{"M", 512}, {"N", 1024}};
  autotune::Neighbour n{there, {}, 1};
  n.best.configuration = {{"BM", 64}, {"BN", 16}};
  CHECK(autotune::text_of(autotune::zero_shot(space, here, {n}).tunables) == "BM=64 BN=16");
  n.best.configuration = {{"BM", 8}, {"BN", 128}};  // the model finds it three times as slow
  CHECK(autotune::text_of(autotune::zero_shot(space, here, {n}).tunables) == "BM=32 BN=32");
  CHECK(autotune::text_of(autotune::zero_shot(space, here, {}).tunables) == "BM=32 BN=32");
  CHECK(autotune::text_of(autotune::moved({{"BM", 512}, {"BN", 16}}, there, here)) == "BM=1024 BN=16");
}
