// Verifier: sound programs pass, each kind of defect is found and named, and no data makes it fail otherwise.
#include "tessera/ir/verify.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "make.hpp"
#include "tessera/ir/hash.hpp"
#include "tessera/ir/parse.hpp"
#include "tessera/types/convert.hpp"

using namespace ir_test;

namespace {

std::string defect(const ir::Storage& s) { return ir::verify(s.view()).text.str(); }

template <class F>
std::string broken(ir::Storage s, F change) {
  change(s);
  return defect(s);
}
// The first node of that operation.
ir::Node& find(ir::Storage& s, Op op) {
  for (ir::Node& n : s.nodes)
    if (n.op == op) return n;
  FAIL("no such node");
  return s.nodes[0];
}
std::int32_t& operand(ir::Storage& s, const ir::Node& n, int k) {
  return s.operands[static_cast<std::size_t>(n.first + k)];
}

TEST_CASE("sound programs have no defect") {
  for (const ir::Storage& s : {gemm(), gemm({}, true), exchange(), exchange(true), medley(), medley(true)})
    CHECK(defect(s) == "");
  CHECK(defect(ir::Storage()) == "");
  static_assert(!ir::verify(gemm().view()));
}

TEST_CASE("tables") {
  CHECK(broken(gemm(), [](auto& s) { s.names[0].size = 1000; }) == "a name lies outside the text");
  CHECK(broken(gemm(), [](auto& s) { s.names[0].first = -1; }) == "a name lies outside the text");
  CHECK(broken(gemm(), [](auto& s) { s.extents[1].divide = 0; }) == "extent 1 is divided by 0");
  CHECK(broken(gemm(), [](auto& s) { s.extents[1] = s.extents[0]; }) == "extents 0 and 1 are one");
  CHECK(broken(gemm(), [](auto& s) { s.extents[1].base = 99; }) == "extent 1 has no name");
  CHECK(broken(gemm(), [](auto& s) { s.lines.pop_back(); }) == "lines do not match the nodes");
  CHECK(broken(gemm(), [](auto& s) { s.args[1].rank = 9; }) == "argument 1: its rank exceeds 8");
  CHECK(broken(gemm(), [](auto& s) { s.args[1].first_extent = 1 << 30; }) == "argument 1: extent 0 is missing");
  CHECK(broken(gemm(), [](auto& s) { s.args[1].effect = ir::Effect::scalar; }) ==
        "argument 1: a scalar has no extents");
  CHECK(broken(gemm(), [](auto& s) { s.axes[0].node = 0; }) == "axis 0: node 0 does not define it");
  CHECK(broken(gemm(), [](auto& s) { s.axes[0].extent = 77; }) == "axis 0: its extent is missing");
  CHECK(broken(gemm(), [](auto& s) { s.axes[0].parent = 0; }) == "axis 0: its parent is missing");
  CHECK(broken(gemm(), [](auto& s) { s.axes.resize(300, s.axes[0]); }) == "more than 256 axes");
  CHECK(broken(gemm(), [](auto& s) { s.tunables[0].name = 99; }) == "a tunable has no name");
}

TEST_CASE("operands and scopes") {
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::add).count = 1; }) == "node 14 (add): it takes 2 operands, not 1");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::add).first = 1 << 20; }) == "node 14 (add): its operands are missing");
  CHECK(broken(gemm(), [](auto& s) { operand(s, find(s, Op::add), 1) = 20; }) ==
        "node 14 (add): operand 1 is %20, which does not precede it");
  CHECK(broken(gemm(), [](auto& s) { operand(s, find(s, Op::add), 1) = 8; }) ==
        "node 14 (add): operand 1 is %8, which has no value");
  CHECK(broken(gemm(), [](auto& s) { operand(s, find(s, Op::add), 1) = 6; }) ==
        "node 14 (add): operand 1 is %6, a Var: get it first");
  CHECK(broken(gemm(), [](auto& s) { operand(s, find(s, Op::get), 0) = 5; }) ==
        "node 10 (get): operand 0 is %5, which is no Var");
  CHECK(broken(gemm(), [](auto& s) { operand(s, find(s, Op::store), 2) = 14; }) ==
        "node 20 (store): operand 2 is %14, whose region is closed");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::eq).axes[0] = 2; }) == "node 18 (eq): axis 2 is not in scope");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::eq).axes[0] = 200; }) == "node 18 (eq): axis 200 does not exist");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::eq).axes[0] = 1; }) == "node 18 (eq): it has axis 1 twice");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::eq).rank = 9; }) == "node 18 (eq): its rank exceeds 8");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::eq).op = static_cast<Op>(250); }) == "node 18: no such operation");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::eq).type = static_cast<DType>(99); }) == "node 18 (eq): no such type");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::check).imm = 99; }) == "node 19 (check): there is no such text as 99");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::add).imm = 1; }) ==
        "node 14 (add): its number has bits without a meaning");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::add).flags = 64; }) == "node 14 (add): it has unknown flags");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::add).flags = ir::flag_padded; }) ==
        "node 14 (add): only a load is padded");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::add).flags = ir::flag_masked; }) ==
        "node 14 (add): it cannot be masked");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::add).flags = ir::flag_uniform; }) ==
        "node 14 (add): it is not uniform");
}

TEST_CASE("regions") {
  CHECK(broken(gemm(), [](auto& s) { s.nodes.resize(12), s.lines.clear(); }) ==
        "node 8 (for_blocks): its region is never closed");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::for_blocks).op = Op::for_range; }) ==
        "node 9 (loop_block): it is not the first node of a for_blocks");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::for_blocks).op = Op::while_loop; }) ==
        "node 9 (loop_block): it is not the first node of a for_blocks");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::end).op = Op::region_end; }) ==
        "node 16 (region_end): no combining function is open");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::for_blocks).op = Op::end; }) == "node 8 (end): no region is open");
  CHECK(broken(medley(), [](auto& s) {
          ir::Node& n = find(s, Op::loop_condition);
          n.op = Op::stop_if;
        }).find("its while_loop has no condition") != std::string::npos);
  CHECK(broken(medley(), [](auto& s) {
          operand(s, find(s, Op::else_region), 0) = 2;
        }).find("its condition is not that of its if_region") != std::string::npos);
  CHECK(broken(medley(), [](auto& s) { find(s, Op::if_region).op = Op::while_loop; }).find("0 operands") !=
        std::string::npos);
  CHECK(broken(medley(), [](auto& s) { find(s, Op::param).imm = 4; }).find("there is no parameter 4") !=
        std::string::npos);
  CHECK(broken(medley(), [](auto& s) { find(s, Op::region_end).count = 1; }).find("it takes 2 operands, not 1") !=
        std::string::npos);
  Make deep("deep");
  const int c = deep.node(Op::literal, DType::b8, {}, {}, 1);
  for (int i = 0; i < 100; ++i) deep.plain(Op::if_region, {c});
  CHECK(defect(deep.s) == "node 65 (if_region): regions nest deeper than 64");
}

TEST_CASE("a combining function has no effects") {
  const auto with = [](auto body) {
    Make p("combine");
    using enum DType;
    const int en = p.extent("N"), x = p.arg(ir::Effect::in, f32, "x", {en}), y = p.arg(ir::Effect::out, f32, "y", {en});
    const int v = p.node(Op::var, f32, {p.f32(0)});
    const int n = p.block(Op::all_block, ir::AxisKind::all, "N", en, {});
    const int tile = p.node(Op::load, f32, {n}, {p.axis_of(n)}, x);
    p.node(Op::reduce, f32, {tile, p.f32(0)}, {}, p.axis_of(n));
    const int a = p.node(Op::param, f32, {}, {}, 0);
    body(p, n, v, a, y);
    p.plain(Op::region_end, {a});
    return defect(p.s);
  };
  CHECK(with([](Make&, int, int, int, int) {}) == "");
  CHECK(with([](Make& p, int, int, int a, int) {
          p.node(Op::set, DType::f32, {p.node(Op::var, DType::f32, {a}), a});
        }) == "");
  CHECK(with([](Make& p, int n, int, int a, int y) { p.node(Op::store, DType::f32, {n, a}, {p.axis_of(n)}, y); }) ==
        "node 7 (store): a combining function has no effects");
  CHECK(with([](Make& p, int, int v, int a, int) { p.node(Op::set, DType::f32, {v, a}); }) ==
        "node 7 (set): a combining function sets a Var from outside it");
  CHECK(with([](Make& p, int n, int, int, int) {
          p.node(Op::neg, DType::i64, {5}, {p.axis_of(n)});
        }).find("operand 0 is %5, which has no value") != std::string::npos);
}

TEST_CASE("types and axes of each class") {
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::add).type = DType::f64; }) ==
        "node 14 (add): operand 0 is f32, not f64");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::add).rank = 1; }) ==
        "node 14 (add): its axes are not those of its operands");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::eq).type = DType::f32; }) == "node 18 (eq): its type is f32, not b8");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::dot).type = DType::f16; }) ==
        "node 13 (dot): operand 0 is f32, which f16 cannot hold");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::dot).rank = 1; }) ==
        "node 13 (dot): it contracts axis 1, which one operand lacks");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::load).type = DType::f64; }) ==
        "node 11 (load): its type is f64, not f32");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::load).rank = 1; }) ==
        "node 11 (load): its axes are not those of its operands");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::load).imm = 2; }) == "node 11 (load): it reads an Out");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::store).imm = 0; }) == "node 20 (store): it writes an In");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::store).op = Op::accumulate; }) ==
        "node 20 (accumulate): its argument is not marked as accumulated");
  CHECK(broken(gemm(), [](auto& s) { s.args[2].accumulated = true; }) ==
        "node 20 (store): it stores into an Out that += targets");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::store).count = 2; }) == "node 20 (store): it takes 3 operands, not 2");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::broadcast).type = DType::f64; }) ==
        "node 5 (broadcast): operand 0 is f32, not f64");
  CHECK(broken(gemm(), [](auto& s) { find(s, Op::set).type = DType::f64, operand(s, find(s, Op::set), 1) = 0; }) ==
        "node 15 (set): operand 1 is i64, not f32");
  CHECK(broken(gemm(), [](auto& s) { s.axes[0].kind = ir::AxisKind::loop; }) ==
        "node 1 (grid_block): its axis is of another kind");
  CHECK(broken(gemm(), [](auto& s) { s.axes[0].extent = -1; }) == "node 1 (grid_block): its axis has no extent");
  CHECK(broken(medley(), [](auto& s) { find(s, Op::cast).imm = 9; }).find("no such rounding as 9") !=
        std::string::npos);
  CHECK(broken(medley(), [](auto& s) { find(s, Op::part).imm = 2; }).find("there is no result 2") != std::string::npos);
  CHECK(broken(medley(), [](auto& s) { find(s, Op::at).imm = 0; }).find("its axes are not those of its operands") !=
        std::string::npos);
  CHECK(broken(medley(), [](auto& s) { find(s, Op::topk).rank = 1; }).find("it has no axis for its places") !=
        std::string::npos);
  CHECK(broken(medley(), [](auto& s) { find(s, Op::scalar).imm = 0; }).find("its argument is no scalar") !=
        std::string::npos);
  Make u("literal");
  u.node(Op::literal, DType::u8, {}, {}, 256);
  CHECK(defect(u.s) == "node 0 (literal): its bits exceed the type's");
  Make r("random");
  const int seed = r.node(Op::literal, DType::u64, {}, {}, 1);
  r.node(Op::random, DType::u32, {seed, seed}, {}, 4);
  CHECK(defect(r.s) == "node 1 (random): it has words 0 to 3");
  Make g("grid");
  const int en = g.extent("N"), x = g.arg(ir::Effect::in, DType::i64, "x");
  g.arg(ir::Effect::in, DType::i64, "y", {en});
  const int loaded = g.node(Op::load, DType::i64, {}, {}, x);
  g.node(Op::grid_index, DType::i64, {loaded});
  CHECK(defect(g.s) == "node 1 (grid_index): its size is not known before launch");
}

TEST_CASE("the names of enumerators are as many as they are") {
  CHECK(std::size(ir::rounding_names) == static_cast<std::size_t>(Rounding::stochastic) + 1);
  CHECK(std::size(ir::saturation_names) == static_cast<std::size_t>(Saturation::overflow) + 1);
  CHECK(std::size(ir::atomic_names) == static_cast<std::size_t>(ir::AtomicKind::add) + 1);
  CHECK(std::size(ir::effect_names) == static_cast<std::size_t>(ir::Effect::registers) + 1);
  CHECK(std::size(ir::axis_kind_names) == static_cast<std::size_t>(ir::AxisKind::made) + 1);
}

TEST_CASE("garbage data is judged, and printed, without a fault") {
  std::mt19937_64 random(7);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const auto wild = [&]() -> std::int32_t {
    switch (below(4)) {
      case 0:
        return static_cast<std::int32_t>(random());
      case 1:
        return -1;
      default:
        return static_cast<std::int32_t>(below(70));
    }
  };
  int sound = 0;
  for (int round = 0; round < 6000; ++round) {
    ir::Storage s = round % 3 == 0 ? gemm() : round % 3 == 1 ? medley() : exchange();
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      ir::Node& n = s.nodes[below(s.nodes.size())];
      switch (below(16)) {
        case 0:
          n.op = static_cast<Op>(random());
          break;
        case 1:
          n.type = static_cast<DType>(random());
          break;
        case 2:
          n.rank = static_cast<std::uint8_t>(random());
          break;
        case 3:
          n.flags = static_cast<std::uint8_t>(random());
          break;
        case 4:
          n.count = static_cast<std::uint16_t>(below(2) ? below(5) : random());
          break;
        case 5:
          n.first = wild();
          break;
        case 6:
          n.imm = below(2) ? wild() : static_cast<std::int64_t>(random());
          break;
        case 7:
          n.axes[below(8)] = static_cast<std::uint8_t>(below(2) ? below(6) : random());
          break;
        case 8:
          n.op = static_cast<Op>(below(ir::op_count));
          break;
        case 9:
          s.operands[below(s.operands.size())] = wild();
          break;
        case 10:
          s.axes[below(s.axes.size())] = {wild(), wild(), wild(), wild(), static_cast<ir::AxisKind>(random())};
          break;
        case 11:
          s.args[below(s.args.size())].first_extent = wild();
          break;
        case 12:
          s.args[below(s.args.size())].rank = static_cast<std::uint8_t>(random());
          break;
        case 13:
          s.extents[below(s.extents.size())] = {wild(), wild(), wild()};
          break;
        case 14:
          s.names[below(s.names.size())] = {wild(), wild()};
          break;
        default:
          std::swap(n, s.nodes[below(s.nodes.size())]);
          break;
      }
    }
    CHECK(ir::print(s.view()).size() > 0);
    if (ir::verify(s.view())) continue;
    // What verifies can be canonicalised, printed and read back.
    ++sound;
    const ir::Storage c = ir::canonical(s.view());
    CHECK_MESSAGE(defect(c) == "", ir::to_text(c.view()));
    CHECK(ir::hash_of_canonical(c.view()) == ir::hash_of(c.view()));
    const ir::Parsed back = ir::parse(ir::to_text(s.view()));
    REQUIRE_MESSAGE(back, back.error.str() << ir::to_text(s.view()));
    CHECK(ir::canonical_bytes(back.program.view()) == ir::canonical_bytes(s.view()));
  }
  CHECK(sound < 3000);
  MESSAGE(sound << " of 6000 were sound");
}

}  // namespace
