// Owns dot: the contraction of two tiles over axes, fused multiply-adds in ascending order.
#pragma once

#include <string>

#include "tessera/interpret/reduce.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// One operand of a dot with its offsets: the words of result lane o start at offset[o] and are contiguous.
struct DotSide {
  Folded folded;
  std::vector<std::size_t> offset;

  void lay_out(const Machine& m, const Value& v, const Shape& result, const Shape& contracted, DType type) {
    Shape kept;
    for (int i = 0; i < result.rank; ++i)
      if (v.shape.find(result.axes[i]) >= 0) kept.add(result.axes[i], result.lanes[i]);
    folded.lay_out(m, v, kept, contracted, type);
    std::vector<std::size_t> rows(folded.outer);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i * folded.inner;
    offset.resize(static_cast<std::size_t>(result.count()));
    spread(rows.data(), kept, offset.data(), result);
  }
};

template <class Arithmetic>
void dot_float(Machine& m, Arithmetic t, const DotSide& a, const DotSide& b, double terms, Value& v) {
  using N = decltype(t.get(0));
  const auto numbers = [&](const Folded& f) {
    std::vector<N> x(f.words.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = t.get(f.words[i]);
    return x;
  };
  const std::vector<N> xs = numbers(a.folded), ys = numbers(b.folded);
  const bool masked = !a.folded.exists.empty() || !b.folded.exists.empty();
  const bool errors_given = !a.folded.error.empty() || !b.folded.error.empty();
  const std::size_t inner = a.folded.inner;
  const Ulp ulp(v.type);
  for (std::size_t o = 0; o < v.size(); ++o) {
    const std::size_t pa = a.offset[o], pb = b.offset[o];
    N acc = 0;
    Exact<Arithmetic> exact = 0;
    SumFacts facts;
    for (std::size_t i = 0; i < inner; ++i) {
      if (masked && !(a.folded.has(pa + i) && b.folded.has(pb + i))) continue;
      const N x = xs[pa + i], y = ys[pb + i];
      acc = t.get(t.put(fma_in(t, x, y, acc)));
      if (!m.options.bounds) continue;
      const auto p = static_cast<Exact<Arithmetic>>(x) * static_cast<Exact<Arithmetic>>(y);
      exact += p;
      if (std::isfinite(x) && std::isfinite(y))
        facts.magnitude += std::fabs(static_cast<double>(p));
      else
        facts.special = true;
      if (errors_given)
        facts.errors += product_error(static_cast<double>(x), a.folded.error_at(pa + i), static_cast<double>(y),
                                      b.folded.error_at(pb + i));
    }
    v.words[o] = t.put(acc);
    if (!m.options.bounds) continue;
    facts.own = static_cast<double>(std::fabs(exact - acc));
    // One more rounding for each product that is not fused.
    v.error[o] = sum_error(v.type, ulp, 2 * terms, facts, static_cast<double>(acc));
  }
}

inline void dot_integer(Machine& m, std::int32_t id, const DotSide& a, const DotSide& b, Value& v) {
  const DTypeInfo& t = info(v.type);
  for (std::size_t o = 0; o < v.size(); ++o) {
    const std::size_t pa = a.offset[o], pb = b.offset[o];
    Word acc = 0;
    Wrong wrong = Wrong::none;
    double errors = 0;
    for (std::size_t i = 0; i < a.folded.inner; ++i) {
      if (!(a.folded.has(pa + i) && b.folded.has(pb + i))) continue;
      const Word x = a.folded.words[pa + i], y = b.folded.words[pb + i];
      acc = integer_op(ir::Op::add, t, v.type, acc, integer_op(ir::Op::mul, t, v.type, x, y, wrong), wrong);
      if (!v.error.empty())
        errors +=
            product_error(number(v.type, x), a.folded.error_at(pa + i), number(v.type, y), b.folded.error_at(pb + i));
    }
    v.words[o] = acc;
    if (!v.error.empty()) v.error[o] = errors;
    if (wrong != Wrong::none && m.lane_exists(v.shape, static_cast<std::int64_t>(o), v.gone))
      m.found(FindingKind::overflow, id,
              "dot in " + std::string(t.name) + " overflows" + m.place(v.shape, static_cast<std::int64_t>(o)));
  }
}

/// Evaluates dot: axes of either operand that the result lacks are contracted.
inline void run_dot(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const Value &x = m.operand(n, 0), &y = m.operand(n, 1);
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  Shape contracted;
  for (const Value* side : {&x, &y})
    for (int i = 0; i < side->shape.rank; ++i)
      if (v.shape.find(side->shape.axes[i]) < 0 && contracted.find(side->shape.axes[i]) < 0)
        contracted.add(side->shape.axes[i], side->shape.lanes[i]);
  DotSide a, b;
  a.lay_out(m, x, v.shape, contracted, n.type);
  b.lay_out(m, y, v.shape, contracted, n.type);
  const bool is_float = info(n.type).is_floating();
  if (m.options.bounds && (is_float || !x.error.empty() || !y.error.empty())) v.error.assign(v.size(), 0.0);
  if (is_float)
    with_arithmetic(n.type, [&](auto t) { dot_float(m, t, a, b, terms_over(m, contracted), v); });
  else
    dot_integer(m, id, a, b, v);
}

}  // namespace interpreter
TESSERA_END
