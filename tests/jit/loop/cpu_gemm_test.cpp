// Owns the gate's first program: an 8×48 CPU GEMM with packing and masked edges, and what its defects are reported as.
#include "tests/jit/loop/gate.hpp"

using namespace gate;

namespace {

loop::Report run(const loop::Program& p, Matrix& a, Matrix& b, Matrix& c) {
  const std::uint64_t frame[] = {a.word(),
                                 b.word(),
                                 c.word(),
                                 static_cast<std::uint64_t>(c.rows),
                                 static_cast<std::uint64_t>(c.columns),
                                 static_cast<std::uint64_t>(a.columns),
                                 static_cast<std::uint64_t>(a.stride),
                                 static_cast<std::uint64_t>(b.stride),
                                 static_cast<std::uint64_t>(c.stride)};
  const loop::Memory memory[] = {a.memory(true), b.memory(true), c.memory(false)};
  return loop::interpret(p, frame, memory);
}

}  // namespace

TEST_CASE("gate: the 8x48 CPU GEMM computes on whole and ragged extents") {
  const loop::Program p = program(read("cpu_gemm_8x48.loop"));
  const std::int64_t extents[][3] = {{8, 48, 4}, {16, 96, 7}, {1, 1, 1}, {13, 53, 9}, {9, 100, 1}, {3, 47, 0}};
  for (const auto& [m, n, k] : extents) {
    Matrix a(DType::f32, m, k, 1), b(DType::f32, k, n, 3), c(DType::f32, m, n, 2);
    a.fill(1), b.fill(2);
    const auto report = run(p, a, b, c);
    CHECK_MESSAGE(report.clean(), all(report));
    CHECK(wrong(a, b, c) == 0);
  }
}

TEST_CASE("gate: defects of the CPU GEMM are found") {
  const std::string text = read("cpu_gemm_8x48.loop");
  Matrix a(DType::f32, 13, 9), b(DType::f32, 9, 53), c(DType::f32, 13, 53);
  a.fill(3), b.fill(4);
  SUBCASE("packing left out") {
    const auto report = run(program(change(text, "call pack_a")), a, b, c);
    CHECK(report.has(loop::Finding::unwritten));
  }
  SUBCASE("masks left out") {
    std::string unmasked = change(text, "tile_store.masked", "  tile_store C[%c, %ldc, %one], %sum");
    const auto report = run(program(unmasked), a, b, c);
    CHECK(report.has(loop::Finding::out_of_bounds));
  }
  SUBCASE("a mask that lets in what is not packed") {
    const auto report =
        run(program(change(text, "%x = load.masked f32<16>", "      %x = load f32<16> B[%from]")), a, b, c);
    CHECK(report.has(loop::Finding::out_of_bounds));
  }
  SUBCASE("panels too small") {
    const auto report = run(program(change(text, "alloc packed_b", "  alloc packed_b, %size_a")), a, b, c);
    CHECK(report.has(loop::Finding::out_of_bounds));
  }
  SUBCASE("two executions that write the same C race") {
    const std::uint64_t frame[] = {a.word(), b.word(), c.word(), 13, 53, 9, 9, 53, 53};
    const loop::Memory memory[] = {a.memory(true), b.memory(true), c.memory(false)};
    loop::InterpretOptions options;
    options.end = 2, options.split = 1;
    CHECK(loop::interpret(program(text), frame, memory, options).has(loop::Finding::race));
  }
}
