// Canonical form and hash: what they must not see (order of recording, names, lines, dead nodes) and what they must.
#include "tessera/ir/canonical.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "make.hpp"
#include "tessera/ir/hash.hpp"
#include "tessera/ir/verify.hpp"

using namespace ir_test;

namespace {

// In constant evaluation, as a captured kernel has it.
constexpr ir::Hash gemm_hash = ir::hash_of(gemm().view());
static_assert(gemm_hash == ir::hash_of(gemm({}, true).view()));
static_assert(gemm_hash == ir::hash_of(gemm({"f", "A", "B", "C", "rows", "columns", "depth", "tile", "step"}).view()));
static_assert(ir::hash_of(exchange().view()) == ir::hash_of(exchange(true).view()));
static_assert(ir::hash_of(medley().view()) == ir::hash_of(medley(true).view()));
static_assert(!ir::verify(ir::canonical(medley(true).view()).view()));

bool same_data(const ir::Storage& a, const ir::Storage& b) {
  const auto node = [](const ir::Node& x, const ir::Node& y) {
    return x.op == y.op && x.type == y.type && x.rank == y.rank && x.flags == y.flags && x.count == y.count &&
           x.first == y.first && x.imm == y.imm && std::equal(x.axes, x.axes + ir::max_rank, y.axes);
  };
  return a.kernel_name == b.kernel_name && a.operands == b.operands && a.text == b.text && a.lines == b.lines &&
         a.arg_extents == b.arg_extents && a.extents == b.extents && a.nodes.size() == b.nodes.size() &&
         std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), node);
}

// Every field that the hash must see, one change each; the changed program need not make sense, only have an order.
std::vector<ir::Storage> changed(const ir::Storage& s) {
  std::vector<ir::Storage> all;
  const auto with = [&](auto change) {
    ir::Storage copy = s;
    change(copy);
    all.push_back(copy);
  };
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    const ir::Node& n = s.nodes[i];
    const auto node = [&](auto change) { with([&](ir::Storage& c) { change(c.nodes[i]); }); };
    node([](ir::Node& m) { m.type = m.type == DType::f64 ? DType::f16 : DType::f64; });
    node([](ir::Node& m) { m.flags ^= ir::flag_uniform; });
    if (ir::info(n.op).op_class == ir::OpClass::elementwise)
      node([](ir::Node& m) { m.op = m.op == Op::sub ? Op::div : Op::sub; });
    if (n.op == Op::sum || n.op == Op::any) node([](ir::Node& m) { m.op = Op::all; });
    if (n.op == Op::store) node([](ir::Node& m) { m.op = Op::accumulate; });
    if (n.rank > 0 && ir::info(n.op).op_class != ir::OpClass::block) node([](ir::Node& m) { --m.rank; });
    if (n.rank > 1) node([](ir::Node& m) { std::swap(m.axes[0], m.axes[1]); });
    for (const ir::ImmField& f : ir::imm_fields(n.op)) {
      const std::uint64_t v = f.get(n.imm);
      const auto imm = [&](std::uint64_t x) { node([&](ir::Node& m) { m.imm = f.set(m.imm, x); }); };
      switch (f.kind) {
        case ir::FieldKind::bits:
        case ir::FieldKind::number:
          imm(v ^ 1);
          break;
        case ir::FieldKind::string:
          if (s.names.size() > 1) imm(v == 0 ? 1 : 0);
          break;
        case ir::FieldKind::rounding:
        case ir::FieldKind::saturation:
        case ir::FieldKind::atomic:
          imm(v == 1 ? 2 : 1);
          break;
        case ir::FieldKind::arg:
          for (std::size_t a = 0; a < s.args.size(); ++a)
            if (a != v && s.args[a].effect < ir::Effect::shared) {
              imm(a);
              break;
            }
          break;
        case ir::FieldKind::extent:
          if (s.extents.size() > 1) imm(v == 0 ? 1 : 0);
          break;
        default:
          break;
      }
    }
    if (n.count == 2 &&
        s.operands[static_cast<std::size_t>(n.first)] != s.operands[static_cast<std::size_t>(n.first + 1)] &&
        !ir::writes_var(n.op) && !ir::writes_array(n.op))
      with([&](ir::Storage& c) {
        std::swap(c.operands[static_cast<std::size_t>(n.first)], c.operands[static_cast<std::size_t>(n.first + 1)]);
      });
  }
  for (std::size_t i = 0; i < s.args.size(); ++i) {
    const auto arg = [&](auto change) { with([&](ir::Storage& c) { change(c.args[i]); }); };
    arg([](ir::Arg& a) { a.type = a.type == DType::f64 ? DType::f16 : DType::f64; });
    arg([](ir::Arg& a) { a.effect = a.effect == ir::Effect::inout ? ir::Effect::out : ir::Effect::inout; });
    arg([](ir::Arg& a) { a.accumulated = !a.accumulated; });
    arg([](ir::Arg& a) { a.place.alignment = 128; });
    arg([](ir::Arg& a) { a.place.swizzle = 64; });
    if (s.args[i].rank > 0) arg([](ir::Arg& a) { --a.rank; });
  }
  for (std::size_t i = 0; i < s.arg_extents.size() && s.extents.size() > 1; ++i)
    with([&](ir::Storage& c) { c.arg_extents[i] = c.arg_extents[i] == 0 ? 1 : 0; });
  for (std::size_t i = 0; i < s.extents.size(); ++i) {
    with([&](ir::Storage& c) { ++c.extents[i].plus; });
    with([&](ir::Storage& c) { ++c.extents[i].divide; });
  }
  for (std::size_t i = 0; i < s.axes.size(); ++i) {
    with([&](ir::Storage& c) {
      c.axes[i].kind = c.axes[i].kind == ir::AxisKind::span ? ir::AxisKind::made : ir::AxisKind::span;
    });
    with([&](ir::Storage& c) { c.axes[i].extent = c.axes[i].extent == -1 ? 0 : -1; });
    if (s.axes.size() > 1)
      with([&](ir::Storage& c) { c.axes[i].parent = c.axes[i].parent == -1 ? (i == 0 ? 1 : 0) : -1; });
  }
  return all;
}

TEST_CASE("canonicalising again changes nothing") {
  for (const ir::Storage& s : {gemm(), gemm({}, true), exchange(true), medley(true)}) {
    REQUIRE_MESSAGE(!ir::verify(s.view()), ir::verify(s.view()).text.view());
    const ir::Storage once = ir::canonical(s.view()), twice = ir::canonical(once.view());
    CHECK(same_data(once, twice));
    CHECK(ir::hash_of(s.view()) == ir::hash_of_canonical(once.view()));
    CHECK_MESSAGE(!ir::verify(once.view()), ir::verify(once.view()).text.view());
  }
}

TEST_CASE("the order of pure nodes and reads between effects does not matter") {
  ir::Storage a = ir::canonical(gemm().view()), b = ir::canonical(gemm({}, true).view());
  a.lines.clear();
  b.lines.clear();
  CHECK(same_data(a, b));
  CHECK(ir::canonical_bytes(exchange().view()) == ir::canonical_bytes(exchange(true).view()));
}

TEST_CASE("reads stay before the writes that followed them") {
  const ir::Storage s = ir::canonical(exchange().view());
  int get = -1, set = -1, load = -1, store = -1;
  for (int i = 0; i < static_cast<int>(s.nodes.size()); ++i) {
    const ir::Node& n = s.nodes[static_cast<std::size_t>(i)];
    if (n.op == Op::set && set < 0) set = i;
    if (n.op == Op::get && set < 0) get = i;  // the last before the first set
    if (n.op == Op::store && store < 0) store = i;
    if (n.op == Op::load && store < 0) load = i;
  }
  int gets = 0, loads = 0;
  for (int i = 0; i < set; ++i) gets += s.nodes[static_cast<std::size_t>(i)].op == Op::get;
  for (int i = 0; i < store; ++i) loads += s.nodes[static_cast<std::size_t>(i)].op == Op::load;
  CHECK(gets == 2);
  CHECK(loads == 2);
  CHECK(get < set);
  CHECK(load < store);
}

TEST_CASE("dead nodes, and what only they use, drop") {
  const ir::Storage with = medley(true), without = ir::canonical(with.view());
  CHECK(without.nodes.size() == medley().nodes.size());
  CHECK(without.axes.size() == medley().axes.size());
  ir::CanonicalMap map;
  const ir::Storage tidied = ir::tidy(with.view(), &map);
  CHECK(tidied.nodes.size() == without.nodes.size());
  CHECK(map.nodes.size() == with.nodes.size());
  int dropped = 0;
  for (std::int32_t to : map.nodes) dropped += to < 0;
  CHECK(dropped == 3);
}

TEST_CASE("tidy keeps the tables that frames and configurations index") {
  ir::Storage s = gemm();
  s.tunables.insert(s.tunables.begin(), ir::Tunable{0});
  for (ir::Node& n : s.nodes)
    if (n.op == Op::tunable) ++n.imm;
  std::swap(s.extents[0], s.extents[1]);
  const auto swapped = [](std::int32_t e) { return e == 0 ? 1 : e == 1 ? 0 : e; };
  for (std::int32_t& e : s.arg_extents) e = swapped(e);
  for (ir::Axis& a : s.axes) a.extent = swapped(a.extent);
  const ir::Storage tidied = ir::tidy(s.view());
  CHECK(tidied.tunables.size() == 3);
  CHECK(tidied.extents == s.extents);
  CHECK(tidied.arg_extents == s.arg_extents);
  CHECK(ir::canonical(s.view()).tunables.size() == 2);
  CHECK(ir::hash_of(s.view()) == gemm_hash);
  CHECK(ir::hash_of(tidied.view()) == gemm_hash);
}

TEST_CASE("the grid keeps its order and its unused dimensions") {
  Make p("grid");
  const int en = p.extent("N"), h = p.arg(ir::Effect::out, DType::i64, "h");
  p.s.args[0].accumulated = true;
  const int cut = p.i64(4);
  p.block(Op::grid_block, ir::AxisKind::grid, "N", en, {cut});
  p.node(Op::accumulate, DType::i64, {p.i64(1)}, {}, h);
  const ir::Storage c = ir::canonical(p.s.view());
  CHECK(c.nodes.size() == 4);
  CHECK(c.nodes[1].op == Op::grid_block);
}

TEST_CASE("names and lines are not hashed, every semantic field is") {
  for (ir::Storage s : {gemm(), exchange(), medley()}) {
    const ir::Hash hash = ir::hash_of(s.view());
    ir::Storage other = s;
    other.kernel_name = {'x'};
    for (std::uint32_t& line : other.lines) line += 100;
    CHECK(ir::hash_of(other.view()) == hash);
    other.lines.clear();
    CHECK(ir::hash_of(other.view()) == hash);

    std::set<ir::Hash> seen{hash};
    std::size_t count = 0;
    for (const ir::Storage& c : changed(s)) {
      // A field that the canonical form makes out of others, such as the name of an extent that nothing else has, is no
      // change; `changed` makes none of these.
      const bool fresh = ir::hash_of(c.view()) != hash;
      CHECK_MESSAGE(fresh, "change " << count << " of " << std::string(s.kernel_name.begin(), s.kernel_name.end()));
      ++count;
    }
    CHECK(count > 3 * s.nodes.size());
  }
}

TEST_CASE("literals count by their value's bits") {
  const auto with = [](std::int64_t imm) {
    Make p("literal");
    const int h = p.arg(ir::Effect::out, DType::u8, "h");
    const int v = p.node(Op::literal, DType::u8, {}, {}, imm);
    p.node(Op::store, DType::u8, {v}, {}, h);
    return ir::hash_of(p.s.view());
  };
  CHECK(with(255) == with(-1));
  CHECK(with(255) != with(127));
}

TEST_CASE("a combining function comes with its first user, or not at all") {
  ir::Storage s = medley();
  // Without the stores that use its parts, the reduction is dead, region and all.
  std::vector<ir::Node> kept;
  for (ir::Node& n : s.nodes)
    if (n.op == Op::store) n.op = Op::print, n.imm = s.nodes[3].imm, n.count = 0, n.rank = 0, n.type = DType::i64;
  REQUIRE_MESSAGE(!ir::verify(s.view()), ir::verify(s.view()).text.view());
  const ir::Storage c = ir::canonical(s.view());
  for (const ir::Node& n : c.nodes) CHECK(n.op != Op::reduce);
  for (const ir::Node& n : c.nodes) CHECK(n.op != Op::param);
  CHECK_MESSAGE(!ir::verify(c.view()), ir::verify(c.view()).text.view());
}

TEST_CASE("a read inside a combining function precedes the write that followed it") {
  for (const bool swap : {false, true}) {
    Make p("capture");
    using enum DType;
    const int en = p.extent("N"), x = p.arg(ir::Effect::in, f32, "x", {en}), y = p.arg(ir::Effect::out, f32, "y");
    const int v = p.node(Op::var, f32, {p.f32(0x3f800000)});
    const int n = p.block(Op::all_block, ir::AxisKind::all, "N", en, {}), an = p.axis_of(n);
    const int tile = p.node(Op::load, f32, {n}, {an}, x), zero = p.f32(0);
    const int sum = p.node(Op::reduce, f32, {tile, zero}, {}, an);
    int a, b, scale;
    if (swap)
      scale = p.node(Op::get, f32, {v}), b = p.node(Op::param, f32, {}, {}, 1), a = p.node(Op::param, f32, {}, {}, 0);
    else
      a = p.node(Op::param, f32, {}, {}, 0), b = p.node(Op::param, f32, {}, {}, 1), scale = p.node(Op::get, f32, {v});
    p.plain(Op::region_end, {p.node(Op::fma, f32, {a, scale, b})});
    const int result = p.node(Op::part, f32, {sum}, {}, 0);
    p.node(Op::set, f32, {v, p.f32(0)});
    p.node(Op::store, f32, {p.node(Op::add, f32, {result, p.node(Op::get, f32, {v})})}, {}, y);
    REQUIRE_MESSAGE(!ir::verify(p.s.view()), ir::verify(p.s.view()).text.view());
    const ir::Storage c = ir::canonical(p.s.view());
    int reduce = -1, set = -1;
    for (int i = 0; i < static_cast<int>(c.nodes.size()); ++i) {
      if (c.nodes[static_cast<std::size_t>(i)].op == Op::reduce) reduce = i;
      if (c.nodes[static_cast<std::size_t>(i)].op == Op::set) set = i;
    }
    CHECK(reduce < set);
    CHECK_MESSAGE(!ir::verify(c.view()), ir::verify(c.view()).text.view());
  }
}

TEST_CASE("an axis renamed and a block renamed to it, in either order") {
  const auto renamed = [](bool swap) {
    Make p("outer");
    using enum DType;
    const int en = p.extent("N"), x = p.arg(ir::Effect::in, f32, "x", {en}),
              y = p.arg(ir::Effect::out, f32, "y", {en, en});
    const int n = p.block(Op::all_block, ir::AxisKind::all, "N", en, {}), an = p.axis_of(n);
    const int tile = p.node(Op::load, f32, {n}, {an}, x);
    const int aj = p.axis("J", ir::AxisKind::alias, en, static_cast<int>(p.s.nodes.size()), an);
    const auto rename = [&] { return p.node(Op::rename, f32, {tile}, {aj}, an | std::int64_t{aj} << 32); };
    const auto alias = [&] { return p.node(Op::alias, i64, {n}, {aj}); };
    int r, b;
    if (swap)
      r = rename(), b = alias();
    else
      b = alias(), r = rename();
    p.node(Op::store, f32, {n, b, p.node(Op::mul, f32, {tile, r}, {an, aj})}, {an, aj}, y);
    return p.s;
  };
  const ir::Storage a = renamed(false), b = renamed(true);
  REQUIRE_MESSAGE(!ir::verify(a.view()), ir::verify(a.view()).text.view());
  REQUIRE_MESSAGE(!ir::verify(b.view()), ir::verify(b.view()).text.view());
  CHECK(ir::hash_of(a.view()) == ir::hash_of(b.view()));
  const ir::Storage c = ir::canonical(b.view());
  CHECK_MESSAGE(!ir::verify(c.view()), ir::verify(c.view()).text.view());
}

TEST_CASE("a long chain of nodes needs no deep recursion") {
  Make p("chain");
  const int h = p.arg(ir::Effect::out, DType::i64, "h"), one = p.i64(1);
  int v = one;
  for (int i = 0; i < 200000; ++i) v = p.node(Op::add, DType::i64, {v, one});
  p.node(Op::store, DType::i64, {v}, {}, h);
  CHECK(ir::canonical(p.s.view()).nodes.size() == p.s.nodes.size());
}

TEST_CASE("a hash prints as 32 hexadecimal digits") {
  CHECK(ir::Hash{0x0123456789abcdef, 15}.hex() == "0123456789abcdef000000000000000f");
  std::set<ir::Hash> seen;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    ir::detail::Mixer m;
    m.add(i);
    m.add(i >> 3);
    seen.insert(m.result());
  }
  CHECK(seen.size() == 20000);
}

}  // namespace
