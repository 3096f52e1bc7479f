// The printer: what the text form looks like, word by word; parse_test.cpp reads it back.
#include "tessera/ir/text.hpp"

#include <doctest/doctest.h>

#include <string>

#include "make.hpp"
#include "tessera/ir/canonical.hpp"

using namespace ir_test;

namespace {

TEST_CASE("a whole program") {
  ir::Storage s = gemm();
  s.lines.clear();
  CHECK(ir::to_text(s.view()) == R"(tessera_ir 1
kernel "gemm"
extents M, K, N
tunables BM, BK
arg in f32 a[M, K]
arg in f32 b[K, N]
arg out f32 c[M, N]
axis M grid %1 extent M
axis N grid %3 extent N
axis K loop %9 extent K
body
%0 = tunable i64 {tunable BM} uniform
%1 = grid_block i64[M] %0
%2 = literal i64 {bits 0x20}  # 32
%3 = grid_block i64[N] %2
%4 = literal f32 {bits 0x0}  # 0
%5 = broadcast f32[M, N] %4
%6 = var f32[M, N] %5
%7 = tunable i64 {tunable BK} uniform
for_blocks
  %9 = loop_block i64[K] %7
  %10 = get f32[M, N] %6
  %11 = load f32[M, K] %1, %9 {array a}
  %12 = load f32[K, N] %9, %3 {array b}
  %13 = dot f32[M, N] %11, %12
  %14 = add f32[M, N] %10, %13
  set f32[M, N] %6, %14
end
%17 = get f32[M, N] %6
%18 = eq b8[M, N] %17, %17
check b8 %18 {text "no NaN"}
store f32[M, N] %1, %3, %17 {array c}
)");
}

std::string line(Op op, DType type, std::int64_t imm) {
  Make p("k");
  p.extent("M", -1, 3);
  p.arg(ir::Effect::out, DType::f32, "x y");
  p.node(op, type, {}, {}, imm);
  p.s.lines.clear();
  return ir::to_text(p.s.view(), 0);
}

TEST_CASE("fields") {
  CHECK(line(Op::extent, DType::i64, 0) == "%0 = extent i64 {extent M-1/3}\n");
  CHECK(line(Op::literal, DType::f16, 0x3e00) == "%0 = literal f16 {bits 0x3e00}  # 1.5\n");
  CHECK(line(Op::literal, DType::f32, 0xff800000) == "%0 = literal f32 {bits 0xff800000}  # -inf\n");
  CHECK(line(Op::literal, DType::f64, 0x3fb999999999999a) ==
        "%0 = literal f64 {bits 0x3fb999999999999a}  # 0.10000000000000001\n");
  CHECK(line(Op::literal, DType::i8, -3) == "%0 = literal i8 {bits 0xfffffffffffffffd}  # -3\n");
  CHECK(line(Op::literal, DType::u8, -3) == "%0 = literal u8 {bits 0xfffffffffffffffd}  # 253\n");
  CHECK(line(Op::cast, DType::f16, 0) == "%0 = cast f16\n");
  CHECK(line(Op::cast, DType::f16, 3) == "%0 = cast f16 {rounding stochastic, saturation standard}\n");
  CHECK(line(Op::load, DType::f32, 0) == "%0 = load f32 {array \"x y\"}\n");
  CHECK(line(Op::atomic, DType::f32, std::int64_t{7} << 32) == "%0 = atomic f32 {array \"x y\", kind add}\n");
  CHECK(line(Op::param, DType::f32, 0) == "%0 = param f32 {number 0}\n");
  CHECK(line(Op::end, DType::i64, 0) == "end\n");
  // What does not verify prints all the same.
  CHECK(line(Op::load, DType::f32, 8) == "%0 = load f32 {imm 0x8}\n");
  CHECK(line(Op::add, DType::f32, 8) == "%0 = add f32 {imm 0x8}\n");
  CHECK(line(static_cast<Op>(255), static_cast<DType>(99), 0) == "?255 ?99\n");
}

TEST_CASE("names that are no words are quoted, names that are shared are numbered") {
  ir::Storage s = medley();
  const std::string text = ir::to_text(s.view());
  CHECK(text.find("axis N.1 all %") != std::string::npos);
  CHECK(text.find("axis N.3 grown %") != std::string::npos);
  CHECK(text.find("parent N.1\n") != std::string::npos);
  CHECK(text.find("arg shared f32 -.5[M]\n") != std::string::npos);
  CHECK(text.find("{text \"limit is \\\"positive\\\"\\n\"}") != std::string::npos);
}

}  // namespace
