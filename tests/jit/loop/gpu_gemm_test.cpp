// Owns the gate's GPU programs: a warp-specialised sm_90a GEMM and a gfx942 MFMA GEMM, under many schedules, whole and
// broken.
#include "tests/jit/loop/gate.hpp"

using namespace gate;

namespace {

loop::Report run(const loop::Program& p, std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t programs,
                 std::uint64_t seed, int* off = nullptr) {
  Matrix a(DType::f16, m, k), b(DType::f16, n, k), c(DType::f32, m, n);
  a.fill(1), b.fill(2);
  const std::uint64_t frame[] = {a.word(),
                                 b.word(),
                                 c.word(),
                                 static_cast<std::uint64_t>(m),
                                 static_cast<std::uint64_t>(n),
                                 static_cast<std::uint64_t>(k)};
  const loop::Memory memory[] = {a.memory(true), b.memory(true), c.memory(false)};
  loop::InterpretOptions options;
  options.end = programs;
  options.seed = seed;
  options.finding_limit = 4;
  const auto report = loop::interpret(p, frame, memory, options);
  if (off) *off = wrong(a, b, c, true);
  return report;
}

void finds(const std::string& text, std::int64_t m, std::int64_t n, std::int64_t k,
           std::initializer_list<loop::Finding::Kind> kinds) {
  const auto report = run(broken(text), m, n, k, 1, 7);
  CHECK_MESSAGE(std::any_of(kinds.begin(), kinds.end(), [&](auto kind) { return report.has(kind); }), all(report));
}

}  // namespace

TEST_CASE("gate: the sm_90a GEMM computes under every schedule") {
  const loop::Program p = program(read("sm90a_gemm.loop"));
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    int off = -1;
    const auto report = run(p, 128, 64, 256, 1, seed, &off);
    CHECK_MESSAGE(report.clean(), all(report));
    CHECK(off == 0);
  }
  int off = -1;
  const auto report = run(p, 256, 128, 64, 4, 5, &off);
  CHECK_MESSAGE(report.clean(), all(report));
  CHECK(off == 0);
}

TEST_CASE("gate: defects of the sm_90a GEMM are found") {
  using F = loop::Finding;
  const std::string text = read("sm90a_gemm.loop");
  SUBCASE("no acquire") { finds(change(text, "acquire ring"), 128, 64, 256, {F::race, F::missing_wait, F::misuse}); }
  SUBCASE("no wait") {
    finds(change(text, "wait ring", "    %never = lt b8 %s, %zero\n if %never { wait ring[%s] }"), 128, 64, 256,
          {F::missing_wait});
  }
  SUBCASE("a wait for another slot") {
    finds(change(text, "wait ring", "    wait ring[%zero]"), 128, 64, 128, {F::missing_wait});
  }
  SUBCASE("no wait_mma before release") { finds(change(text, "wait_mma"), 128, 64, 256, {F::missing_wait}); }
  SUBCASE("wait_mma that leaves one in flight") {
    finds(change(text, "wait_mma", "    wait_mma imm [1]"), 128, 64, 256, {F::missing_wait});
  }
  SUBCASE("no commit") {
    finds(change(text, "commit ring", "        %never = lt b8 %s, %zero\n if %never { commit ring[%s] }"), 128, 64, 128,
          {F::deadlock});
  }
  SUBCASE("no release") {
    finds(change(text, "release ring", "    %never = lt b8 %s, %zero\n if %never { release ring[%s] }"), 128, 64, 256,
          {F::deadlock});
  }
  SUBCASE("a slot too few arrivals") {
    finds(change(text, "channel ring", "channel ring depth 2 producers 1 consumers 128 bytes 24576"), 128, 64, 256,
          {F::missing_wait, F::race, F::misuse});
  }
  SUBCASE("more arrivals than lanes") {
    finds(change(text, "channel ring", "channel ring depth 2 producers 1 consumers 257 bytes 24576"), 128, 64, 256,
          {F::deadlock});
  }
  SUBCASE("fewer bytes than the boxes bring") { finds(change(text, "copy_async smem_b"), 128, 64, 128, {F::deadlock}); }
  SUBCASE("both consumers store one half") {
    finds(change(text, "call consume(%n_block", "    call consume(%zero, %row, %column, %steps)"), 128, 64, 64,
          {F::race});
  }
}

TEST_CASE("gate: the gfx942 GEMM computes under every schedule") {
  const loop::Program p = program(read("gfx942_gemm.loop"));
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    int off = -1;
    const auto report = run(p, 64, 64, 64, 1, seed, &off);
    CHECK_MESSAGE(report.clean(), all(report));
    CHECK(off == 0);
  }
  int off = -1;
  const auto report = run(p, 128, 64, 32, 2, 9, &off);
  CHECK_MESSAGE(report.clean(), all(report));
  CHECK(off == 0);
}

TEST_CASE("gate: defects of the gfx942 GEMM are found") {
  using F = loop::Finding;
  const std::string text = read("gfx942_gemm.loop");
  SUBCASE("no barrier before the stores") { finds(change(text, "barrier program 0"), 64, 64, 48, {F::race}); }
  SUBCASE("no barrier after the stores") {
    finds(change(text, "barrier program 1"), 64, 64, 48, {F::race, F::unwritten});
  }
  SUBCASE("a barrier of single warps") {
    finds(change(text, "barrier program 1", "      barrier warp 1"), 64, 64, 48, {F::race, F::unwritten});
  }
  SUBCASE("a barrier that only some reach") {
    finds(change(text, "barrier program 1",
                 "      %w = place_id i64 warp\n %c = eq b8 %w, %zero\n if %c { barrier program 1 }"),
          64, 64, 48, {F::deadlock, F::race});
  }
  SUBCASE("LDS too small") {
    finds(change(text, "buffer lds_b", "buffer lds_b f16 shared [64, 16]"), 64, 64, 16, {F::out_of_bounds});
  }
  SUBCASE("fragments that do not meet") {
    finds(change(text, "layout b_part",
                 "layout b_part [16, 64]: registers d0 4 by 1, registers d0 2 by 8, lane d1 32 by 1, lane d0 2 by 4, "
                 "warp d1 2 by 32, warp d1 2 by 0"),
          64, 64, 16, {F::invalid});
  }
}
