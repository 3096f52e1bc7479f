// Owns the tests of `expand`: tiles become vectors, as many as they should, and compute the same.
#include <array>

#include "jit/loop/expand.hpp"
#include "tests/jit/loop/gate.hpp"

using namespace gate;

namespace {

int count(const loop::Region& r, loop::Op op, int deeper_than = 0, int depth = 0) {
  int n = 0;
  for (const loop::Inst& i : r.body) {
    n += i.op == op && depth >= deeper_than;
    for (const loop::Region& inner : i.regions) n += count(inner, op, deeper_than, depth + 1);
  }
  return n;
}

const loop::Function& function(const loop::Program& p, const std::string& name) {
  for (const loop::Function& f : p.functions)
    if (f.name == name) return f;
  FAIL("there is no function ", name);
  return p.functions[0];
}

loop::Program expanded(const loop::Program& p) {
  const loop::Expanded e = loop::expand(p);
  REQUIRE_MESSAGE(e.error.empty(), e.error);
  const auto problems = loop::verify(e.program);
  REQUIRE_MESSAGE(problems.empty(), ((problems.empty() ? std::string() : problems[0]) + "\n" + loop::print(e.program)));
  CHECK(loop::print(loop::parse(loop::print(e.program)).program) == loop::print(e.program));
  for (const loop::Function& f : e.program.functions)
    for (const loop::Type& t : f.types) CHECK(t.layout == -1);
  return e.program;
}

void same_gemm(const loop::Program& p, std::int64_t m, std::int64_t n, std::int64_t k) {
  Matrix a(DType::f32, m, k, 1), b(DType::f32, k, n), c(DType::f32, m, n, 3);
  a.fill(5), b.fill(6);
  const std::uint64_t frame[] = {a.word(),
                                 b.word(),
                                 c.word(),
                                 static_cast<std::uint64_t>(m),
                                 static_cast<std::uint64_t>(n),
                                 static_cast<std::uint64_t>(k),
                                 static_cast<std::uint64_t>(a.stride),
                                 static_cast<std::uint64_t>(b.stride),
                                 static_cast<std::uint64_t>(c.stride)};
  const loop::Memory memory[] = {a.memory(true), b.memory(true), c.memory(false)};
  const auto report = loop::interpret(p, frame, memory);
  CHECK_MESSAGE(report.clean(), all(report));
  CHECK(wrong(a, b, c) == 0);
}

}  // namespace

TEST_CASE("expand: the 8x48 block is 24 fma, 8 broadcasts and 3 vector loads a step") {
  const loop::Program p = expanded(program(read("cpu_gemm_8x48.loop")));
  const loop::Region& body = function(p, "multiply").body;
  CHECK(count(body, loop::Op::fma) == 24);
  CHECK(count(body, loop::Op::broadcast, 1) == 8);
  CHECK(count(body, loop::Op::load) == 11);
  CHECK(count(body, loop::Op::store) == 24);
  CHECK(count(body, loop::Op::mma) == 0);
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{8, 48, 3}, {13, 53, 9}, {1, 1, 1}, {17, 49, 0}})
    same_gemm(p, m, n, k);
}

TEST_CASE("expand: 8 lanes, and a column held in one register") {
  std::string text = read("cpu_gemm_8x48.loop");
  text = change(text, "layout columns", "layout columns [1, 48]: lane d1 8 by 1, registers d1 6 by 8");
  text = change(text, "layout block", "layout block [8, 48]: lane d1 8 by 1, registers d1 6 by 8, registers d0 8 by 1");
  text = change(text, "layout rows", "layout rows [8, 1]: lane d0 8 by 1");
  const loop::Program p = expanded(program(text));
  CHECK(count(function(p, "multiply").body, loop::Op::fma) == 48);
  CHECK(count(function(p, "multiply").body, loop::Op::load) == 7);
  same_gemm(program(text), 11, 50, 5);
  same_gemm(p, 11, 50, 5);
}

TEST_CASE("expand: loads by any stride, masks in both dimensions, maps, loops that unroll, tiles across calls") {
  const char* text = R"(program several machine cpu
layout square [4, 8]: lane d0 4 by 1, registers d1 8 by 1
layout folded [4, 8]: lane d1 4 by 2, lane d0 2 by 2, registers d1 2 by 1, registers d0 2 by 1
buffer X f32 global word 0 read_only
buffer Y f32 global word 1
helper twice(%t: f32@folded, %by: f32) -> f32@folded, f32 {
  %r = map_tile f32@folded (%x = %t) {
    %y = mul f32 %x, %by
    %zero = constant f32 0.0
    %some = gt b8 %y, %zero
    %z = select f32 %some, %y, %zero
    yield %z
  }
  yield %r, %by
}
entry main(%first: i64, %end: i64) {
  %0 = constant i64 0
  %one = constant i64 1
  %eight = constant i64 8
  %two = constant f32 2.0
  %rows = word i64 2
  %columns = word i64 3
  %t = tile_load.masked f32@square X[%0, %eight, %one], %rows, %columns
  tile_store.masked Y[%0, %eight, %one], %t, %rows, %columns
  %u = tile_load f32@folded Y[%0, %eight, %one]
  %r, %by = call f32@folded, f32 twice(%u, %two)
  %four = constant i64 4
  %sum = for.unroll %i = %0 to %four step %one (%a = %r) {
    %n = map_tile f32@folded (%x = %a, %y = %r) {
      %s = add f32 %x, %y
      %off = load f32 X[%0]
      %d = sub f32 %s, %off
      yield %d
    }
    yield %n
  }
  %many = constant i64 32
  tile_store Y[%many, %one, %four], %sum
}
)";
  const loop::Program p = program(text), q = expanded(p);
  Matrix x(DType::f32, 4, 8);
  x.fill(9);
  std::vector<float> results[2];
  for (int k = 0; k < 2; ++k) {
    for (const auto& [rows, columns] : {std::pair{3, 5}, {4, 8}, {0, 8}, {1, 1}}) {
      std::vector<float> y(64, 7.0f);
      const std::uint64_t frame[] = {x.word(), reinterpret_cast<std::uint64_t>(y.data()),
                                     static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns)};
      const loop::Memory memory[] = {x.memory(true), {y.data(), 256, true, true}};
      const auto report = loop::interpret(k ? q : p, frame, memory);
      CHECK_MESSAGE(report.clean(), all(report));
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 8; ++j) {
          const double in = i < rows && j < columns ? x.at(i, j) : 7.0, relu = std::max(in * 2, 0.0);
          CHECK(y[static_cast<std::size_t>(i * 8 + j)] == in);
          CHECK(y[static_cast<std::size_t>(32 + i + 4 * j)] == 5 * relu - 4 * x.at(0, 0));
        }
      results[k].insert(results[k].end(), y.begin(), y.end());
    }
  }
  CHECK(results[0] == results[1]);
}

TEST_CASE("expand: what is not for a CPU is refused") {
  CHECK(loop::expand(program(read("gfx942_gemm.loop"))).error ==
        "gfx942_gemm: only programs for a CPU are expanded, not for gfx942");
}
