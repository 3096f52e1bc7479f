// Owns the tests of timing on this machine: what hangs, dies or is wrong is lost alone; in-place kernels tune safely.
#include "autotune/tune/worker_bench.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <thread>

#include "autotune/tune/tune.hpp"
#include "tessera/tessera.hpp"
#include "tests/support/skip.hpp"

namespace worker_test {
using namespace tessera;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"WAY"> WAY;

TESSERA_KERNEL(in_place)(Kernel k, InOut<f32, "N"> x) {
  auto n = k.block<"N">(BN);
  x(n) = x(n) * 3 + 1;
};
/// WAY 1 never ends; WAY 3 computes something else.
TESSERA_KERNEL(ways)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(BN);
  auto count = k.zeros<i64>();
  Var turns = count;
  auto way = cdiv(k.extent<"N">() * 0 + 12, WAY);  // 12, 6, 4
  while (k.loop(turns * way != 6 * way + (way - 6) * (way - 4) * (turns - 6 + 1))) turns += 1;
  y(n) = x(n) * cast<f32>(way - 5);
};
TESSERA_KERNEL(total)(Kernel k, In<f32, "N"> x, Out<f32> y) {
  auto s = k.index(WAY);
  auto part = cdiv(k.extent<"N">(), WAY);
  Var sum_ = k.zeros<f32>();
  for (auto n : k.blocks<"N">(BN, s * part, (s + 1) * part)) sum_ += sum<"N">(x(n));
  y() += sum_;
};
TESSERA_KERNEL(product)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(WAY), n = k.block<"N">(BN), i = k.all<"K">();
  c(m, n) = dot(a(m, i), b(i, n));
};

using autotune::Arrangement;
using autotune::Outcome;

/// A bench for a kernel on made data of these extents.
struct Setup {
  autotune::Job job;
  autotune::Problem problem;
  Arrangement arrangement;
  autotune::SharedMemory memory;
  autotune::WorkerBench bench;

  Setup(const ir::Program& program, const std::map<std::string, std::int64_t>& extents,
        autotune::WorkerOptions options = {})
      : job(autotune::Job::made_for(program, extents)),
        problem(program, job.frame, jit::find_target("cpu"), Config{.threads = 1}),
        arrangement(Arrangement::of(program, job.frame)),
        memory(2 * arrangement.bytes),
        bench((autotune::make_arrays(program, job.frame, arrangement, 1, memory.data()), problem), arrangement, memory,
              std::move(options)) {}
};

bool no_target() {
  std::string why;
  const auto targets = jit::targets();
  return targets.empty() || !targets.front()->available(why);
}

}  // namespace worker_test

using namespace worker_test;

TEST_CASE("worker: a configuration that hangs is lost alone, after its time limit") {
  if (no_target()) TESSERA_SKIP("no target");
  Setup s(decltype(ways)::program, {{"N", 100}}, {.seconds_each = 1.5});
  const auto states = s.bench.prepare(
      {{{"BN", 16}, {"WAY", 2}}, {{"BN", 16}, {"WAY", 1}}, {{"BN", 32}, {"WAY", 2}}, {{"BN", 32}, {"WAY", 3}}});
  REQUIRE(states.size() == 4);
  CHECK(states[0].outcome == Outcome::ok);
  CHECK(states[1].outcome == Outcome::timeout);
  CHECK(states[1].note == "it took more than 1.5 s");
  CHECK(states[2].outcome == Outcome::ok);
  CHECK(states[2].bits == states[0].bits);
  CHECK(states[3].outcome == Outcome::wrong);
  const auto seconds = s.bench.time({0, 1, 2});
  CHECK(seconds[0] > 0);
  CHECK(std::isnan(seconds[1]));
  CHECK(seconds[2] > 0);
  CHECK(s.bench.workers() == 2);
}

TEST_CASE(
    "worker: the tuner hides wrong configurations (triton#6547, #9230): they are found, and shown by an element") {
  if (no_target()) TESSERA_SKIP("no target");
  for (const bool interpret : {true, false}) {
    Setup s(decltype(ways)::program, {{"N", 100}}, {.interpret = interpret, .tunables = {16, 2}});
    const auto states = s.bench.prepare({{{"BN", 16}, {"WAY", 2}}, {{"BN", 32}, {"WAY", 3}}});
    CHECK(states[0].outcome == Outcome::ok);
    CHECK(states[1].outcome == Outcome::wrong);
    CHECK(states[1].note.starts_with("y(0) is "));
    CHECK(s.bench.reference().starts_with(interpret ? "the interpreter" : "the results of BN=16 WAY=2"));
  }
}

TEST_CASE("worker: a worker that dies takes one configuration along, the others go on") {
  if (no_target()) TESSERA_SKIP("no target");
  Setup s(decltype(ways)::program, {{"N", 100}}, {.seconds_each = 20});
  CHECK(s.bench.prepare({{{"BN", 16}, {"WAY", 2}}}).front().outcome == Outcome::ok);
  std::jthread killer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    kill(s.bench.worker(), SIGSEGV);
  });
  const auto states = s.bench.prepare({{{"BN", 16}, {"WAY", 1}}, {{"BN", 64}, {"WAY", 2}}});
  CHECK(states[0].outcome == Outcome::crashed);
  CHECK(states[0].note.starts_with("signal 11"));
  CHECK(states[1].outcome == Outcome::ok);
  CHECK(s.bench.time({0, 2})[1] > 0);
}

TEST_CASE("worker: in-place outputs are not corrupted (triton#781): every run starts from the same data") {
  if (no_target()) TESSERA_SKIP("no target");
  std::vector<float> x(1000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  const std::vector<float> before = x;
  const TuneResult r = tune(
      in_place,
      {.search = Search::exhaustive, .space = {{"BN", {16, 64, 256, 1000}}}, .config = {.threads = 1}, .keep = false})(
      view(x, {1000}));
  CHECK(x == before);
  CHECK(r.seconds > 0);
  CHECK(r.reference == "the interpreter, with its bounds of error for each element");
  for (const Trial& t : r.trials) {
    CHECK(t.outcome == "ok");  // results after hundreds of runs are those of one
    CHECK(t.runs >= 1);
  }
  in_place.with(r.config)(view(x, {1000}));
  CHECK(x[5] == 16);
}

TEST_CASE("worker: what += adds to starts at 0 in every run") {
  if (no_target()) TESSERA_SKIP("no target");
  Setup s(decltype(total)::program, {{"N", 5000}});
  const auto states = s.bench.prepare({{{"BN", 128}, {"WAY", 1}}, {{"BN", 128}, {"WAY", 4}}});
  CHECK(states[0].outcome == Outcome::ok);
  CHECK(states[1].outcome == Outcome::ok);
  const auto again = s.bench.time({0, 1, 0, 1});
  for (const double t : again) CHECK(t > 0);
}

TEST_CASE("worker: serial compilation while tuning (triton#4806): configurations compile side by side") {
  if (no_target()) TESSERA_SKIP("no target");
  Setup s(decltype(product)::program, {{"M", 64}, {"N", 64}, {"K", 64}}, {.compile_threads = 4});
  std::vector<std::vector<Tuned>> all;
  for (const std::int64_t m : {16, 24, 32, 64})
    for (const std::int64_t n : {16, 32}) all.push_back({{"WAY", m}, {"BN", n}});
  for (const auto& state : s.bench.prepare(all)) CHECK_MESSAGE(state.outcome == Outcome::ok, state.note);
  CHECK(s.bench.most_at_once() >= 2);
}

TEST_CASE("worker: one that cannot be started is said in one sentence") {
  if (no_target()) TESSERA_SKIP("no target");
  CHECK_THROWS_WITH_AS(Setup(decltype(in_place)::program, {{"N", 8}}, {.program = "/nowhere/worker"}),
                       doctest::Contains("/nowhere/worker cannot be started"), DeviceError);
}

TEST_CASE("worker: told to stop, it does not wait for what hangs") {
  if (no_target()) TESSERA_SKIP("no target");
  std::atomic<bool> stop = false;
  Setup s(decltype(ways)::program, {{"N", 100}}, {.seconds_each = 60, .stopped = [&] { return stop.load(); }});
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    stop = true;
  });
  const auto from = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(s.bench.prepare({{{"BN", 16}, {"WAY", 1}}}), autotune::Stopped);
  CHECK(std::chrono::steady_clock::now() - from < std::chrono::seconds(20));
}
