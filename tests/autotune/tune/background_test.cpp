// Owns the tests of tuning in the background: calls do not wait, later calls use what was found, the end ends it.
#include "autotune/tune/background.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "autotune/store/tuned_key.hpp"
#include "autotune/tune/tune.hpp"
#include "autotune/tune/worker_bench.hpp"
#include "jit/runtime/launch.hpp"
#include "tessera/call/statistics.hpp"
#include "tessera/tessera.hpp"
#include "tests/support/skip.hpp"

namespace {

using namespace tessera;

inline constexpr Dim<"ROWS"> ROWS;
inline constexpr Dim<"COLUMNS"> COLUMNS;

TESSERA_KERNEL(blended)(Kernel k, In<f32, "M", "N"> x, In<f32, "M", "N"> z, Scalar<f32> w, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(ROWS), n = k.block<"N">(COLUMNS);
  y(m, n) = x(m, n) * w + z(m, n);
};
TESSERA_TUNE_SPACE(blended, {ROWS, {1, 8}}, {COLUMNS, {16, 64}});

constexpr const ir::Program& blended_program = decltype(blended)::program;

bool no_target() {
  std::string why;
  const auto targets = jit::targets();
  return targets.empty() || !targets.front()->can_compile(why);
}

struct Arrays {
  std::int64_t m, n;
  std::vector<float> x, z, y;

  Arrays(std::int64_t rows, std::int64_t columns)
      : m(rows), n(columns), x(static_cast<std::size_t>(m * n), 2), z(x.size(), 1), y(x.size()) {}
  bool right(const Config* config = nullptr) {
    std::fill(y.begin(), y.end(), 0.0f);
    if (config)
      blended.with (*config)(view(x, {m, n}), view(z, {m, n}), 3.0f, view(y, {m, n}));
    else
      blended(view(x, {m, n}), view(z, {m, n}), 3.0f, view(y, {m, n}));
    return std::all_of(y.begin(), y.end(), [](float v) { return v == 7; });
  }
};

autotune::TunedKey key_of(std::int64_t m, std::int64_t n, int threads = 0) {
  const autotune::Job job = autotune::Job::made_for(blended_program, {{"M", m}, {"N", n}});
  const jit::Target& target = jit::find_target("");
  return autotune::tuned_key(blended_program, job.frame.data(), target, target.features().front(), threads);
}

/// What code made last for the kernel was made with.
std::string last_choices() {
  std::string choices;
  for (const Compilation& c : compilations())
    if (c.kernel == "blended") choices = c.choices;
  return choices;
}

constexpr BackgroundTuning at_once{.seconds = 30, .configurations = 4, .idle = false};
constexpr double long_enough = 180;

}  // namespace

TEST_CASE("background: a call is served at once and tuned meanwhile; later calls use what was found") {
  if (no_target()) TESSERA_SKIP("no target that compiles");
  autotune::TunedStore& store = autotune::TunedStore::process();
  Arrays a(96, 320);
  const Config one_thread{.threads = 1};
  for (const Config* config : {static_cast<const Config*>(nullptr), &one_thread}) {
    const autotune::TunedKey key = key_of(96, 320, config ? 1 : 0);
    (void)store.clear([&](const autotune::TunedKey& k) { return k.kernel == "blended"; });
    const Counts before = counts();
    tune_in_background(at_once);
    CHECK(a.right(config));
    REQUIRE(wait_for_tuning(long_enough));
    tune_in_background({.on = false});
    const auto best = store.best(key);
    REQUIRE(best);
    CHECK(best->chosen);
    CHECK(counts().timed >= before.timed + 2);
    CHECK(counts().timed <= before.timed + 4);
    std::string tiles;
    for (const char* name : {"ROWS", "COLUMNS"})
      for (const Tuned& t : best->configuration)
        if (t.name == name) tiles += (tiles.empty() ? "" : " ") + t.name + "=" + std::to_string(t.value);
    CHECK(last_choices() == tiles);
    const Counts after = counts();
    CHECK(a.right(config));
    CHECK(counts().compiled == after.compiled);  // the better code was there: no call waited for it
  }
}

TEST_CASE("background: what is measured is not measured again, and nothing is asked where it is off") {
  if (no_target()) TESSERA_SKIP("no target that compiles");
  Arrays a(64, 128);
  const std::uint64_t before = counts().timed;
  CHECK(a.right());
  CHECK(wait_for_tuning(0));
  CHECK(counts().timed == before);
  autotune::Timing known;
  known.configuration = {{"ROWS", 8}, {"COLUMNS", 64}};
  known.seconds = known.low = known.high = 1e-6;
  (void)autotune::TunedStore::process().record(key_of(64, 136), {known});
  Arrays b(64, 136);
  tune_in_background(at_once);
  CHECK(b.right());
  CHECK(wait_for_tuning(0));
  tune_in_background({.on = false});
  CHECK(counts().timed == before);
  CHECK(last_choices() == "ROWS=8 COLUMNS=64");
}

TEST_CASE("background: a child of a fork tunes by itself") {
  if (no_target()) TESSERA_SKIP("no target that compiles");
  tune_in_background(at_once);
  const pid_t child = fork();
  if (child == 0) {
    Arrays a(80, 48);
    const Config config{.threads = 1};
    const bool good = a.right(&config) && wait_for_tuning(long_enough) &&
                      autotune::TunedStore::process().best(key_of(80, 48, 1)) && a.right(&config);
    _exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CHECK(wait_for_tuning(0));
  tune_in_background({.on = false});
}

TEST_CASE("background: stopping ends what is under way at once, and leaves nothing half done") {
  if (no_target()) TESSERA_SKIP("no target that compiles");
  autotune::TunedStore& store = autotune::TunedStore::process();
  Arrays a(512, 512);
  tune_in_background({.seconds = 1000, .idle = false});
  CHECK(a.right());
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto from = std::chrono::steady_clock::now();
  tune_in_background({.on = false});
  CHECK(std::chrono::steady_clock::now() - from < std::chrono::seconds(5));  // it plans a point to its end
  CHECK(wait_for_tuning(0));
  const auto best = store.best(key_of(512, 512));
  CHECK((!best || best->chosen));
  CHECK(a.right());
}

TEST_CASE("renew: an address without a kernel is nothing") {
  const ir::Program gone = blended_program;
  CHECK(jit::renew(&gone, blended_program, {}, 0) == 0);
}
