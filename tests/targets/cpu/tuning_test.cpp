// Owns the tests of what a tuner asks of the CPU: candidates, choices and their legality, predicted times.
#include "targets/cpu/tuning.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "jit/loop/work.hpp"
#include "targets/cpu/plan/plan.hpp"
#include "tessera/tessera.hpp"

namespace tuning {
using namespace tessera;
inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

TESSERA_KERNEL(product)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var sum = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) sum += dot(a(m, i), b(i, n));
  c(m, n) = sum;
};
TESSERA_KERNEL(twice)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(BN);
  y(n) = x(n) * 2;
};

/// A request for exact extents, in the order of the program, of dense arrays.
jit::PlanRequest request(const ir::Program& p, const std::vector<std::int64_t>& extents,
                         std::vector<std::int64_t> tunables, std::vector<Tuned> choices = {}) {
  const auto layout = call::frame_layout(p);
  std::vector<std::uint64_t> frame(layout.words(), 0);
  for (std::size_t i = 0; i < extents.size(); ++i)
    frame[layout.extent_word(i)] = static_cast<std::uint64_t>(extents[i]);
  for (std::size_t a = 0; a < layout.args; ++a) {
    std::int64_t stride = 1;
    for (int d = p.args[a].rank; d-- > 0;) {
      const auto at = static_cast<std::size_t>(p.args[a].first_extent + d);
      frame[layout.stride_word(at)] = static_cast<std::uint64_t>(stride);
      stride *= extents[static_cast<std::size_t>(p.arg_extents[at])];
    }
  }
  jit::SpecialisationPolicy policy;
  jit::PlanRequest r{p, policy.next(p, frame.data(), 0), std::move(tunables), std::move(choices), "avx2", 1, false};
  return r;
}

jit::Estimate predict(const jit::PlanRequest& r) {
  cpu::Machine machine;
  machine.blocks = cpu::blocks_of(r.choices);
  return cpu::estimate(r, cpu::plan(r.program, r.known, r.tunables, machine), machine);
}

}  // namespace tuning

using namespace tuning;
constexpr const ir::Program& product_program = decltype(product)::program;  // extents: M, K, N
constexpr const ir::Program& twice_program = decltype(twice)::program;

TEST_CASE("tuning: a product's operations and bytes are counted where blocks are whole") {
  const jit::Estimate e = predict(request(product_program, {96, 128, 64}, {96, 64, 128}));
  CHECK(e.operations == doctest::Approx(2.0 * 96 * 128 * 64).epsilon(0.01));
  CHECK(e.bytes == doctest::Approx(4.0 * (96 * 128 + 128 * 64 + 96 * 64)));
  CHECK_FALSE(e.guessed);
}

TEST_CASE("tuning: rests are counted as they are") {
  const jit::Estimate e = predict(request(product_program, {97, 129, 65}, {40, 65, 129}));
  CHECK(e.operations >= 2.0 * 97 * 129 * 65);
  CHECK(e.operations <= 2.0 * 97 * 129 * 65 * 1.35);  // the last vector of a row computes lanes that are not there
}

TEST_CASE("tuning: predictions order what is plainly different") {
  const double whole = predict(request(product_program, {512, 512, 512}, {512, 512, 512})).seconds;
  CHECK(whole > 2.0 * 512 * 512 * 512 / 110e9);
  CHECK(whole < 2.0 * 512 * 512 * 512 / 40e9);
  CHECK(predict(request(product_program, {512, 512, 512}, {1, 512, 512})).seconds > 1.5 * whole);
  CHECK(predict(request(product_program, {512, 512, 512}, {512, 512, 512}, {{"cpu.rows", 1}})).seconds > 1.3 * whole);
  const double small = predict(request(twice_program, {1 << 12}, {1 << 12})).seconds;
  const double large = predict(request(twice_program, {1 << 24}, {1 << 24})).seconds;
  CHECK(large > 8000 * small);  // 4096 times the bytes, and these come from memory
  CHECK(predict(request(twice_program, {1 << 20}, {1})).seconds >
        1.1 * predict(request(twice_program, {1 << 20}, {4096})).seconds);
}

TEST_CASE("tuning: equal predictions at any time, and equal programs have one fingerprint") {
  const jit::PlanRequest r = request(product_program, {300, 200, 100}, {64, 64, 64});
  CHECK(predict(r).seconds == predict(r).seconds);
  cpu::Machine machine;
  const auto plan = [&](std::vector<std::int64_t> tunables) {
    return loop::fingerprint(cpu::plan(r.program, r.known, tunables, machine));
  };
  CHECK(plan({64, 64, 64}) == plan({64, 64, 64}));
  CHECK(plan({64, 64, 64}) != plan({32, 64, 64}));
}

TEST_CASE("tuning: candidates follow the extents of the call") {
  const auto values = cpu::cut_candidates(product_program, request(product_program, {100, 50, 7}, {1, 1, 1}).known);
  REQUIRE(values.size() == 3);
  CHECK(values[0] == std::vector<std::int64_t>{16, 24, 32, 48, 64, 96, 100});
  CHECK(values[1] == std::vector<std::int64_t>{7});
  CHECK(values[2] == std::vector<std::int64_t>{16, 24, 32, 48, 50});
}

TEST_CASE("tuning: choices are the target's, and what cannot be is refused in one sentence") {
  cpu::Machine machine;
  CHECK(cpu::block_choices(request(twice_program, {10}, {10}), machine).empty());
  CHECK(cpu::block_choices(request(product_program, {8, 8, 8}, {8, 8, 8}), machine).size() == 4);
  CHECK(cpu::illegal_choice({{"cpu.kc", 128}, {"cpu.rows", 4}, {"cpu.vectors", 3}}, machine).empty());
  CHECK(cpu::illegal_choice({{"cpu.rows", 6}, {"cpu.vectors", 3}}, machine) ==
        "configuration: a register block of 6 rows by 3 vectors needs 22 registers, and there are 16");
  CHECK(cpu::illegal_choice({{"cpu.colour", 1}}, machine)
            .starts_with("configuration: target cpu has no choice cpu.colour"));
  CHECK(cpu::illegal_choice({{"cpu.kc", -1}}, machine).starts_with("configuration: cpu.kc is -1"));
}

TEST_CASE("tuning: a call takes the target's choices among its tunables") {
  std::vector<float> a(40 * 30, 1), b(30 * 20, 2), c(40 * 20);
  const auto call = [&](Config config) {
    return product.with(config).try_call(view(a, {40, 30}), view(b, {30, 20}), view(c, {40, 20}));
  };
  if (call(Config{.target = "cpu"}).kind() == ErrorKind::device) return;
  for (const std::int64_t rows : {1, 3, 4, 12}) {
    std::fill(c.begin(), c.end(), 0.0f);
    CHECK(call(
        Config{.tunables = {{"cpu.rows", rows}, {"cpu.vectors", 1}, {"cpu.kc", 16}, {"cpu.mc", 8}}, .target = "cpu"}));
    CHECK(std::all_of(c.begin(), c.end(), [](float x) { return x == 60.0f; }));
  }
  CHECK(call(Config{.tunables = {{"cpu.colour", 3}}, .target = "cpu"}).text() ==
        "product: configuration: target cpu has no choice cpu.colour");
}
