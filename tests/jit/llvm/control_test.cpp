// Tests loops, branches, calls, frame words, reports to the runtime, refusals, and what the machine code looks like.
#include <doctest/doctest.h>

#include "tessera/call/errors.hpp"
#include "tests/jit/llvm/harness.hpp"

using namespace emit_test;
using loop::Op;
using Values = loop::Builder::Values;

namespace {

// The instruction `op` alone in a program, which is not well formed.
loop::Program alone(Op op) {
  loop::Program p;
  p.name = "refused";
  loop::Function f;
  f.name = "entry";
  f.kind = loop::FunctionKind::entry;
  f.types = {{}, {}};
  f.body.params = {0, 1};
  loop::Inst inst;
  inst.op = op;
  f.body.body.push_back(inst);
  f.body.body.emplace_back().op = Op::yield;
  p.functions.push_back(f);
  return p;
}

// What the emitter itself says to it, without the verifier before it.
std::string refusal(Op op) {
  const loop::Program p = alone(op);
  jit::CompileRequest request;
  request.program = &p;
  return jit::llvm_backend().compile(request).error;
}

}  // namespace

TEST_CASE("for loops: guarded, counted, unrolled, empty, nested, with carried values") {
  for (const std::string& features : runnable())
    for (std::int64_t n : {0, 1, 2, 7}) {
      Array out(DType::i64, Bits(8, 0));
      Fixture f;
      const int c = f.array(out);
      f.frame.push_back(static_cast<std::uint64_t>(n));
      loop::Builder& b = f.b;
      const loop::Value hi = b.word(1);
      const auto sum = [&](loop::Value lo, loop::Value end, loop::Value step) {
        return b.for_loop(lo, end, step, {b.integer(100)}, [&](loop::Value i, std::span<const loop::Value> v) {
          return Values{b.add(v[0], b.mul(i, i))};
        })[0];
      };
      b.store(c, b.integer(0), sum(b.integer(0), hi, b.integer(1)));
      b.store(c, b.integer(1), sum(hi, b.integer(20), b.integer(3)));
      b.store(c, b.integer(2), sum(b.integer(2), b.integer(11), b.integer(2)));
      b.store(c, b.integer(3), sum(b.integer(0), b.integer(0), b.integer(1)));
      const auto nested = b.for_loop(b.integer(0), hi, b.integer(1), {b.integer(0), b.integer(1)},
                                     [&](loop::Value i, std::span<const loop::Value> v) {
                                       const loop::Value x = v[0], y = v[1];
                                       return b.for_loop(b.integer(0), i, b.integer(1), {x, y},
                                                         [&](loop::Value j, std::span<const loop::Value> w) {
                                                           return Values{w[1], b.add(w[0], j)};  // they change places
                                                         });
                                     });
      b.store(c, b.integer(4), nested[0]);
      b.store(c, b.integer(5), nested[1]);
      b.finish();
      f.run(features);
      const Bits got = out.values();
      std::int64_t want[6] = {100, 100, 100 + 4 + 16 + 36 + 64 + 100, 100, 0, 1};
      for (std::int64_t i = 0; i < n; ++i) want[0] += i * i;
      for (std::int64_t i = n; i < 20; i += 3) want[1] += i * i;
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < i; ++j) {
          const std::int64_t x = want[4];
          want[4] = want[5];
          want[5] = x + j;
        }
      for (std::size_t i = 0; i < 6; ++i) CHECK(static_cast<std::int64_t>(got[i]) == want[i]);
    }
}

TEST_CASE("a loop marked for unrolling is written out") {
  loop::Program p;
  p.name = "unrolled";
  Array out(DType::f32, Bits(4, 0));
  Fixture f;
  const int c = f.array(out);
  f.b.for_loop(f.b.integer(0), f.b.integer(4), f.b.integer(1),
               [&](loop::Value i) { f.b.store(c, i, f.b.cast(i, DType::f32)); });
  f.b.finish();
  for (loop::Inst& inst : f.program.functions[0].body.body)
    if (inst.op == Op::for_loop) inst.flags |= loop::flag_unroll;
  const auto compiled = f.compile("sse2");
  compiled->entry()(f.frame.data(), 0, 1, &f.context);
  for (std::size_t i = 0; i < 4; ++i) CHECK(out.values()[i] == bits(static_cast<float>(i)));
  CHECK(compiled->ir().find("phi") == std::string::npos);
}

TEST_CASE("while loops and branches") {
  for (const std::string& features : runnable())
    for (std::int64_t start : {1, 6, 27}) {
      Array out(DType::i64, Bits(3, 0));
      Fixture f;
      const int c = f.array(out);
      f.frame.push_back(static_cast<std::uint64_t>(start));
      loop::Builder& b = f.b;
      // Collatz: how many steps to 1.
      const auto r = b.while_loop(
          {b.word(1), b.integer(0)},
          [&](std::span<const loop::Value> v) {
            return std::pair<loop::Value, Values>(b.compare(Op::ne, v[0], b.integer(1)), Values{v[0], v[1]});
          },
          [&](std::span<const loop::Value> v) {
            const loop::Value x = v[0];
            const loop::Value odd = b.compare(Op::ne, b.binary(Op::bit_and, x, b.integer(1)), b.integer(0));
            const Values next = b.if_else(
                odd, [&] { return Values{b.add(b.mul(x, b.integer(3)), b.integer(1))}; },
                [&] { return Values{b.binary(Op::floor_div, x, b.integer(2))}; });
            return Values{next[0], b.add(v[1], b.integer(1))};
          });
      b.store(c, b.integer(0), r[1]);
      b.if_then(b.compare(Op::gt, r[1], b.integer(50)), [&] { b.store(c, b.integer(1), b.integer(1)); });
      b.finish();
      f.run(features);
      std::int64_t steps = 0;
      for (std::int64_t x = start; x != 1; ++steps) x = x % 2 != 0 ? 3 * x + 1 : x / 2;
      CHECK(out.values()[0] == static_cast<std::uint64_t>(steps));
      CHECK(out.values()[1] == std::uint64_t(steps > 50));
    }
}

TEST_CASE("helpers take values, buffers and scratch, and return several values") {
  for (const std::string& features : runnable()) {
    Array in(DType::f32, patterns(DType::u8, 16)), out(DType::f32, Bits(16, 0));
    for (std::size_t i = 0; i < 16; ++i) store_packed(DType::f32, in.bytes.data(), i, bits(static_cast<float>(i)));
    Fixture f;
    const int a = f.array(in), c = f.array(out);
    f.frame.push_back(bits(0.5f));
    loop::Buffer scratch;
    scratch.name = "scratch";
    scratch.elem = DType::f32;
    const int s = f.b.buffer(scratch);
    const loop::Type v8{DType::f32, 8, -1}, scalar{DType::i64, 1, -1};
    {
      loop::Builder h(f.program, "double_and_count", loop::FunctionKind::helper);
      const loop::Value at = h.param(scalar), x = h.param(v8);
      h.store(s, at, h.mul(x, h.number(DType::f32, 8, 2.0)));
      const loop::Value half = h.broadcast(h.word(2, DType::f32), 8);
      h.finish({h.add(h.load(s, at, v8), half), h.add(at, h.integer(8)), h.load(a, at, v8)});
    }
    loop::Builder& b = f.b;
    b.alloc_first(s, b.integer(1000));
    b.for_loop(b.integer(0), b.integer(16), b.integer(8), [&](loop::Value i) {
      loop::Inst call;
      call.op = Op::call;
      call.text = "double_and_count";
      call.operands = {i, b.load(a, i, v8)};
      b.effect(call);
    });
    b.finish();
    // The builder writes calls without results: give this one its three, and use them.
    loop::Function& entry = f.program.functions.back();
    REQUIRE(entry.kind == loop::FunctionKind::entry);
    for (loop::Inst& inst : entry.body.body)
      if (inst.op == Op::for_loop) {
        auto& body = inst.regions[0].body;
        const auto first = static_cast<loop::Value>(entry.types.size());
        entry.types.insert(entry.types.end(), {v8, scalar, v8});
        loop::Inst store;
        store.op = Op::store;
        store.buffer = c;
        for (std::size_t i = 0; i < body.size(); ++i)
          if (body[i].op == Op::call) {
            body[i].results = {first, first + 1, first + 2};
            store.operands = {inst.regions[0].params[0], first};
            body.insert(body.begin() + static_cast<std::ptrdiff_t>(i) + 1, store);
            break;
          }
      }
    f.run(features);
    for (std::size_t i = 0; i < 16; ++i) CHECK(out.values()[i] == bits(static_cast<float>(i) * 2 + 0.5f));
  }
}

TEST_CASE("frame words of every type, and the range of programs") {
  Array out(DType::i64, Bits(8, 0));
  Fixture f;
  const int c = f.array(out);
  f.frame.insert(f.frame.end(), {bits(2.5f), bits(-2.5), static_cast<std::uint64_t>(-3), 1, 0x7fff});
  loop::Builder& b = f.b;
  b.store(c, b.integer(0), b.cast(b.mul(b.word(1, DType::f32), b.number(DType::f32, 1, 4)), DType::i64));
  b.store(c, b.integer(1), b.cast(b.mul(b.word(2, DType::f64), b.number(DType::f64, 1, 4)), DType::i64));
  b.store(c, b.integer(2), b.cast(b.word(3, DType::i8), DType::i64));
  b.store(c, b.integer(3), b.cast(b.word(4, DType::b8), DType::i64));
  b.store(c, b.integer(4), b.cast(b.word(5, DType::i4), DType::i64));
  b.store(c, b.integer(5), f.first);
  b.store(c, b.integer(6), f.end);
  b.finish();
  f.run(runnable().back(), 5, 9);
  const Bits got = out.values();
  CHECK(static_cast<std::int64_t>(got[0]) == 10);
  CHECK(static_cast<std::int64_t>(got[1]) == -10);
  CHECK(static_cast<std::int64_t>(got[2]) == -3);
  CHECK(got[3] == 1);
  CHECK(static_cast<std::int64_t>(got[4]) == -1);
  CHECK(got[5] == 5);
  CHECK(got[6] == 9);
}

TEST_CASE("host functions run before the grid") {
  Fixture f;
  f.frame = {6, 7};
  f.b.finish();
  loop::Builder host(f.program, "prologue", loop::FunctionKind::host);
  host.finish({host.mul(host.word(0), host.word(1))});
  const auto compiled = f.compile("sse2");
  REQUIRE(static_cast<bool>(compiled->host()));
  CHECK(compiled->host()(f.frame.data(), &f.context) == 42);
}

TEST_CASE("print and fail reach the runtime") {
  Fixture f;
  f.frame = {bits(1.5f), static_cast<std::uint64_t>(-2)};
  loop::Builder& b = f.b;
  loop::Inst print;
  print.op = Op::print;
  print.text = "values {} {}";
  print.operands = {b.word(0, DType::f32), b.word(1, DType::i8), b.iota(DType::u8, 2)};
  b.effect(print);
  for (bool wrong : {false, true}) {
    loop::Inst fail;
    fail.op = Op::fail;
    fail.text = "x < 2";
    fail.imm = {17};
    fail.operands = {b.compare(wrong ? Op::lt : Op::gt, b.word(1), b.integer(0))};
    b.effect(fail);
  }
  b.finish();
  f.run(runnable().back());
  REQUIRE(f.context.prints.size() == 1);
  CHECK(f.context.prints[0] == "values {} {} f32:1069547520 i8:18446744073709551614 u8:0 u8:1");
  REQUIRE(f.context.failures.size() == 1);
  CHECK(f.context.failures[0] == "17 x < 2");
}

TEST_CASE("what a CPU lacks is refused before code generation") {
  for (Op op :
       {Op::tile_zero, Op::mma, Op::roles, Op::acquire, Op::copy_async, Op::barrier, Op::shuffle_lane, Op::send})
    CHECK(refusal(op).find(std::string(loop::name(op)) + ": a CPU has no tiles, roles or channels") !=
          std::string::npos);
  CHECK(refusal(Op::load).find("entry: load:") == 0);
  CHECK(refusal(Op::add).find("an operand is missing") != std::string::npos);
  CHECK_THROWS_WITH_AS(jit::compile_loop(alone(Op::add)), doctest::Contains("refused: cannot be compiled: "),
                       InternalError);
  Fixture f;
  f.b.finish();
  CHECK_THROWS_WITH_AS(f.compile("avx10"),
                       "test: cannot be compiled: feature set \"avx10\": it is one of native, avx512bf16, avx512vnni, "
                       "avx512, avxvnni, avx2, sse2, or a "
                       "processor by LLVM's name",
                       InternalError);
}

TEST_CASE("AVX-512 code has 512-bit vectors and masks, wherever it is compiled") {
  Array in(DType::f32, Bits(64, 0)), out(DType::f32, Bits(64, 0));
  Fixture f;
  const int a = f.array(in), c = f.array(out);
  f.frame.push_back(0);
  loop::Builder& b = f.b;
  const loop::Type v16{DType::f32, 16, -1};
  const loop::Value x = b.load(a, b.integer(0), v16);
  const loop::Value mask = b.compare(Op::lt, b.iota(DType::i32, 16), b.broadcast(b.word(2, DType::i32), 16));
  b.store(c, b.integer(0), b.fma(x, x, b.load(a, b.integer(16), v16, mask)), mask);
  b.finish();
  jit::CompileOptions options;
  options.features = "avx512";
  options.load = false;
  options.verify = true;
  const auto compiled = jit::compile_loop(f.program, options);
  CHECK(!compiled->entry());
  CHECK(compiled->object_bytes() > 0);
  const std::string text = compiled->assembly();
  CHECK(text.find("zmm") != std::string::npos);
  CHECK(text.find("%k") != std::string::npos);
  CHECK(text.find("vfmadd") != std::string::npos);
  const auto plain = f.compile("sse2");
  CHECK(plain->assembly().find("ymm") == std::string::npos);
  CHECK(plain->assembly().find("call") == std::string::npos);
  CHECK(plain->ir().find("define void @") != std::string::npos);
}

TEST_CASE("an object can be kept and loaded again") {
  Array out(DType::i64, Bits(1, 0));
  Fixture f("kept");
  const int c = f.array(out);
  f.b.store(c, f.b.integer(0), f.b.integer(77));
  f.b.finish();
  jit::CompileOptions options;
  options.load = false;
  const auto compiled = jit::compile_loop(f.program, options);
  const jit::LinkedObject loaded = jit::llvm_backend().load(compiled->object(), "kept", "");
  REQUIRE(loaded.error.empty());
  loaded.entry(f.frame.data(), 0, 1, &f.context);
  CHECK(out.values()[0] == 77);
  CHECK(!jit::llvm_backend().load(compiled->object(), "absent", "").error.empty());
  CHECK(!jit::llvm_backend().load("not an object", "kept", "").error.empty());
}
