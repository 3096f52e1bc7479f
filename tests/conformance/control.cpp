// Owns the recipes of leaves, blocks, control and effects.
#include "tests/conformance/recipe.hpp"

namespace conformance {

using namespace tessera;

namespace {

using Body = std::function<void(Kernel, DType)>;

Recipe over(Op op, std::string how, Types types, Body body, Shape shape = Shape::line) {
  return {op, std::move(how), types, shape, std::move(body)};
}

// A number of rank 0, added to the positions of a block of 64.
Recipe number(Op op, std::string how, std::function<Tile(Kernel, const Block&)> value) {
  return over(op, std::move(how), positions, [value](Kernel k, DType t) {
    const Array r = out(k, t, {"N"});
    const Block n = k.block("N", 64);
    r(n) = n + value(k, n);
  });
}

void add_leaves(std::vector<Recipe>& all) {
  all.push_back(over(Op::literal, "", any_type, [](Kernel k, DType t) {
    const Array r = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    const Operand none[] = {Operand(0)};
    r(n) = k.full(t, unit(t), none, 0);
  }));
  all.push_back(over(Op::scalar, "", any_type, [](Kernel k, DType t) {
    const Tile s = k.scalar(t, "s");
    const Array r = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    r(n) = s;
  }));
  all.push_back(number(Op::extent, "", [](Kernel k, const Block&) { return k.extent("N"); }));
  all.push_back(number(Op::tunable, "", [](Kernel k, const Block&) { return k.value(BN); }));
  all.push_back(number(Op::linear_id, "", [](Kernel k, const Block&) { return k.linear_id(); }));
  all.push_back(number(Op::group_id, "", [](Kernel k, const Block&) { return k.group_id(); }));
  all.push_back(number(Op::block_id, "", [](Kernel k, const Block&) { return k.block_id("N"); }));
  all.push_back(number(Op::block_begin, "", [](Kernel, const Block& n) { return n.begin(); }));
  all.push_back(number(Op::block_end, "", [](Kernel, const Block& n) { return n.end(); }));
  all.push_back(number(Op::block_count, "", [](Kernel, const Block& n) { return n.count(); }));
  all.push_back(number(Op::block_number, "", [](Kernel, const Block& n) { return n.number(); }));
}

void add_blocks(std::vector<Recipe>& all) {
  all.push_back(over(Op::grid_block, "", positions, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), r = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    r(n) = n + x(n);
  }));
  all.push_back(over(
      Op::grid_index, "", positions,
      [](Kernel k, DType t) {
        const Array x = in(k, t, "x", {"M", "N"}), r = out(k, t, {"M", "N"});
        const Tile m = k.index("M");
        const Block n = k.all("N");
        r(m, n) = m + x(m, n);
      },
      Shape::rows));
  const Body loop = [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), r = out(k, t, {"N"});
    for (const Block& n : k.blocks("N", 64)) r(n) = n + x(n);
  };
  all.push_back(over(Op::loop_block, "", positions, loop));
  all.push_back(over(
      Op::loop_index, "", positions,
      [](Kernel k, DType t) {
        const Array x = in(k, t, "x", {"M", "N"}), r = out(k, t, {"M", "N"});
        const Block n = k.block("N", BN);
        for (const Tile& m : k.range(0, k.extent("M"))) r(m, n) = m + x(m, n);
      },
      Shape::rows));
  all.push_back(over(Op::all_block, "", positions, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), r = out(k, t, {"N"});
    const Block n = k.all("N");
    r(n) = n + x(n);
  }));
  all.push_back(over(
      Op::span_block, "", positions,
      [](Kernel k, DType t) {
        const Array x = in(k, t, "x", {"M", "N"}), r = inout(k, t, "z", {"M", "N"});
        const Tile m = k.index("M");
        const Block n = k.span("N", 4096, m, k.extent("N"));
        r(m, n) = n + x(m, n);
      },
      Shape::rows));
  for (const bool threads : {false, true})
    all.push_back(over(
        threads ? Op::threads_block : Op::lanes_block, "", positions,
        [threads](Kernel k, DType t) {
          const Array x = in(k, t, "x", {"M", "N"}), r = out(k, t, {"M", "N"});
          const Block m = k.block("M", BM);
          const Block n = threads ? k.threads("L", 16) : k.lanes("L", 16);
          r(m, n) = n + x(m, n);
        },
        Shape::shorts));
  all.push_back(over(Op::grow, "", positions, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), r = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    const Tile v = pad(x(n.grow(1)) + n.grow(1), 0);
    r(n) = at<"N">(v, n - 1) + at<"N">(v, n + 1);
  }));
  all.push_back(over(
      Op::alias, "", positions,
      [](Kernel k, DType t) {
        const Array x = in(k, t, "x", {"N"}), r = out(k, t, {"N"});
        const Block n = k.block("N", BN);
        const Block j = by_name::as(k.all("N"), "J");
        r(n) = n + sum<"J">(where(j <= n, x(j), 0));
      },
      Shape::pairs));
  all.back().bound = Bound::formula;
  all.back().work = [](DType) { return 4.0 * 256; };  // a comparison, a choice and an addition of i64 for each pair
}

void add_control(std::vector<Recipe>& all) {
  const Body copy_blocks = [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), y = in(k, t, "y", {"N"}), r = out(k, t, {"N"});
    for (const Block& n : k.blocks("N", 64)) r(n) = node(k, Op::max, t, {x(n), y(n)});
  };
  const Body range = [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"M", "N"}), r = out(k, t, {"M", "N"});
    const Block n = k.block("N", BN);
    Var v = x(0, n);
    for (const Tile& m : k.range(0, k.extent("M"))) {
      v = node(k, Op::max, t, {v, x(m, n)});
      r(m, n) = v;
    }
  };
  const Body turns = [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), y = in(k, t, "y", {"N"}), r = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    Var v = x(n);
    Var turn = k.zeros<i32>();
    while (k.loop(turn < 2)) {
      v = node(k, Op::max, t, {v, y(n)});
      turn += 1;
    }
    r(n) = v;
  };
  const Body branch = [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"M", "N"}), y = in(k, t, "y", {"M", "N"}), r = out(k, t, {"M", "N"});
    const Tile m = k.index("M");
    const Block n = k.all("N");
    if (auto even = k.when(m % 2 == 0)) r(m, n) = x(m, n);
    if (auto odd = k.otherwise()) r(m, n) = node(k, Op::max, t, {x(m, n), y(m, n)});
  };
  for (Op op : {Op::for_blocks, Op::end}) all.push_back(over(op, "", any_type, copy_blocks));
  all.push_back(over(Op::for_range, "", any_type, range, Shape::rows));
  for (Op op : {Op::while_loop, Op::loop_condition}) all.push_back(over(op, "", any_type, turns));
  for (Op op : {Op::if_region, Op::else_region}) all.push_back(over(op, "", any_type, branch, Shape::rows));
  all.push_back(over(
      Op::stop_if, "", any_type,
      [](Kernel k, DType t) {
        const Array x = in(k, t, "x", {"M", "N"}), r = inout(k, t, "z", {"M", "N"});
        const Tile m = k.index("M");
        const Block n = k.all("N");
        k.stop_if(m % 2 == 1);
        r(m, n) = x(m, n);
      },
      Shape::rows));
  all.push_back(over(Op::expects, "", any_type, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), r = out(k, t, {"N"});
    k.expects(k.extent("N") > 0, "there is something");
    const Block n = k.block("N", BN);
    r(n) = x(n);
  }));
  all.push_back(over(Op::check, "", any_type, [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), r = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    k.check(node(k, Op::eq, DType::b8, {x(n), x(n)}), "elements are themselves");
    r(n) = x(n);
  }));
  all.push_back(over(Op::print, "of a number", any_type, [](Kernel k, DType t) {
    const Tile s = k.scalar(t, "s");
    const Array x = in(k, t, "x", {"N"}), r = out(k, t, {"N"});
    const Block n = k.all("N");
    k.print("s = {}", s);
    r(n) = node(k, Op::max, t, {x(n), s});
  }));
}

}  // namespace

std::vector<Recipe> control_recipes() {
  std::vector<Recipe> all;
  add_leaves(all);
  add_blocks(all);
  add_control(all);
  return all;
}

std::vector<Recipe> all_recipes() {
  std::vector<Recipe> all;
  for (auto make : {control_recipes, elementwise_recipes, axis_recipes, shape_recipes, memory_recipes})
    for (Recipe& r : make()) all.push_back(std::move(r));
  return all;
}

}  // namespace conformance
