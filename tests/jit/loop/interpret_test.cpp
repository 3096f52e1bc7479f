// Owns the tests of the interpreter: what instructions compute, and each kind of finding on the smallest program that
// has it.
#include <array>

#include "tests/jit/loop/gate.hpp"

using namespace gate;
using F = loop::Finding;

namespace {

// Runs a program on one array of 64-bit words, given as global memory at frame word 0.
template <class T, std::size_t N>
loop::Report run(const std::string& text, std::array<T, N>& memory, loop::InterpretOptions options = {},
                 bool written = true, std::uint64_t word = 0) {
  const std::uint64_t frame[] = {reinterpret_cast<std::uint64_t>(memory.data()), word};
  const loop::Memory given[] = {{memory.data(), static_cast<std::int64_t>(sizeof memory), written, true}};
  return loop::interpret(program(text), frame, given, options);
}

std::string cpu(const std::string& body, const std::string& before = "") {
  return "program p machine cpu\nbuffer X i64 global word 0\n" + before +
         "\nentry e(%first: i64, %end: i64) {\n%0 = constant i64 0\n%one = constant i64 1\n" + body + "\n}\n";
}

std::string gpu(const std::string& machine, const std::string& body, const std::string& before = "", int warps = 2) {
  return "program p machine " + machine + "\nattribute warps " + std::to_string(warps) +
         "\nbuffer X i32 global word 0\n" + before +
         "\nentry e(%first: i64, %end: i64) {\n%0 = constant i64 0\n%one = constant i64 1\n%lane = place_id i64 "
         "lane\n%warp = place_id i64 warp\n%width = constant i64 32\n"
         "%start = mul i64 %warp, %width\n%t = add i64 %start, %lane\n" +
         body + "\n}\n";
}

bool finds(const loop::Report& r, F::Kind kind) {
  const bool found = r.has(kind);
  if (!found) MESSAGE(all(r));
  return found;
}

}  // namespace

TEST_CASE("interpret: scalars, vectors, control flow, calls") {
  std::array<std::int64_t, 16> x{};
  for (int i = 0; i < 16; ++i) x[static_cast<std::size_t>(i)] = i * i;
  const auto report = run(cpu(R"(
  %four = constant i64 4
  %minus = constant i64 -7
  %v = load i64<4> X[%four]
  %w = call i64<4> turned(%v)
  %sum = reduce_add i64 %w
  store X[%0], %sum
  %q = floor_div i64 %minus, %four
  %r = floor_rem i64 %minus, %four
  store X[%one], %q
  %two = constant i64 2
  store X[%two], %r
  %n, %steps = while (%a = %sum, %s = %0) {
    %more = gt b8 %a, %one
    yield %more, %a, %s
  } do (%b, %s2) {
    %odd = and i64 %b, %one
    %is_odd = eq b8 %odd, %one
    %next = if i64 %is_odd {
      %three = constant i64 3
      %up = mul i64 %b, %three
      %up1 = add i64 %up, %one
      yield %up1
    } else {
      %half = div i64 %b, %two
      yield %half
    }
    %s3 = add i64 %s2, %one
    yield %next, %s3
  }
  %three = constant i64 3
  store X[%three], %steps
  %index = iota i64<4>
  %g = gather i64<4> X[%four], %index
  %mask = gt b8<4> %g, %v
  %eight = constant i64 8
  scatter.masked X[%eight], %index, %v, %mask
  %twelve = constant i64 12
  fill X[%twelve], %four, %n
  %bad = lt b8 %n, %0
  fail "n is negative", %bad
  %good = eq b8 %n, %one
  fail "n is one", %good
  print "n = {}, v =", %n, %v
)",
                              R"(helper turned(%v: i64<4>) -> i64<4> {
  %r = shuffle i64<4> %v, %v imm [3, 2, 1, 4]
  yield %r
})"),
                          x);
  CHECK_MESSAGE(report.clean(), all(report));
  CHECK(x[0] == 49 + 36 + 25 + 16);
  CHECK(x[1] == -2);
  CHECK(x[2] == 1);
  int steps = 0;
  for (std::int64_t n = 126; n > 1; ++steps) n = n % 2 ? 3 * n + 1 : n / 2;
  CHECK(x[3] == steps);
  CHECK(x[8] == 64);
  CHECK(x[12] == 1);
  CHECK(x[15] == 1);
  CHECK(report.failures == std::vector<std::string>{"n is one"});
  CHECK(report.printed == "n = 1, v = 16 25 36 49\n");
}

TEST_CASE("interpret: conversions and packed elements") {
  std::array<std::uint64_t, 4> x{};
  const auto report = run(R"(program p machine cpu
buffer X f32 global word 0
buffer half e2m1 scratch
buffer six e3m2 scratch
entry e(%first: i64, %end: i64) {
  %0 = constant i64 0
  %n = constant i64 8
  alloc half, %n
  alloc six, %n
  %i = iota f32<8>
  %small = cast e2m1<8> %i
  store half[%0], %small
  %back = load e2m1<8> half[%0]
  %wide = cast f32<8> %back
  store X[%0], %wide
  %six_bits = cast e3m2<8> %i toward_zero
  store six[%0], %six_bits
  %three = constant i64 3
  %one = load e3m2 six[%three]
  %f = cast f32 %one
  store X[%three], %f
}
)",
                          x);
  CHECK_MESSAGE(report.clean(), all(report));
  float f[8];
  std::memcpy(f, x.data(), sizeof f);
  const float wanted[] = {0, 1, 2, 3, 4, 4, 6, 6};
  for (int i = 0; i < 8; ++i) CHECK(f[i] == wanted[i]);
}

TEST_CASE("interpret: memory that is not there, or was not written") {
  std::array<std::int64_t, 4> x{};
  CHECK(finds(run(cpu("%n = constant i64 4\n%v = load i64 X[%n]"), x), F::out_of_bounds));
  CHECK(finds(run(cpu("%n = constant i64 -1\nstore X[%n], %n"), x), F::out_of_bounds));
  CHECK(finds(run(cpu("%n = constant i64 3\n%v = load i64<2> X[%n]"), x), F::out_of_bounds));
  CHECK(finds(run(cpu("%v = load i64 X[%0]"), x, {}, false), F::unwritten));
  CHECK(run(cpu("store X[%0], %one\n%v = load i64 X[%0]"), x, {}, false).clean());
  CHECK(finds(run(cpu("%v = load i64 s[%0]", "buffer s i64 scratch"), x), F::misuse));
  CHECK(finds(run(cpu("alloc s, %one\n%v = load i64 s[%0]", "buffer s i64 scratch"), x), F::unwritten));
  CHECK(finds(run(cpu("%v = load i64 r[%0]", "buffer r i64 registers [4]"), x), F::unwritten));
  CHECK(finds(run(cpu("%w = word i64 99"), x), F::out_of_bounds));
  CHECK(finds(run(cpu("%v = load i64 Y[%0]", "buffer Y i64 global word 1"), x), F::out_of_bounds));
  CHECK(finds(run(cpu("for %i = %0 to %one step %0 { }"), x), F::misuse));
  CHECK(finds(run(cpu("while { %c = eq b8 %0, %0\n yield %c } do { }"), x, {.step_limit = 1000}), F::limit));
  const std::uint64_t frame[] = {reinterpret_cast<std::uint64_t>(x.data())};
  const loop::Memory constant[] = {{x.data(), sizeof x, true, false}};
  CHECK(loop::interpret(program(cpu("store X[%0], %one")), frame, constant).has(F::out_of_bounds));
  CHECK(loop::interpret(program(cpu("")), {}, constant).has(F::invalid));
}

TEST_CASE("interpret: executions race unless they write apart or by atomics") {
  std::array<std::int64_t, 4> x{};
  const loop::InterpretOptions four{.end = 4, .split = 1};
  CHECK(finds(run(cpu("store X[%0], %first"), x, four), F::race));
  CHECK(run(cpu("store X[%first], %first"), x, four).clean());
  CHECK(finds(run(cpu("%v = load i64 X[%0]\nstore X[%first], %v"), x, four), F::race));
  x = {};
  CHECK(run(cpu("%old = atomic i64 add device X[%0], %one"), x, four).clean());
  CHECK(x[0] == 4);
  CHECK(finds(run(cpu("%old = atomic i64 add device X[%0], %one\n%v = load i64 X[%0]"), x, four), F::race));
  // Publishing by a flag needs a fence on both sides.
  const std::string publish = R"(%is_0 = eq b8 %first, %0
if %is_0 {
  store X[%one], %one
  fence device
  %old = atomic i64 exchange device X[%0], %one
} else {
  while {
    %seen = atomic i64 add device X[%0], %0
    %none = eq b8 %seen, %0
    yield %none
  } do { }
  fence device
  %v = load i64 X[%one]
})";
  x = {};
  CHECK(run(cpu(publish), x, {.end = 2, .split = 1}).clean());
  x = {};
  CHECK(finds(run(cpu(change(publish, "  fence device", "")), x, {.end = 2, .split = 1}), F::race));
  x = {};
  CHECK(finds(run(cpu(change(publish, "  fence device", "", 1)), x, {.end = 2, .split = 1}), F::race));
}

TEST_CASE("interpret: a host function runs first") {
  std::array<std::int64_t, 4> x{};
  const auto report = run(cpu("%v = load i64 X[%0]\n%w = add i64 %v, %first\nstore X[%w], %w",
                              "host before() {\n%0 = constant i64 0\n%one = constant i64 1\nstore X[%0], %one\n}"),
                          x, {.end = 3, .split = 1}, false);
  CHECK_MESSAGE(report.clean(), all(report));
  CHECK(x[3] == 3);
}

TEST_CASE("interpret: mma.sync of sm_80, shuffles, and barriers of a warp") {
  const std::string text = R"(program p machine sm_80
attribute warps 1
layout a [16, 16]: registers d1 2 by 1, registers d0 2 by 8, registers d1 2 by 8, lane d1 4 by 2, lane d0 8 by 1
layout b [16, 16]: registers d0 2 by 1, registers d0 2 by 8, registers d1 2 by 8, lane d0 4 by 2, lane d1 8 by 1
layout c [16, 16]: registers d1 2 by 1, registers d0 2 by 8, registers d1 2 by 8, lane d1 4 by 2, lane d0 8 by 1
buffer A bf16 global word 0
buffer B bf16 global word 1
buffer C f32 global word 2
entry e(%first: i64, %end: i64) {
  %0 = constant i64 0
  %one = constant i64 1
  %n = constant i64 16
  %a = tile_load bf16@a A[%0, %n, %one]
  %b = tile_load bf16@b B[%0, %n, %one]
  %none = tile_zero f32@c
  %c = mma f32@c "m16n8k16" %a, %b, %none
  tile_store C[%0, %n, %one], %c
}
)";
  Matrix a(DType::bf16, 16, 16), b(DType::bf16, 16, 16), c(DType::f32, 16, 16);
  a.fill(1), b.fill(2);
  const std::uint64_t frame[] = {a.word(), b.word(), c.word()};
  const loop::Memory memory[] = {a.memory(true), b.memory(true), c.memory(false)};
  const auto report = loop::interpret(program(text), frame, memory);
  CHECK_MESSAGE(report.clean(), all(report));
  CHECK(wrong(a, b, c) == 0);

  std::array<std::int32_t, 64> x{};
  const std::string exchange =
      "%l = cast i32 %lane\n%thirty_one = constant i64 31\n%other = sub i64 %thirty_one, %lane\n%v = shuffle_lane i32 "
      "%l, %other\nstore X[%t], %v";
  CHECK(run(gpu("sm_80", exchange), x).clean());
  for (int i = 0; i < 64; ++i) CHECK(x[static_cast<std::size_t>(i)] == 31 - i % 32);
  CHECK(
      finds(run(gpu("sm_80", "%half = constant i64 16\n%low = lt b8 %lane, %half\nif %low {\n" + exchange + "\n}"), x),
            F::deadlock));

  const std::string neighbour =
      "%l = cast i32 %t\nstore s[%t], %l\nbarrier warp 0\n%n = xor i64 %t, %one\n%v = load i32 s[%n]\nstore X[%t], %v";
  CHECK(run(gpu("sm_80", neighbour, "buffer s i32 shared [64]"), x).clean());
  CHECK(x[7] == 6);
  const auto without = run(gpu("sm_80", change(neighbour, "barrier"), "buffer s i32 shared [64]"), x);
  CHECK((without.has(F::race) || without.has(F::unwritten)));
}

TEST_CASE("interpret: copies in flight") {
  std::array<std::int32_t, 128> x{};
  for (int i = 0; i < 128; ++i) x[static_cast<std::size_t>(i)] = i;
  const std::string shared = "buffer s i32 shared [64]";
  const std::string copy =
      "%sixty_four = constant i64 64\n%from = add i64 %t, %sixty_four\ncopy_async s[%t] from X[%from] box "
      "[1]\nwait_copy imm [0]\n%v = load i32 s[%t]\nstore X[%t], %v";
  CHECK(run(gpu("sm_80", copy, shared), x).clean());
  CHECK(x[5] == 69);
  for (std::uint64_t seed = 1; seed < 5; ++seed)
    CHECK(finds(run(gpu("sm_80", change(copy, "wait_copy"), shared), x, {.seed = seed}), F::missing_wait));
  // A box over the edge: what lies beyond comes as zeros.
  const std::string box = R"(%is_0 = eq b8 %t, %0
if %is_0 {
  %eight = constant i64 8
  %two = constant i64 2
  %three = constant i64 3
  copy_async.masked s[%0] from X[%0, %eight], %two, %three box [4, 4]
  wait_copy imm [0]
  %v = load i32<16> s[%0]
  store X[%0], %v
})";
  for (int i = 0; i < 128; ++i) x[static_cast<std::size_t>(i)] = i;
  CHECK(run(gpu("sm_90a", box, shared), x).clean());
  const int wanted[] = {0, 1, 2, 0, 8, 9, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (std::size_t i = 0; i < 16; ++i) CHECK(x[i] == wanted[i]);
  // Storing by a copy: plain stores need a fence before it, and it has to be waited for before the program ends.
  const std::string store = R"(%l = cast i32 %t
store s[%t], %l
fence program
barrier program 0
%is_0 = eq b8 %t, %0
if %is_0 {
  copy_async X[%0] from s[%0] box [64]
  wait_copy imm [0]
})";
  CHECK(run(gpu("sm_90a", store, shared), x).clean());
  CHECK(x[63] == 63);
  CHECK(finds(run(gpu("sm_90a", change(store, "fence program"), shared), x), F::missing_fence));
  CHECK(finds(run(gpu("sm_90a", change(store, "barrier program"), shared), x), F::race));
  CHECK(finds(run(gpu("sm_90a", change(store, "wait_copy"), shared), x), F::missing_wait));
}

TEST_CASE("interpret: programs of a grid race on global memory") {
  std::array<std::int32_t, 64> x{};
  CHECK(run(gpu("sm_80", "%l = cast i32 %t\nstore X[%t], %l"), x).clean());
  CHECK(finds(run(gpu("sm_80", "%l = cast i32 %t\nstore X[%t], %l"), x, {.end = 2}), F::race));
  CHECK(finds(run(gpu("sm_80", "%l = cast i32 %t\nstore X[%0], %l"), x), F::race));
}
