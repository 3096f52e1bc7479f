// Owns reductions over axes: sum, prod, max, min, argmax, argmin, any, all; lanes in ascending order.
#pragma once

#include <cmath>
#include <string>
#include <type_traits>

#include "tessera/interpret/bounds.hpp"
#include "tessera/interpret/machine.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// An operand laid out for a reduction: `outer` × `inner` lanes, the inner ones over the axes that go.
struct Folded {
  Shape shape;  ///< the kept axes, then the others
  std::vector<Word> words;
  std::vector<double> error;
  std::vector<std::uint8_t> exists;  ///< empty: all
  std::size_t outer = 1, inner = 1;

  bool has(std::size_t i) const { return exists.empty() || exists[i] != 0; }
  double error_at(std::size_t i) const { return error.empty() ? 0.0 : error[i]; }

  /// Lays out `v` with the axes `kept` outside and `folded` inside, in type `type`.
  void lay_out(const Machine& m, const Value& v, const Shape& kept, const Shape& folded, DType type) {
    shape = kept;
    for (int i = 0; i < folded.rank; ++i) shape.add(folded.axes[i], folded.lanes[i]);
    outer = static_cast<std::size_t>(kept.count());
    inner = static_cast<std::size_t>(folded.count());
    const std::size_t n = outer * inner;
    words.resize(n);
    spread(v.words.data(), v.shape, words.data(), shape);
    if (v.type != type)
      for (Word& w : words) w = canonical(type, convert_bits(v.type, type, w));
    error.resize(v.error.empty() ? 0 : n);
    if (!v.error.empty()) spread(v.error.data(), v.shape, error.data(), shape);
    std::vector<std::uint8_t> gone(v.gone.empty() ? 0 : n);
    if (!v.gone.empty()) spread(v.gone.data(), v.shape, gone.data(), shape);
    exists = m.existing(shape, &gone);
  }
};

/// Whether zeros of both signs are among the lanes of row `o`.
inline bool has_both_zeros(const Folded& f, DType type, std::size_t o) {
  bool plus = false, minus = false;
  for (std::size_t i = o * f.inner; info(type).is_floating() && i < (o + 1) * f.inner; ++i) {
    if (!f.has(i)) continue;
    if (const double x = number(type, f.words[i]); x == 0) (std::signbit(x) ? minus : plus) = true;
  }
  return plus && minus;
}

/// How many terms a sum over these axes may have been cut from: all positions of their extents, since planning may
/// join the blocks of a loop into one sum.
inline double terms_over(const Machine& m, const Shape& axes) {
  double n = 1;
  for (int i = 0; i < axes.rank; ++i) {
    const std::int32_t extent = m.program.axes[axes.axes[i]].extent;
    n *= static_cast<double>(extent < 0 ? axes.lanes[i] : m.extents[static_cast<std::size_t>(extent)]);
  }
  return std::max(n, 2.0);
}

/// What a sum is kept in beside its own type, to know its error: all but exact.
template <class Arithmetic>
using Exact = std::conditional_t<std::is_same_v<Arithmetic, ArithmeticF64>, long double, double>;

/// The bound of a sum of up to `terms` terms in any order: what the interpreter rounded, and what another order may
/// round, half a unit of the sum of magnitudes for each term.
inline double sum_error(DType type, const Ulp& ulp, double terms, const SumFacts& f, double result) {
  if (std::isnan(f.errors) || f.errors == unbounded) return unbounded;
  // A loop that adds such sums up may go on from what it has, which is unknown here: of wide types, some room is left.
  const double room = info(type).max_exponent > 64 ? 16 : 1;
  if (f.magnitude * room > number(type, largest_bits(type))) return unbounded;
  if (!std::isfinite(result)) return f.special ? 0 : unbounded;
  if (std::isnan(f.own)) return unbounded;
  if (f.magnitude == 0) return f.errors;
  return f.errors + f.own + terms * 0.5 * (ulp.relative * f.magnitude + ulp.absolute);
}

inline void fold_float(Machine& m, const ir::Node& n, const Folded& f, double terms, Value& v) {
  const bool bounds = m.options.bounds, is_sum = n.op == ir::Op::sum;
  const Ulp ulp(v.type);
  with_arithmetic(v.type, [&](auto t) {
    using N = decltype(t.get(0));
    for (std::size_t o = 0; o < f.outer; ++o) {
      N acc = is_sum ? N(0) : N(1);
      Exact<decltype(t)> exact = 0;
      SumFacts facts;
      ProductFacts factors;
      std::size_t present = 0;
      for (std::size_t i = o * f.inner; i < (o + 1) * f.inner; ++i) {
        if (!f.has(i)) continue;
        const N x = t.get(f.words[i]);
        const double before = static_cast<double>(acc), ex = f.error_at(i);
        ++present;
        acc = t.get(t.put(is_sum ? acc + x : acc * x));
        if (!bounds) continue;
        facts.add(static_cast<double>(x));
        if (!is_sum) factors.multiply(static_cast<double>(x));
        exact += x;
        if (is_sum)
          facts.errors += ex;
        else
          facts.errors =
              product_error(before, facts.errors, static_cast<double>(x), ex) + 2 * ulp(static_cast<double>(acc));
      }
      v.words[o] = t.put(acc);
      if (!bounds || present == 0) continue;
      const double r = static_cast<double>(acc);
      facts.own = static_cast<double>(std::fabs(exact - acc));
      v.error[o] = is_sum                                  ? sum_error(v.type, ulp, terms, facts, r)
                   : present > 1 && factors.leaves(v.type) ? unbounded
                                                           : rounded_error(facts.errors, r, ulp, facts.special, true);
    }
  });
}

inline void fold_integer(Machine& m, std::int32_t id, const ir::Node& n, const Folded& f, Value& v) {
  const DTypeInfo& t = info(v.type);
  const ir::Op op = n.op == ir::Op::sum ? ir::Op::add : ir::Op::mul;
  for (std::size_t o = 0; o < f.outer; ++o) {
    Word acc = n.op == ir::Op::sum ? 0 : 1;
    Wrong wrong = Wrong::none;
    double errors = 0;
    for (std::size_t i = o * f.inner; i < (o + 1) * f.inner; ++i) {
      if (!f.has(i)) continue;
      if (!f.error.empty())
        errors = n.op == ir::Op::sum
                     ? errors + f.error[i]
                     : product_error(number(v.type, acc), errors, number(v.type, f.words[i]), f.error[i]);
      acc = integer_op(op, t, v.type, acc, f.words[i], wrong);
    }
    v.words[o] = acc;
    if (!v.error.empty()) v.error[o] = errors;
    if (wrong != Wrong::none && m.lane_exists(v.shape, static_cast<std::int64_t>(o), v.gone))
      m.found(FindingKind::overflow, id,
              std::string(ir::info(n.op).text) + " in " + std::string(t.name) + " overflows" +
                  m.place(v.shape, static_cast<std::int64_t>(o)));
  }
}

/// Whether a comes before b in ascending order; NaN is above everything.
inline bool word_less(DType type, Word a, Word b) {
  const DTypeInfo& t = info(type);
  if (t.is_floating()) {
    const double x = number(type, a), y = number(type, b);
    return std::isnan(y) ? !std::isnan(x) : x < y;
  }
  return t.is_signed_integer() ? static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b) : a < b;
}

/// max, min and where they are: the first of ties; NaN wins.
inline void fold_extreme(Machine& m, const ir::Node& n, DType type, const Folded& f, Value& v) {
  using ir::Op;
  const bool high = n.op == Op::reduce_max || n.op == Op::argmax, is_arg = n.op == Op::argmax || n.op == Op::argmin;
  const std::int64_t begin = f.shape.rank > v.shape.rank ? m.axis(f.shape.axes[v.shape.rank]).begin : 0;
  const auto better = [&](Word a, Word b) {
    if (high) return word_less(type, b, a);
    const bool is_float = info(type).is_floating();
    if (is_float && std::isnan(number(type, b))) return false;
    return (is_float && std::isnan(number(type, a))) || word_less(type, a, b);
  };
  for (std::size_t o = 0; o < f.outer; ++o) {
    std::int64_t best = -1;
    const Word* words = f.words.data() + o * f.inner;
    for (std::size_t i = 0; i < f.inner; ++i)
      if (f.has(o * f.inner + i) && (best < 0 || better(words[i], words[best]))) best = static_cast<std::int64_t>(i);
    if (is_arg)
      v.words[o] = canonical(v.type, static_cast<Word>(best < 0 ? -1 : begin + best));
    else
      v.words[o] = best >= 0 ? words[best] : canonical(type, high ? max_identity_bits(type) : min_identity_bits(type));
    if (best < 0 || !m.options.bounds) continue;
    const double x = number(type, words[best]);
    if (!is_arg && x == 0 && has_both_zeros(f, type, o)) {
      v.error.resize(v.size(), 0.0);
      v.error[o] = either_zero;
    }
    if (f.error.empty()) continue;
    // How far up and down the extreme may move, and whether another lane may be it.
    const double own = f.error[o * f.inner + static_cast<std::size_t>(best)];
    double outward = std::max(own, v.error[o]);
    bool unsure = false;
    for (std::size_t i = 0; i < f.inner; ++i) {
      if (!f.has(o * f.inner + i) || static_cast<std::int64_t>(i) == best) continue;
      const double y = number(type, words[i]), e = f.error[o * f.inner + i], apart = x == y ? 0.0 : std::fabs(x - y);
      if (e == unbounded)
        outward = unbounded;
      else if (e > apart)
        outward = std::max(outward, e - apart);
      unsure |= e + own > 0 && apart <= e + own;
    }
    v.error[o] = is_arg ? (unsure ? unbounded : 0.0) : outward;
  }
}

inline void fold_logic(const ir::Node& n, const Folded& f, Value& v) {
  const Word sought = n.op == ir::Op::any ? 1 : 0;  // what decides
  for (std::size_t o = 0; o < f.outer; ++o) {
    bool decided = false, certain = false, unsure = false;
    for (std::size_t i = o * f.inner; i < (o + 1) * f.inner; ++i) {
      if (!f.has(i)) continue;
      const bool hit = (f.words[i] != 0) == (sought != 0), doubt = f.error_at(i) > 0;
      decided |= hit;
      certain |= hit && !doubt;
      unsure |= doubt;
    }
    v.words[o] = decided ? sought : 1 - sought;
    if (!v.error.empty()) v.error[o] = unsure && !certain ? 1.0 : 0.0;
  }
}

/// Evaluates sum … all.
inline void run_reduction(Machine& m, std::int32_t id) {
  using ir::Op;
  const ir::Node& n = m.node(id);
  const Value& operand = m.operand(n, 0);
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  Shape gone;
  for (int i = 0; i < operand.shape.rank; ++i)
    if (v.shape.find(operand.shape.axes[i]) < 0) gone.add(operand.shape.axes[i], operand.shape.lanes[i]);
  const bool is_arg = n.op == Op::argmax || n.op == Op::argmin, is_sum = n.op == Op::sum || n.op == Op::prod;
  const DType type = is_arg ? operand.type : n.type;
  Folded f;
  f.lay_out(m, operand, v.shape, gone, type);
  const bool rounds = is_sum && info(type).is_floating();
  if (m.options.bounds && (rounds || !f.error.empty())) v.error.assign(v.size(), 0.0);
  if (rounds)
    fold_float(m, n, f, terms_over(m, gone), v);
  else if (is_sum)
    fold_integer(m, id, n, f, v);
  else if (n.op == Op::any || n.op == Op::all)
    fold_logic(n, f, v);
  else
    fold_extreme(m, n, type, f, v);
  if (!v.error.empty() && std::all_of(v.error.begin(), v.error.end(), [](double e) { return e == 0; })) v.error.clear();
}

}  // namespace interpreter
TESSERA_END
