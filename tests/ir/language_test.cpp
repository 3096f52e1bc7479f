// Kernels that together use every operation of the table: what the front end records verifies, whatever the operation.
#include <doctest/doctest.h>

#include <string>

#include "language.hpp"
#include "same.hpp"
#include "tessera/ir/hash.hpp"
#include "tessera/ir/parse.hpp"

namespace {

const ir::Program* const programs[] = {&every_function.program,
                                       &every_reduction.program,
                                       &every_shape.program,
                                       &every_memory.program,
                                       &every_place.program,
                                       &attention<f16>.program,
                                       &top_k.program,
                                       &welford.program,
                                       &moe.program,
                                       &gram.program};

TEST_CASE("what the front end records is sound, and the same through canonical form and text") {
  for (const ir::Program* p : programs) {
    INFO(p->name);
    const ir::Defect d = ir::verify(*p);
    REQUIRE_MESSAGE(!d, d.text.view() << "\n" << (d.node >= 0 ? ir::to_text(*p, d.node) : ""));
    const ir::Storage c = ir::canonical(*p);
    CHECK_MESSAGE(!ir::verify(c.view()), ir::verify(c.view()).text.view());
    const ir::Parsed back = ir::parse(ir::to_text(*p));
    REQUIRE_MESSAGE(back, back.error.view());
    CHECK(ir_test::difference(*p, back.program.view()) == "");
    CHECK(ir::hash_of(back.program.view()) == ir::hash_of(*p));
    CHECK(ir::hash_of_canonical(c.view()) == ir::hash_of(*p));
  }
}

TEST_CASE("every operation occurs in some kernel") {
  bool seen[ir::op_count] = {};
  for (const ir::Program* p : programs)
    for (const ir::Node& n : p->nodes) seen[static_cast<int>(n.op)] = true;
  for (int i = 0; i < ir::op_count; ++i) CHECK_MESSAGE(seen[i], ir::op_table[i].text);
}

// As in kernels_test.cpp: one hash for every compiler.
static_assert(ir::hash_of(every_function.program) == ir::Hash{0xa727f8d858c89ca5, 0xb48672478c047259});
static_assert(ir::hash_of(every_reduction.program) == ir::Hash{0x57ea81be71ff0fd3, 0x1f036f33a5626fc9});
static_assert(ir::hash_of(every_shape.program) == ir::Hash{0x64c7542a13de11aa, 0xd0be236399de47b2});
static_assert(ir::hash_of(every_memory.program) == ir::Hash{0x45d1d59ddca3a54a, 0xd598a089d502624f});
static_assert(ir::hash_of(every_place.program) == ir::Hash{0x58566cf65fafd77f, 0x8b86ca709d7c38e2});

}  // namespace
