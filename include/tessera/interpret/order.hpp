// Owns what goes along one axis in order: cumsum, cumprod, sort, topk.
#pragma once

#include <algorithm>
#include <string>

#include "tessera/interpret/reduce.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// The shape without one axis, and that axis alone.
inline void take_axis(const Shape& s, int axis, Shape& rest, Shape& alone) {
  for (int i = 0; i < s.rank; ++i) (s.axes[i] == axis ? alone : rest).add(s.axes[i], s.lanes[i]);
}

/// Puts what was computed in the order of `f` back into the order of the node's axes.
inline void put_back(const Folded& f, Value& v) {
  spread(f.words.data(), f.shape, v.words.data(), v.shape);
  if (f.error.empty()) return;
  v.error.resize(v.size());
  spread(f.error.data(), f.shape, v.error.data(), v.shape);
}

inline void run_cumulative(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const Value& operand = m.operand(n, 0);
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  Shape rest, along;
  take_axis(operand.shape, static_cast<int>(n.imm & 0xff), rest, along);
  Folded f;
  f.lay_out(m, operand, rest, along, n.type);
  const bool is_sum = n.op == ir::Op::cumsum;
  const DTypeInfo& t = info(n.type);
  const Ulp ulp(n.type);
  if (m.options.bounds && t.is_floating()) f.error.resize(f.words.size());
  const double terms = terms_over(m, along);
  const auto scan = [&](auto step) {
    for (std::size_t o = 0; o < f.outer; ++o) {
      Word acc = is_sum ? 0 : t.is_floating() ? word_of(n.type, 1) : 1;
      SumFacts facts;
      ProductFacts factors;
      long double exact = 0;
      for (std::size_t i = o * f.inner; i < (o + 1) * f.inner; ++i) {
        if (f.has(i)) {
          const double x = number(n.type, f.words[i]), before = number(n.type, acc), ex = f.error_at(i);
          acc = step(acc, f.words[i], i);
          facts.add(x);
          if (!is_sum) factors.multiply(x);
          exact += x;
          facts.errors =
              is_sum ? facts.errors + ex : product_error(before, facts.errors, x, ex) + 2 * ulp(number(n.type, acc));
        }
        f.words[i] = acc;
        if (f.error.empty()) continue;
        const double r = number(n.type, acc);
        facts.own = static_cast<double>(std::fabs(exact - static_cast<long double>(r)));
        f.error[i] = !t.is_floating()         ? facts.errors
                     : is_sum                 ? sum_error(n.type, ulp, terms, facts, r)
                     : factors.leaves(n.type) ? unbounded
                                              : rounded_error(facts.errors, r, ulp, facts.special, false);
      }
    }
  };
  if (t.is_floating()) {
    with_arithmetic(n.type, [&](auto a) {
      scan(
          [&](Word acc, Word x, std::size_t) { return a.put(is_sum ? a.get(acc) + a.get(x) : a.get(acc) * a.get(x)); });
    });
  } else {
    scan([&](Word acc, Word x, std::size_t i) {
      Wrong wrong = Wrong::none;
      const Word r = integer_op(is_sum ? ir::Op::add : ir::Op::mul, t, n.type, acc, x, wrong);
      if (wrong != Wrong::none && m.lane_exists(f.shape, static_cast<std::int64_t>(i), {}))
        m.found(FindingKind::overflow, id,
                std::string(ir::info(n.op).text) + " in " + std::string(t.name) + " overflows" +
                    m.place(f.shape, static_cast<std::int64_t>(i)));
      return r;
    });
  }
  put_back(f, v);
  v.gone = operand.gone;
}

/// The lanes of row `o` that exist, in order of their words; NaN is above everything, ties keep their order.
inline std::vector<std::size_t> ordered(const Folded& f, DType type, std::size_t o, bool descending) {
  std::vector<std::size_t> lanes;
  for (std::size_t i = 0; i < f.inner; ++i)
    if (f.has(o * f.inner + i)) lanes.push_back(i);
  const Word* words = f.words.data() + o * f.inner;
  std::sort(lanes.begin(), lanes.end(), [&](std::size_t a, std::size_t b) {
    const bool less = word_less(type, words[a], words[b]), more = word_less(type, words[b], words[a]);
    return less || more ? less != descending : a < b;
  });
  return lanes;
}

inline double row_error(const Folded& f, std::size_t o) {
  double e = 0;  // an order statistic moves no further than any value does
  if (!f.error.empty())
    for (std::size_t i = o * f.inner; i < (o + 1) * f.inner; ++i)
      if (f.has(i)) e = std::max(e, f.error[i]);
  return e;
}

/// sort: the lanes that exist, in order, onto those lanes; the others keep what they have.
inline void run_sort(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const Value& operand = m.operand(n, 0);
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  Shape rest, along;
  take_axis(operand.shape, static_cast<int>(n.imm & 0xffffffff), rest, along);
  Folded f;
  f.lay_out(m, operand, rest, along, n.type);
  for (std::size_t o = 0; o < f.outer; ++o) {
    const std::vector<std::size_t> from = ordered(f, n.type, o, (n.imm >> 32) != 0);
    std::vector<Word> row(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) row[i] = f.words[o * f.inner + from[i]];
    const double e = row_error(f, o);
    const bool both_zeros = m.options.bounds && has_both_zeros(f, n.type, o);
    if (both_zeros) f.error.resize(f.words.size(), 0.0);
    for (std::size_t i = 0, next = 0; i < f.inner; ++i) {
      if (!f.has(o * f.inner + i)) continue;
      f.words[o * f.inner + i] = row[next++];
      if (f.error.empty()) continue;
      const bool either = both_zeros && number(n.type, row[next - 1]) == 0;
      f.error[o * f.inner + i] = std::max(e, either ? either_zero : 0.0);
    }
  }
  put_back(f, v);
  v.gone = operand.gone;
}

/// topk: the largest first, onto a new axis; what is missing is lowest, at position −1.
inline void run_topk(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const Value& operand = m.operand(n, 0);
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  Shape rest, along, fresh;
  const int axis = static_cast<int>(n.imm & 0xff);
  take_axis(operand.shape, axis, rest, along);
  for (int i = 0; i < v.shape.rank; ++i)
    if (operand.shape.find(v.shape.axes[i]) < 0) fresh.add(v.shape.axes[i], v.shape.lanes[i]);
  Folded f, best, where;
  f.lay_out(m, operand, rest, along, n.type);
  best.shape = rest;
  for (int i = 0; i < fresh.rank; ++i) best.shape.add(fresh.axes[i], fresh.lanes[i]);
  where.shape = best.shape;
  const auto k = static_cast<std::size_t>(fresh.count());
  for (Folded* r : {&best, &where}) {
    r->words.resize(f.outer * k);
    r->error.resize(f.error.empty() ? 0 : f.outer * k);
  }
  for (std::size_t o = 0; o < f.outer; ++o) {
    const std::vector<std::size_t> from = ordered(f, n.type, o, true);
    const double e = row_error(f, o);
    for (std::size_t i = 0; i < k; ++i) {
      const bool there = i < from.size();
      best.words[o * k + i] = there ? f.words[o * f.inner + from[i]] : canonical(n.type, max_identity_bits(n.type));
      where.words[o * k + i] =
          static_cast<Word>(there ? m.axis(axis).begin + static_cast<std::int64_t>(from[i]) : std::int64_t{-1});
      if (f.error.empty() || !there) continue;
      const auto close = [&](std::size_t a, std::size_t b) {
        const std::size_t x = o * f.inner + from[a], y = o * f.inner + from[b];
        return compare_error(number(n.type, f.words[x]), e, number(n.type, f.words[y]), e) > 0;
      };
      best.error[o * k + i] = e;
      where.error[o * k + i] = (i > 0 && close(i, i - 1)) || (i + 1 < from.size() && close(i, i + 1)) ? unbounded : 0.0;
    }
  }
  put_back(best, v);
  std::vector<Value>& parts = m.parts[static_cast<std::size_t>(id)];
  parts.resize(2);
  parts[0] = v;
  parts[1].reset(DType::i64, v.shape);
  put_back(where, parts[1]);
}

}  // namespace interpreter
TESSERA_END
