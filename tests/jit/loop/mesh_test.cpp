// Owns the gate's CSL program: SUMMA on a 2×2 mesh with sends and receives on colours, whole and broken.
#include "tests/jit/loop/gate.hpp"

using namespace gate;

namespace {

loop::Report run(const std::string& text, std::uint64_t seed, int* off = nullptr) {
  const loop::Program p = program(text);
  Matrix a(DType::f32, 8, 8), b(DType::f32, 8, 8), c(DType::f32, 8, 8);
  a.fill(1), b.fill(2);
  const std::uint64_t frame[] = {a.word(), b.word(), c.word()};
  const loop::Memory memory[] = {a.memory(true), b.memory(true), c.memory(false)};
  loop::InterpretOptions options;
  options.seed = seed;
  const auto report = loop::interpret(p, frame, memory, options);
  if (off) *off = wrong(a, b, c);
  return report;
}

}  // namespace

TEST_CASE("gate: SUMMA on a 2x2 mesh computes under every schedule") {
  const std::string text = read("csl_summa.loop");
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    int off = -1;
    const auto report = run(text, seed, &off);
    CHECK_MESSAGE(report.clean(), all(report));
    CHECK(off == 0);
  }
}

TEST_CASE("gate: defects of SUMMA are found") {
  using F = loop::Finding;
  const std::string text = read("csl_summa.loop");
  SUBCASE("a receive left out") {
    const auto report =
        run(change(text, "recv a_0_1, a_in", "    if %no { recv a_0_1, a_in[%zero], %n }\n").replace(0, 0, ""), 1);
    CHECK(report.has(F::deadlock));
  }
  SUBCASE("a send left out") {
    CHECK(run(change(text, "send a_0_0", "    if %no { send a_0_0, a[%zero], %n }"), 1).has(F::deadlock));
  }
  SUBCASE("an element's own tile left out") { CHECK(run(change(text, "call own_b()"), 1).has(F::unwritten)); }
  SUBCASE("one colour for a row and a column of one element") {
    const auto report = run(change(text, "channel b_0_0", "channel b_0_0 depth 4 producers 1 consumers 1 colour 0"), 1);
    CHECK_MESSAGE(report.has(F::misuse), all(report));
  }
  SUBCASE("two receivers where there is one") {
    const auto report =
        run(change(text, "recv b_0_0", "    recv a_0_0, b_in[%zero], %n\n if %no { recv b_0_0, b_in[%zero], %n }"), 1);
    CHECK_MESSAGE((report.has(F::misuse) || report.has(F::deadlock)), all(report));
  }
  SUBCASE("a receive of more than was sent") {
    const auto report =
        run(change(text, "recv a_0_0", "    %more = add i64 %n, %n\n    recv a_0_0, a_in[%zero], %more"), 1);
    CHECK_MESSAGE(report.has(F::deadlock), all(report));
  }
}
