// docs/tile_ir.md: its program is the canonical form of the kernel it shows, and it has every operation of the table.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "tessera/ir/hash.hpp"
#include "tessera/ir/parse.hpp"
#include "tests/kernels/kernels.hpp"

#ifndef TESSERA_SOURCE_DIR
#define TESSERA_SOURCE_DIR "."
#endif

namespace {

std::string page() {
  std::ifstream in(TESSERA_SOURCE_DIR "/docs/tile_ir.md");
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST_CASE("the page's program is what bmm is captured into") {
  const std::string text = page();
  const std::size_t first = text.find("tessera_ir 1\nkernel \"bmm\""), last = text.find("```", first);
  REQUIRE(last != std::string::npos);
  const ir::Parsed p = ir::parse(text.substr(first, last - first));
  REQUIRE_MESSAGE(p, p.error.view());
  CHECK(ir::hash_of(p.program.view()) == ir::hash_of(bmm.program));
  CHECK(ir::hash_of_canonical(p.program.view()) == ir::hash_of(bmm.program));
  CHECK(ir::to_text(p.program.view()) == text.substr(first, last - first));
}

TEST_CASE("the page has every operation and every label") {
  const std::string text = page();
  for (int i = 0; i < ir::op_count; ++i) {
    const std::string op(ir::op_table[i].text);
    CHECK_MESSAGE(text.find("`" + op + "`") != std::string::npos, op);
    for (const ir::ImmField& f : ir::imm_fields(static_cast<ir::Op>(i)))
      CHECK_MESSAGE(text.find("`" + std::string(f.label) + "`") != std::string::npos, op << " " << f.label);
  }
}

}  // namespace
