// The rewriter: copies, replacements, insertions and dropped regions give sound programs.
#include "tessera/ir/rewrite.hpp"

#include <doctest/doctest.h>

#include "make.hpp"
#include "same.hpp"
#include "tessera/ir/hash.hpp"
#include "tessera/ir/text.hpp"
#include "tessera/ir/verify.hpp"

using namespace ir_test;

namespace {

int count(const ir::Storage& s, Op op) {
  int n = 0;
  for (const ir::Node& node : s.nodes) n += node.op == op;
  return n;
}
void check_sound(const ir::Storage& s) {
  const ir::Defect d = ir::verify(s.view());
  CHECK_MESSAGE(!d, d.text.view() << "\n" << ir::to_text(s.view()));
}

TEST_CASE("copying every node gives the program back") {
  for (ir::Storage s : {gemm(), exchange(), medley(), medley(true)}) {
    s = ir::canonical(s.view());  // axes in order of first use
    const ir::Program p = s.view();
    ir::Rewriter r(p);
    for (std::int32_t i = 0; i < r.size(); ++i) CHECK(r.copy(i) == i);
    const ir::Storage out = r.finish();
    CHECK(difference(p, out.view()) == "");
    CHECK(out.names.size() == s.names.size());
  }
}

TEST_CASE("replacing: tunables become literals, and what is equal folds") {
  const ir::Storage s = gemm();
  const ir::Program p = s.view();
  ir::Rewriter r(p);
  for (std::int32_t i = 0; i < r.size(); ++i) {
    const ir::Node& n = p.node(i);
    if (n.op == Op::tunable) {
      r.at_line_of(i);
      r.replace(i, r.literal(DType::i64, n.imm == 0 ? 64 : 8));
    } else {
      r.copy(i);
    }
  }
  const ir::Storage out = r.finish();
  check_sound(out);
  CHECK(count(out, Op::tunable) == 0);
  CHECK(out.tunables.size() == 2);  // indices of tables stay
  CHECK(out.lines == s.lines);
  CHECK(ir::canonical(out.view()).tunables.empty());
  CHECK(ir::hash_of(out.view()) != ir::hash_of(p));
}

TEST_CASE("inserting: each product is scaled; axes and uniformity follow") {
  const ir::Storage s = gemm();
  const ir::Program p = s.view();
  ir::Rewriter r(p);
  for (std::int32_t i = 0; i < r.size(); ++i) {
    r.copy(i);
    if (p.node(i).op != Op::dot) continue;
    const std::int32_t two = r.literal(DType::f32, 0x40000000);
    const std::int32_t four = r.elementwise(Op::mul, DType::f32, {two, two});
    CHECK(r.node(four).flags == ir::flag_uniform);
    const std::int32_t scaled = r.elementwise(Op::mul, DType::f32, {r.value(i), four});
    CHECK(r.node(scaled).rank == 2);
    CHECK(r.node(scaled).flags == 0);
    CHECK(r.operand_of(scaled, 1) == four);
    r.replace(i, scaled);
  }
  const ir::Storage out = r.finish();
  check_sound(out);
  CHECK(out.nodes.size() == s.nodes.size() + 3);
}

TEST_CASE("dropping: a branch that is never taken goes, the other one stays without its region") {
  const ir::Storage s = medley();
  const ir::Program p = s.view();
  ir::Rewriter r(p);
  std::int32_t end = -1;
  for (std::int32_t i = 0; i < r.size(); ++i) {
    const Op op = p.node(i).op;
    if (op == Op::if_region) {
      r.drop(i, r.close_of(i) + 1);
      i = r.close_of(i);
    } else if (op == Op::else_region) {
      end = r.close_of(i);
    } else if (i != end) {
      r.copy(i);
    }
  }
  const ir::Storage out = r.finish();
  check_sound(out);
  CHECK(count(out, Op::print) == 0);
  CHECK(count(out, Op::accumulate) == 1);
  CHECK(count(out, Op::else_region) == 0);
  CHECK(count(out, Op::end) == 1);
  check_sound(ir::tidy(out.view()));
}

TEST_CASE("dropping the users of an axis drops the axis and renumbers the others") {
  const ir::Storage s = medley();
  const ir::Program p = s.view();
  ir::Rewriter r(p);
  for (std::int32_t i = 0; i < r.size(); ++i)
    if (p.node(i).op != Op::expects) r.copy(i);
  const ir::Storage all = r.finish();
  check_sound(all);
  CHECK(all.axes.size() == s.axes.size());
  CHECK(r.made() == 0);

  // Reads straight where it had a halo: the grown block, its axis, and the `at` go.
  ir::Rewriter q(p);
  for (std::int32_t i = 0; i < q.size(); ++i) {
    ir::Node n = p.node(i);
    if (n.op == Op::grow) {
      q.replace(i, q.operand(i, 0));
    } else if (n.op == Op::at) {
      q.replace(i, q.operand(i, 0));
    } else if (n.op == Op::load && (n.flags & ir::flag_padded) != 0) {
      n.axes[1] = p.node(p.operand(p.node(p.operand(n, 1)), 0)).axes[0];
      q.copy(i, n);
    } else {
      q.copy(i);
    }
  }
  const ir::Storage straight = q.finish();
  check_sound(straight);
  CHECK(straight.axes.size() == s.axes.size() - 1);
  CHECK(count(straight, Op::grow) == 0);
  check_sound(ir::canonical(straight.view()));
}

TEST_CASE("new axes, extents and names") {
  const ir::Storage s = gemm();
  const ir::Program p = s.view();
  ir::Rewriter r(p);
  for (std::int32_t i = 0; i < r.size(); ++i) {
    if (p.node(i).op == Op::store) {
      ir::Node n = r.node(r.operand(i, 2));
      n.op = Op::rename;
      const std::int32_t made = r.add_axis({r.add_name("J"), -1, -1, n.axes[0], ir::AxisKind::made});
      n.imm = n.axes[0] | std::int64_t{made} << 32;
      n.axes[0] = static_cast<std::uint8_t>(made);
      const std::int32_t renamed = r.add(n, {r.operand(i, 2)});
      ir::Node print;
      print.op = Op::print;
      print.imm = r.add_name("tile");
      r.add(print, {renamed});
    }
    r.copy(i);
  }
  CHECK(r.add_extent({p.extents[0].base, 0, 1}) == 0);
  CHECK(r.add_extent({p.extents[0].base, 1, 1}) == 3);
  CHECK(r.add_name("tile") == r.add_name("tile"));
  const ir::Storage out = r.finish();
  check_sound(out);
  CHECK(out.axes.size() == s.axes.size() + 1);
  CHECK(out.view().str(out.axes.back().name) == "J");
  CHECK(ir::to_text(out.view()).find("rename f32[J, N]") != std::string::npos);
}

}  // namespace
