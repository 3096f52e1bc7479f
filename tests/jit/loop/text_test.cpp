// Owns the tests of the text form: it reads back exactly, its errors name a place, and garbage is survived.
#include <random>

#include "jit/loop/builder.hpp"
#include "tests/jit/loop/gate.hpp"

using namespace gate;

namespace {

// Structural equality, value numbers included.
void same(const loop::Region& a, const loop::Region& b) {
  CHECK(a.params == b.params);
  REQUIRE(a.body.size() == b.body.size());
  for (std::size_t i = 0; i < a.body.size(); ++i) {
    const loop::Inst &x = a.body[i], &y = b.body[i];
    CHECK(x.op == y.op);
    CHECK(x.buffer == y.buffer);
    CHECK(x.flags == y.flags);
    CHECK(x.results == y.results);
    CHECK(x.operands == y.operands);
    CHECK(x.imm == y.imm);
    CHECK(x.text == y.text);
    REQUIRE(x.regions.size() == y.regions.size());
    for (std::size_t k = 0; k < x.regions.size(); ++k) same(x.regions[k], y.regions[k]);
  }
}

void reads_back(const loop::Program& p) {
  REQUIRE(loop::verify(p).empty());
  const std::string text = loop::print(p);
  const loop::Parsed again = loop::parse(text);
  REQUIRE_MESSAGE(again.ok, (again.error + "\n" + text));
  CHECK(loop::print(again.program) == text);
  CHECK(again.program.attributes == p.attributes);
  CHECK(again.program.layouts == p.layouts);
  REQUIRE(again.program.buffers.size() == p.buffers.size());
  for (std::size_t i = 0; i < p.buffers.size(); ++i) {
    CHECK(again.program.buffers[i].name == p.buffers[i].name);
    CHECK(again.program.buffers[i].shape == p.buffers[i].shape);
    CHECK(again.program.buffers[i].no_alias == p.buffers[i].no_alias);
    CHECK(again.program.buffers[i].align == p.buffers[i].align);
  }
  REQUIRE(again.program.functions.size() == p.functions.size());
  for (std::size_t i = 0; i < p.functions.size(); ++i) {
    CHECK(again.program.functions[i].name == p.functions[i].name);
    CHECK(again.program.functions[i].kind == p.functions[i].kind);
    same(again.program.functions[i].body, p.functions[i].body);
  }
}

loop::Program built() {
  using loop::Op;
  loop::Program p;
  p.name = "a strange \"name\"\n";
  p.machine = "cpu";
  p.attributes = {{"scratch bytes", 4096}, {"warps", -1}};
  loop::Builder b(p, "main", loop::FunctionKind::entry);
  const loop::Value first = b.param({DType::i64, 1, -1}), end = b.param({DType::i64, 1, -1});
  loop::Buffer x;
  x.name = "f32";
  x.space = loop::Space::global;
  x.word = 0;
  x.align = 4;
  const int in = b.buffer(x);
  x.name = "same", x.word = 1, x.no_alias = false;
  b.buffer(x);
  x.shape = {3, 4}, x.read_only = true;
  const int shaped = b.buffer(x);
  loop::Buffer s;
  s.name = "t";
  s.elem = DType::bf16;
  const int scratch = b.buffer(s);
  b.alloc_first(scratch, b.integer(64));
  const auto sums = b.for_loop(
      first, end, b.integer(2), {b.number(DType::f32, 8, -0.0), b.integer(0)},
      [&](loop::Value iv, std::span<const loop::Value> c) {
        const loop::Value mask = b.compare(Op::lt, b.iota(DType::i32, 8), b.constant({DType::i32, 8, -1}, 5));
        const loop::Value v = b.load(in, iv, {DType::f32, 8, -1}, mask);
        b.prefetch(in, b.add(iv, b.integer(64)), true, 2);
        const loop::Value w = b.load(shaped, b.integer(0), {DType::f32, 8, -1});
        b.store(scratch, iv, b.cast(b.fma(v, w, c[0]), DType::bf16, 1 | 1 << 8));
        const auto chosen = b.if_else(
            b.compare(Op::eq, iv, end), [&] { return loop::Builder::Values{b.number(DType::f32, 8, 0.1)}; },
            [&] { return loop::Builder::Values{b.shuffle(v, w, {0, 9, -1, 3, 4, 5, 6, 15})}; });
        return loop::Builder::Values{b.add(chosen[0], c[0]), b.add(c[1], iv)};
      });
  const auto counted = b.while_loop(
      {sums[1]},
      [&](std::span<const loop::Value> c) {
        return std::pair{b.compare(Op::gt, c[0], b.integer(0)), loop::Builder::Values{c[0]}};
      },
      [&](std::span<const loop::Value> c) { return loop::Builder::Values{b.sub(c[0], b.integer(3))}; });
  for (double v : {1e-45, 3.4028234663852886e38, 1.0 / 3}) b.store(in, counted[0], b.number(DType::f32, 1, v));
  b.store(in, counted[0], b.constant({DType::f32, 1, -1}, 0x7fc00001));
  b.store(in, counted[0], b.constant({DType::f32, 1, -1}, 0x7f800000));
  b.atomic(in, first, b.number(DType::f32, 1, 1), 7, 2);
  b.scatter(in, first, b.iota(DType::i32, 4), b.number(DType::f32, 4, 2), b.boolean(true, 4));
  b.fill(in, first, end, b.number(DType::f32, 1, 0));
  b.effect({Op::print, -1, 0, {}, {first}, {}, "i = {}\n\"\x01", {}});
  b.effect({Op::fail, -1, 0, {}, {b.compare(Op::lt, first, end)}, {}, "no", {}});
  b.finish();
  return p;
}

std::string error(const std::string& text) {
  const loop::Parsed p = loop::parse(text);
  CHECK_FALSE(p.ok);
  return p.error;
}

}  // namespace

TEST_CASE("text: a program made by the builder reads back exactly") { reads_back(built()); }

TEST_CASE("text: the gate's programs read back exactly") {
  for (const char* name : {"cpu_gemm_8x48.loop", "sm90a_gemm.loop", "gfx942_gemm.loop", "csl_summa.loop"})
    reads_back(loop::parse(read(name)).program);
}

TEST_CASE("text: errors say where and what") {
  CHECK(error("") == "1:1: expected `program`, not the end");
  CHECK(error("program p machine cpu\nentry e(%a: i64) {\n  %b = ad i64 %a\n}") == "3:8: `ad` is no instruction");
  CHECK(error("program p machine cpu\nentry e(%a: i64) {\n  %b = add i64 %a, %c\n}") == "3:20: %c is not defined here");
  CHECK(error("program p machine cpu\nentry e(%a: i64) {\n  %a = add i64 %a, %a\n}") == "3:3: %a is defined already");
  CHECK(error("program p machine cpu\nentry e() {\n  store x[%a]\n}") == "3:9: there is no buffer `x`");
  CHECK(error("program p machine cpu\nentry e() {\n  %a = constant f32 1.5x\n}") == "3:21: `1.5x` is no number");
  CHECK(error("program p machine cpu\nentry e() {\n  %a, %b = constant f32 1.5\n}") ==
        "3:3: `constant` has 1 results, 2 are named");
  CHECK(error("program p machine cpu\nentry e() {\n  yield\n  fence thread\n}") == "4:3: nothing follows a yield");
  CHECK(error("program \"p") == "1:9: a text has no end");
  CHECK(error("program p machine cpu\nbuffer x f32 nowhere") ==
        "2:14: expected global, scratch, shared, registers or local, not `nowhere`");
  CHECK(error("program p machine cpu ?") == "1:23: a character that starts nothing");
  // A name of a region is forgotten behind it.
  CHECK(error("program p machine cpu\nentry e(%a: i64) {\n  for %i = %a to %a step %a { }\n  %b = neg i64 %i\n}") ==
        "4:16: %i is not defined here");
  std::string deep = "program p machine cpu\nentry e(%c: b8) {\n";
  for (int i = 0; i < 10000; ++i) deep += "if %c {";
  CHECK(error(deep).find("nested too deep") != std::string::npos);
}

TEST_CASE("text: changed and cut texts are survived, by parser, verifier and interpreter") {
  std::mt19937 random(42);
  std::vector<std::string> texts{loop::print(built())};
  for (const char* name : {"cpu_gemm_8x48.loop", "sm90a_gemm.loop", "gfx942_gemm.loop", "csl_summa.loop"})
    texts.push_back(read(name));
  int read_well = 0, ran = 0;
  const std::string pieces[] = {
      "%",  "{",     "}",  "[", "]",   "(",      ")", "i64", "f32",    "%0", "%one", "-1", "99999999999999999999",
      "\"", "yield", "0x", "<", "for", "role 3", "@", "#7",  "masked", "//"};
  for (int n = 0; n < 1200; ++n) {
    std::string text = texts[random() % texts.size()];
    for (std::size_t k = 0, changes = 1 + random() % 3; k < changes; ++k) {
      const std::size_t at = random() % text.size();
      switch (random() % 5) {
        case 0:
          text.erase(at, 1 + random() % 20);
          break;
        case 1:
          text.insert(at, pieces[random() % std::size(pieces)]);
          break;
        case 2:
          text[at] = static_cast<char>(random() % 256);
          break;
        case 3:
          text.resize(at + 1);
          break;
        default: {  // one number for another
          const std::size_t digit = text.find_first_of("0123456789", at);
          if (digit != std::string::npos) text[digit] = static_cast<char>('0' + random() % 10);
        }
      }
    }
    const loop::Parsed p = loop::parse(text);
    if (!p.ok) {
      CHECK(!p.error.empty());
      loop::verify(p.program);
      loop::print(p.program);
      continue;
    }
    ++read_well;
    if (!loop::verify(p.program).empty() || n % 4 != 0) continue;
    ++ran;
    // Frame words that point to 64 bytes, and small extents.
    float cells[16] = {};
    const auto address = reinterpret_cast<std::uint64_t>(cells);
    const std::uint64_t frame[] = {address, address, address, 2, 3, 2, 2, 3, 3};
    const loop::Memory memory[] = {{cells, sizeof cells, true, true}};
    loop::InterpretOptions options;
    options.step_limit = 20000;
    loop::interpret(p.program, frame, memory, options);
  }
  CHECK(read_well > 50);
  CHECK(ran > 5);
}

TEST_CASE("text: data that no parser makes is survived") {
  loop::Program p = built();
  std::mt19937 random(7);
  const auto wild = [&] { return static_cast<std::int32_t>(random() % 3 ? random() % 40 : random()); };
  for (int n = 0; n < 500; ++n) {
    loop::Program q = p;
    loop::Function& f = q.functions[0];
    for (int k = 0; k < 3; ++k) {
      loop::Inst* i = &f.body.body[random() % f.body.body.size()];
      while (!i->regions.empty() && random() % 3) {
        loop::Region& r = i->regions[random() % i->regions.size()];
        if (r.body.empty()) break;
        i = &r.body[random() % r.body.size()];
      }
      switch (random() % 8) {
        case 0:
          i->op = static_cast<loop::Op>(random() % 256);
          break;
        case 1:
          i->buffer = wild();
          break;
        case 2:
          if (!i->operands.empty()) i->operands[0] = wild();
          break;
        case 3:
          i->imm.push_back(wild());
          break;
        case 4:
          i->results.push_back(wild());
          break;
        case 5:
          i->regions.emplace_back();
          break;
        case 6:
          i->imm.clear();
          break;
        default:
          f.types[random() % f.types.size()] = {static_cast<DType>(random() % 30),
                                                static_cast<std::uint16_t>(random() % 3),
                                                static_cast<std::int16_t>(random() % 3 - 1)};
      }
    }
    loop::print(q);
    CHECK_NOTHROW(loop::verify(q));
  }
}
