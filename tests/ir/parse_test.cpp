// The parser: texts come back as the programs they were, mistakes get their place, and no text makes it fail otherwise.
#include "tessera/ir/parse.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "make.hpp"
#include "same.hpp"
#include "tessera/ir/hash.hpp"

using namespace ir_test;

namespace {

static_assert(ir::hash_of(ir::parse(ir::print(gemm().view()).view()).program.view()) == ir::hash_of(gemm().view()));

TEST_CASE("round trip") {
  for (ir::Storage s : {gemm(), gemm({"x y", "a", "b\"", "", "M", "N", "K/2", "B\nM", "BK"}), gemm({}, true),
                        exchange(), medley(), medley(true), ir::canonical(medley(true).view())}) {
    for (const bool lines : {true, false}) {
      if (!lines) s.lines.clear();
      const std::string text = ir::to_text(s.view());
      const ir::Parsed back = ir::parse(text);
      REQUIRE_MESSAGE(back, back.error.view());
      CHECK(difference(s.view(), back.program.view()) == "");
      CHECK(ir::to_text(back.program.view()) == text);
      CHECK(ir::hash_of(back.program.view()) == ir::hash_of(s.view()));
      CHECK(ir::canonical_bytes(back.program.view()) == ir::canonical_bytes(s.view()));
    }
  }
}

TEST_CASE("blanks, comments and node numbers are free") {
  const ir::Parsed p = ir::parse(R"(# a comment
tessera_ir 1
kernel "k"   # another
extents N
arg out i64 h[N]

axis N grid %1 extent N
body
literal i64 {bits 4}
      grid_block i64[N] %0

%2 = literal i64 {bits 0xffffffffffffffff}
store i64[N] %1,%2{array h})");
  REQUIRE_MESSAGE(p, p.error.view());
  CHECK(p.program.nodes.size() == 4);
  CHECK(p.program.nodes[2].imm == -1);
  CHECK(p.program.lines.empty());
}

std::string error(std::string_view body) {
  const std::string text =
      "tessera_ir 1\nkernel \"k\"\nextents N, N+1\narg out i64 h[N]\naxis N grid %1 extent N\n" + std::string(body);
  const ir::Parsed p = ir::parse(text);
  CHECK_FALSE(p);
  CHECK(p.program.nodes.empty());
  return p.error.str();
}

TEST_CASE("mistakes have a place") {
  CHECK(ir::parse("").error.view() == "line 1, column 1: expected tessera_ir 1");
  CHECK(ir::parse("tessera_ir 2\n").error.view() == "line 1, column 12: the number is more than 1");
  CHECK(ir::parse("tessera_ir 0\n").error.view() == "line 1, column 13: expected tessera_ir 1");
  CHECK(ir::parse("tessera_ir 1\nkernel k\n").error.view() == "line 2, column 8: expected the kernel's name in quotes");
  CHECK(error("") == "line 6, column 1: expected arg, axis or body");
  CHECK(error("body\n%0 = foo i64") == "line 7, column 6: there is no such operation");
  CHECK(error("body\n%1 = literal i64 {bits 0}") == "line 7, column 1: this is node %0");
  CHECK(error("body\nliteral i64[Q] {bits 0}") == "line 7, column 13: there is no such axis");
  CHECK(error("body\nliteral i64[N.1] {bits 0}") == "line 7, column 13: there is no such axis");
  CHECK(error("body\nliteral i64") == "line 7, column 12: literal needs {bits …}");
  CHECK(error("body\nliteral i64 {bit 0}") == "line 7, column 14: expected bits");
  CHECK(error("body\nliteral i64 {bits 0x}") == "line 7, column 19: a number ends in the middle");
  CHECK(error("body\nliteral i64 {bits 12345678901234567890123}") == "line 7, column 19: the number exceeds 64 bits");
  CHECK(error("body\nliteral i64 {bits 3} uniform padded") == "line 7, column 30: expected the end of the line");
  CHECK(error("body\nend {x 3}") == "line 7, column 6: end has no fields");
  CHECK(error("body\n%0 = end") == "line 7, column 1: end has no value");
  CHECK(error("body\nload i64 {array g}") == "line 7, column 17: there is no such argument");
  CHECK(error("body\nextent i64 {extent N+2}") == "line 7, column 20: there is no such extent");
  CHECK(error("body\nprint {text \"abc}") == "line 7, column 13: the text is not closed");
  CHECK(error("body\nprint {text \"a\\qb\"}") == "line 7, column 13: the text has an unknown escape");
  CHECK(error("body\nprint {text abc}") == "line 7, column 13: expected a text in quotes");
  CHECK(error("body\nadd i64 %0 %1") == "line 7, column 12: expected the end of the line");
  CHECK(error("body\nadd i64 %0, 1") == "line 7, column 13: expected %");
  CHECK(error("arg in i65 x\n") == "line 6, column 1: expected arg, axis or body");
  CHECK(error("axis N grid %1 parent Z\nbody") == "line 6, column 23: there is no such axis");
  CHECK(error("axis N grid %1 extent N+3\nbody") == "line 6, column 23: there is no such extent");
  CHECK(error("axis N.4 grid %1\nbody") == "line 6, column 6: it is number 1, not 4");
  CHECK(error("axis N grid %1 extent N\nbody\nliteral i64[N] {bits 0}") ==
        "line 8, column 13: this name is shared: add a number, as in x.3");
  // Sound words, unsound program.
  CHECK(error("body\nliteral i64 {bits 4}\n\n\ngrid_block i64[N] %0\nadd i64 %0, %2\n") ==
        "line 11: node 2 (add): operand 1 is %2, which does not precede it");
  CHECK(error("body\nliteral i64 {bits 4}\n") == "axis 0: no node defines it");
}

TEST_CASE("a text can be read without being verified") {
  const ir::Parsed p = ir::parse("tessera_ir 1\nkernel \"k\"\nbody\nadd i64 %7, %9\n", false);
  REQUIRE(p);
  CHECK(ir::verify(p.program.view()).text.view() == "node 0 (add): operand 0 is %7, which does not precede it");
}

TEST_CASE("sizes are bounded") {
  std::string text = "tessera_ir 1\nkernel \"k\"\nbody\n";
  std::string many = text + "literal i64[";
  CHECK(ir::parse(many + "N, N, N, N, N, N, N, N, N, N]").error.size() > 0);
  std::string extents = "tessera_ir 1\nkernel \"k\"\nextents N";
  for (int i = 1; i < 2000; ++i) extents += ", N+" + std::to_string(i);
  CHECK(ir::parse(extents + "\nbody\n").error.str().find("too many extents") != std::string::npos);
  std::string deep = "tessera_ir 1\nkernel \"k\"\nbody\nliteral b8 {bits 1}\n";
  for (int i = 0; i < 1000; ++i) deep += "if_region %0\n";
  CHECK(ir::parse(deep).error.str().find("deeper than 64") != std::string::npos);
}

TEST_CASE("mutations of sound texts give a program or a message") {
  std::vector<std::string> texts;
  for (const ir::Storage& s : {gemm(), exchange(), medley()}) texts.push_back(ir::to_text(s.view()));
  std::mt19937_64 random(2026);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::string spice = "%.,[]{}=@#\"\\-+/0123456789xNaf\n _";
  int read = 0;
  for (int round = 0; round < 10000; ++round) {
    std::string t = texts[below(texts.size())];
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      const std::size_t at = below(t.size()), size = std::min(t.size() - at, below(12));
      const std::string& other = texts[below(texts.size())];
      switch (below(7)) {
        case 0:
          t[at] = static_cast<char>(random());
          break;
        case 1:
          t[at] = spice[below(spice.size())];
          break;
        case 2:
          t.erase(at, size);
          break;
        case 3:
          t.insert(at, t.substr(below(t.size()), size));
          break;
        case 4:
          t.insert(at, 1, spice[below(spice.size())]);
          break;
        case 5:
          t.replace(at, size, other.substr(below(other.size()), below(40)));
          break;
        default:
          t.resize(at + 1);
          break;
      }
      if (t.empty()) t = "x";
    }
    const ir::Parsed p = ir::parse(t);
    if (!p) {
      CHECK(p.error.size() > 0);
      continue;
    }
    ++read;
    CHECK(ir::parse(ir::to_text(p.program.view())));
    CHECK(ir::hash_of(p.program.view()) == ir::hash_of(ir::canonical(p.program.view()).view()));
  }
  CHECK(read > 100);
  CHECK(read < 9000);
  MESSAGE(read << " of 10000 were programs");
}

}  // namespace
