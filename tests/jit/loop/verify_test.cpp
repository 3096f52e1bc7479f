// Owns the tests of the verifier: what each rule refuses, and with which words.
#include "tests/jit/loop/gate.hpp"

using namespace gate;

namespace {

std::string refusal(const std::string& text) {
  const loop::Parsed p = loop::parse(text);
  REQUIRE_MESSAGE(p.ok, p.error);
  const auto problems = loop::verify(p.program);
  return problems.empty() ? "" : problems[0];
}

std::string in(const std::string& body, const std::string& before = "", const std::string& machine = "cpu") {
  return refusal("program p machine " + machine + "\nbuffer X f32 global word 0\n" + before +
                 "\nentry e(%0: i64, %1: i64) {\n" + body + "\n}\n");
}

}  // namespace

TEST_CASE("verify: types of instructions") {
  CHECK(in("%2 = add i64 %0, %1") == "");
  CHECK(in("%2 = add i32 %0, %1") == "e: `%2 = add i32 %0, %1`: its result is not of its operands' type");
  CHECK(in("%2 = constant f16 1.0\n%3 = add f16 %2, %2") == "e: `%3 = add f16 %2, %2`: there is no add of f16");
  CHECK(in("%2 = constant f16 1.0\n%3 = add f16 %2, %2", "", "sm_80") == "");
  CHECK(in("%2 = sqrt i64 %0") == "e: `%2 = sqrt i64 %0`: there is no sqrt of i64");
  CHECK(in("%2 = lt i64 %0, %1") == "e: `%2 = lt i64 %0, %1`: a comparison gives b8 of as many lanes");
  CHECK(in("%2 = iota i64<4>\n%3 = add i64<4> %2, %0") == "e: `%3 = add i64<4> %2, %0`: its operands differ in type");
  CHECK(in("%2 = load f64 X[%0]") == "e: `%2 = load f64 X[%0]`: buffer X holds f32");
  CHECK(in("%2 = lt b8 %0, %1\n%3 = load.masked f32<4> X[%0], %2") ==
        "e: `%3 = load.masked f32<4> X[%0], %2`: its mask is b8 of 4 lanes");
  CHECK(in("%2 = iota f32<4>\n%3 = shuffle f32<2> %2, %2 imm [0, 8]") ==
        "e: `%3 = shuffle f32<2> %2, %2 imm [0, 8]`: a lane number is outside both vectors");
  CHECK(in("if %0 { }") == "e: `if %0 {…}`: its condition is one b8");
  CHECK(in("%2 = lt b8 %0, %1\n%3 = if i64 %2 { yield %0 }").find("it yields other values than (i64)") !=
        std::string::npos);
  CHECK(in("%2 = for %3 = %0 to %1 step %1 (%4 = %0) { }").find("it yields other values than (i64)") !=
        std::string::npos);
  CHECK(in("call nobody()") == "e: `call nobody()`: there is no helper nobody");
  CHECK(in("%2 = call f32 h(%0)", "helper h(%0: i64) -> i64 { yield %0 }") ==
        "e: `%2 = call f32 h(%0)`: h returns (i64)");
  CHECK(in("%2 = constant f32 0.0\nstore Y[%0], %2", "buffer Y f32 global word 1 read_only") ==
        "e: `store Y[%0], %2`: buffer Y is read only");
}

TEST_CASE("verify: declarations") {
  CHECK(in("", "layout l [4, 4]: registers d0 4 by 1") == "layout l: its factors hold 4 elements, its shape has 16");
  CHECK(in("", "layout l [4]: registers d0 2 by 1, lane d0 2 by 1") ==
        "layout l: its factors leave out or repeat coordinates of dimension 0");
  CHECK(in("", "layout l [64]: lane d0 64 by 1", "sm_80") == "layout l: a warp has 32 lanes");
  CHECK(in("", "buffer s f32 shared", "sm_80") == "buffer s: its extents must be known");
  CHECK(in("", "buffer s f32 shared [70000]", "sm_90a") == "shared buffers take 280000 bytes, sm_90a has 232448");
  CHECK(in("", "buffer s f32 local [12289]", "wse3") == "local buffers take 49156 bytes, an element of wse3 has 49152");
  CHECK(in("", "buffer s f32 shared [256] swizzle 128", "sm_90a").find("a swizzle of 128 bytes needs") !=
        std::string::npos);
  CHECK(in("", "buffer s f32 scratch word 1") == "buffer s: only a global buffer lies in a frame word");
  CHECK(in("", "channel c depth 0") == "channel c: its depth and its arrivals are positive");
  CHECK(in("", "channel c depth 1 colour 24", "wse3") == "channel c: it has no such colour");
  CHECK(in("", "helper e() { }") == "function e is defined twice");
  CHECK(refusal("program p machine cpu\nentry e() { }") ==
        "e: an entry takes (first: i64, end: i64) and returns nothing");
}

TEST_CASE("verify: channels, roles, barriers") {
  const std::string c = "channel c depth 2 producers 1 consumers 1";
  CHECK(in("acquire c[%0]\ncommit c[%0]\nwait c[%0]\nrelease c[%0]", c, "sm_90a") == "");
  CHECK(in("wait c[%0]", c, "sm_90a") == "channel c: nothing commits it");
  CHECK(in("commit c[%0]", c, "sm_90a") == "channel c: nothing waits for it");
  CHECK(in("acquire c[%0]\ncommit c[%0]\nwait c[%0]", c, "sm_90a") == "channel c: it is acquired but never released");
  CHECK(in("roles role 1 { } role 1 { }", "attribute warps 3", "sm_90a").find("do not share out the 3 warps") !=
        std::string::npos);
  CHECK(in("roles role 1 { roles role 1 { } }", "", "sm_90a").find("it lies within a role") != std::string::npos);
  CHECK(in("barrier role 0", "", "sm_90a") == "e: `barrier role 0`: there is no role here");
  CHECK(in("barrier thread 0", "", "sm_90a") == "e: `barrier thread 0`: its scope is warp, role or program");
  CHECK(in("send c, X[%0], %1", c, "wse3") == "e: `send c, X[%0], %1`: its channel has no colour");
}

TEST_CASE("verify: tiles and shapes") {
  const std::string l =
      "layout c [16, 8]: registers d1 2 by 1, registers d0 2 by 8, lane d1 4 by 2, lane d0 8 by 1\n"
      "layout odd [16, 16]: registers d1 8 by 1, lane d1 2 by 8, lane d0 16 by 1\n"
      "layout b [16, 8]: registers d0 2 by 1, registers d0 2 by 8, lane d0 4 by 2, lane d1 8 by 1\n"
      "layout copy [4]: registers d0 4 by 1, lane d0 32 by 0\nlayout wide [64]: lane d0 32 by 1, warp d0 2 by 32";
  const std::string tiles = "%2 = tile_zero f16@odd\n%3 = tile_zero f16@b\n%4 = tile_zero f32@c\n";
  CHECK(in(tiles + "%5 = mma f32@c \"m16n8k16\" %2, %3, %4", l + "\nattribute warps 2", "sm_80")
            .find("the layout of a does not begin with the fragment's factors over registers") != std::string::npos);
  CHECK(in(tiles + "%5 = mma f32@c \"m16n8k8\" %2, %3, %4", l, "sm_80").find("there is no shape m16n8k8 on sm_80") !=
        std::string::npos);
  CHECK(in("%2 = tile_zero f32@wide", l, "sm_80").find("layout wide takes more warps than the role has") !=
        std::string::npos);
  CHECK(in("%2 = tile_zero f32@copy\ntile_store X[%0, %1], %2", l, "sm_80").find("holds elements more than once") !=
        std::string::npos);
  CHECK(in("%2 = tile_load f32@c X[%0, %1]", l, "sm_80").find("it takes an offset, a stride for each dimension") !=
        std::string::npos);
  CHECK(in("%2 = tile_zero f32@c\n%3 = add f32@c %2, %2", l, "sm_80").find("it takes no tiles") != std::string::npos);
}

TEST_CASE("verify: values made by other means than text") {
  loop::Program p =
      loop::parse("program p machine cpu\nentry e(%0: i64, %1: i64) {\n%2 = add i64 %0, %1\n%3 = add i64 %2, %1\n}")
          .program;
  REQUIRE(loop::verify(p).empty());
  loop::Program q = p;
  std::swap(q.functions[0].body.body[0], q.functions[0].body.body[1]);
  CHECK(loop::verify(q).at(0) == "e: `%3 = add i64 %2, %1`: %2 is used before its definition");
  q = p;
  q.functions[0].body.body[1].results[0] = 2;
  CHECK(loop::verify(q).at(0) == "e: `%2 = add i64 %2, %1`: %2 is defined twice");
  q = p;
  q.functions[0].body.body.pop_back();
  CHECK(loop::verify(q).at(0) == "e: a region does not end with a yield");
}
