// Owns the recipes of operations that move lanes or rename axes.
#include "tests/conformance/recipe.hpp"

namespace conformance {

using namespace tessera;

namespace {

Recipe over(Op op, std::string how, std::function<void(Kernel, DType)> body, Shape shape = Shape::line) {
  return {op, std::move(how), any_type, shape, std::move(body)};
}

}  // namespace

std::vector<Recipe> shape_recipes() {
  std::vector<Recipe> all;
  // Values are those of the larger of two arrays, so that what moves is computed and not only read.
  all.push_back(over(Op::at, "flipped", [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), y = in(k, t, "y", {"N"}), r = out(k, t, {"N"});
    const Block n = k.all("N");
    r(n) = at<"N">(node(k, Op::max, t, {x(n), y(n)}), k.extent("N") - 1 - n);
  }));
  all.push_back(over(Op::at, "by an index", [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), y = in(k, t, "y", {"N"}), i = in(k, DType::i32, "g", {"N"});
    const Array r = out(k, t, {"N"});
    const Block n = k.all("N");
    r(n) = at<"N">(node(k, Op::max, t, {x(n), y(n)}), i(n));
  }));
  all.back().bound = Bound::lanes;
  all.back().work = [](DType) { return 2.0; };
  all.push_back(over(Op::pad, "neighbours", [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), y = in(k, t, "y", {"N"}), r = out(k, t, {"N"});
    const Block n = k.all("N");
    const Tile v = pad(node(k, Op::max, t, {x(n), y(n)}), unit(t));
    r(n) = node(k, Op::min, t, {at<"N">(v, n - 1), at<"N">(v, n + 1)});
  }));
  all.push_back(over(
      Op::rename, "rows by rows",
      [](Kernel k, DType t) {
        const Array x = in(k, t, "x", {"M", "N"}), y = in(k, t, "y", {"M", "N"}), r = out(k, t, {"M", "N"});
        const Block m = k.block("M", BM), n = k.all("N");
        const Tile v = node(k, Op::max, t, {x(m, n), y(m, n)});
        r(m, by_name::as(n, "J")) = as<"N", "J">(v);
      },
      Shape::rows));
  all.push_back(over(Op::split, "into eights", [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), y = in(k, t, "y", {"N"}), r = out(k, t, {"G", "E"});
    const Block n = k.all("N"), g = k.all("G"), e = k.lanes("E", 8);
    r(g, e) = split<"N">(node(k, Op::max, t, {x(n), y(n)}), g, e);
  }));
  all.push_back(over(Op::merge, "of eights", [](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"G", "E"}), y = in(k, t, "y", {"G", "E"}), r = out(k, t, {"N"});
    const Block n = k.all("N"), g = k.all("G"), e = k.lanes("E", 8);
    r(n) = merge<"G", "E">(node(k, Op::max, t, {x(g, e), y(g, e)}), n);
  }));
  all.push_back(over(
      Op::join, "row after row",
      [](Kernel k, DType t) {
        const Array x = in(k, t, "x", {"M", "N"}), y = in(k, t, "y", {"M", "P"}), r = out(k, t, {"M", "Q"});
        const Block m = k.block("M", BM), n = k.all("N"), p = k.all("P"), q = k.all("Q");
        const Tile both = join<"C">(as<"N", "C">(x(m, n)), as<"P", "C">(y(m, p)));
        r(m, q) = at<"C">(both, q);
      },
      Shape::rows));
  return all;
}

}  // namespace conformance
