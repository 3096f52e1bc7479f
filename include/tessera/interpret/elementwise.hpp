// Owns the elementwise operations on tiles: words first, then the bounds of those that need any.
#pragma once

#include <string>

#include "tessera/interpret/bounds.hpp"
#include "tessera/interpret/machine.hpp"
#include "tessera/interpret/math.hpp"
#include "tessera/interpret/philox.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// Applies f to one, two or three operands in the arithmetic of `type`.
template <class F>
void float_loop(DType type, std::size_t n, const Lanes* in, Word* out, F f) {
  with_arithmetic(type, [&](auto arithmetic) {
    const Lanes &a = in[0], &b = in[1], &c = in[2];
    for (std::size_t i = 0; i < n; ++i) {
      if constexpr (std::is_invocable_v<F, decltype(arithmetic), Word>)
        out[i] = arithmetic.put(f(arithmetic, a.word(i)));
      else if constexpr (std::is_invocable_v<F, decltype(arithmetic), Word, Word>)
        out[i] = arithmetic.put(f(arithmetic, a.word(i), b.word(i)));
      else
        out[i] = arithmetic.put(f(arithmetic, a.word(i), b.word(i), c.word(i)));
    }
  });
}

/// Both operands as numbers, in the arithmetic at hand.
template <class F>
void float_loop_2(DType type, std::size_t n, const Lanes* in, Word* out, F f) {
  float_loop(type, n, in, out, [f](const auto& t, Word a, Word b) { return f(t.get(a), t.get(b)); });
}

inline void float_op(ir::Op op, DType type, std::size_t n, const Lanes* in, Word* out) {
  using ir::Op;
  switch (op) {
    case Op::add:
      return float_loop_2(type, n, in, out, [](auto a, auto b) { return a + b; });
    case Op::sub:
      return float_loop_2(type, n, in, out, [](auto a, auto b) { return a - b; });
    case Op::mul:
      return float_loop_2(type, n, in, out, [](auto a, auto b) { return a * b; });
    case Op::div:
      return float_loop_2(type, n, in, out, [](auto a, auto b) { return a / b; });
    case Op::mod:
      return float_loop_2(type, n, in, out, [](auto a, auto b) { return floor_mod(a, b); });
    case Op::cdiv:
      return float_loop_2(type, n, in, out, [](auto a, auto b) { return std::ceil(a / b); });
    case Op::max:
      return float_loop_2(type, n, in, out, [](auto a, auto b) { return max_of(a, b); });
    case Op::min:
      return float_loop_2(type, n, in, out, [](auto a, auto b) { return min_of(a, b); });
    case Op::max_number:
      return float_loop_2(type, n, in, out, [](auto a, auto b) { return max_number_of(a, b); });
    case Op::min_number:
      return float_loop_2(type, n, in, out, [](auto a, auto b) { return min_number_of(a, b); });
    case Op::pow:
      return float_loop_2(type, n, in, out, [](auto a, auto b) {
        using W = Wide<decltype(a)>;
        return static_cast<decltype(a)>(std::pow(static_cast<W>(a), static_cast<W>(b)));
      });
    case Op::fma:
      return float_loop(type, n, in, out,
                        [](const auto& t, Word a, Word b, Word c) { return fma_in(t, t.get(a), t.get(b), t.get(c)); });
    case Op::neg:
    case Op::abs: {  // signs alone: NaN keeps its payload
      const DTypeInfo& t = info(type);
      const Word sign = t.has_sign ? Word{1} << (t.bits - 1) : 0;
      if (op == Op::neg && !t.has_sign) {  // e8m0 has nothing below 0
        std::fill(out, out + n, nan_bits(type));
        return;
      }
      for (std::size_t i = 0; i < n; ++i) out[i] = op == Op::neg ? in[0].word(i) ^ sign : in[0].word(i) & ~sign;
      return;
    }
    default:
      float_loop(type, n, in, out, [op](const auto& t, Word a) {
        using N = decltype(t.get(a));
        if (op == Op::sqrt || (op >= Op::floor && op <= Op::round)) return function(op, t.get(a));
        return static_cast<N>(function(op, static_cast<Wide<N>>(t.get(a))));
      });
  }
}

/// Integers and b8, lane by lane; reports what overflows or divides by zero in lanes that exist.
inline void integer_loop(Machine& m, std::int32_t id, ir::Op op, std::size_t n, const Lanes* in, Value& v) {
  const DTypeInfo& t = info(v.type);
  for (std::size_t i = 0; i < n; ++i) {
    Wrong wrong = Wrong::none;
    const Word a = in[0].word(i), b = in[1].words ? in[1].word(i) : 0;
    Word w =
        op == ir::Op::fma ? integer_op(ir::Op::mul, t, v.type, a, b, wrong) : integer_op(op, t, v.type, a, b, wrong);
    if (op == ir::Op::fma) w = integer_op(ir::Op::add, t, v.type, w, in[2].word(i), wrong);
    v.words[i] = w;
    if (wrong == Wrong::none || !m.lane_exists(v.shape, static_cast<std::int64_t>(i), v.gone)) continue;
    const std::string what = std::string(ir::info(op).text) + " of " + std::to_string(static_cast<std::int64_t>(a)) +
                             " and " + std::to_string(static_cast<std::int64_t>(b)) + " in " + std::string(t.name);
    const bool overflow = wrong == Wrong::overflow;
    m.found(overflow ? FindingKind::overflow : FindingKind::division, id,
            what + (overflow ? " overflows" : " divides by zero") + m.place(v.shape, static_cast<std::int64_t>(i)))
        .index = static_cast<std::int64_t>(overflow ? a : b);
  }
}

inline void compare_loop(ir::Op op, DType type, std::size_t n, const Lanes* in, Word* out) {
  const auto loop = [&](auto get) {
    for (std::size_t i = 0; i < n; ++i) out[i] = compare(op, get(in[0].word(i)), get(in[1].word(i)));
  };
  const DTypeInfo& t = info(type);
  if (t.is_floating())
    with_arithmetic(type, [&](auto arithmetic) { loop([&](Word w) { return arithmetic.get(w); }); });
  else if (t.is_signed_integer())
    loop([](Word w) { return static_cast<std::int64_t>(w); });
  else
    loop([](Word w) { return w; });
}

inline void cast_loop(DType from, DType to, std::int64_t imm, std::size_t n, const Lanes* in, Word* out) {
  const auto rounding = static_cast<Rounding>(imm & 0xff);
  const auto saturation = static_cast<Saturation>(imm >> 8 & 0xff);
  const DTypeInfo &f = info(from), &t = info(to);
  if (imm == 0 && !t.is_boolean() && !f.is_floating() && !t.is_floating()) {
    for (std::size_t i = 0; i < n; ++i) out[i] = canonical(to, in[0].word(i));
  } else if (imm == 0 && f.is_floating() && t.is_floating() && f.bits < t.bits && t.bits >= 32) {
    float_loop(to, n, in, out, [from](const auto& a, Word w) {
      if constexpr (requires { a.type; })
        return 0.0;  // `to` is f32 or f64
      else
        return static_cast<decltype(a.get(w))>(number(from, w));
    });
  } else {
    for (std::size_t i = 0; i < n; ++i)
      out[i] =
          canonical(to, convert_bits(from, to, in[0].word(i), rounding, saturation, in[1].words ? in[1].word(i) : 0));
  }
}

/// Whether max or min met zeros of both signs in some lane.
inline bool meets_both_zeros(ir::Op op, DType type, const Lanes* in, std::size_t lanes) {
  using ir::Op;
  if (op != Op::max && op != Op::min && op != Op::max_number && op != Op::min_number) return false;
  const Word sign = Word(1) << (info(type).bits - 1);
  for (std::size_t i = 0; i < lanes; ++i)
    if ((in[0].word(i) ^ in[1].word(i)) == sign &&
        are_both_zeros(number(type, in[0].word(i)), number(type, in[1].word(i))))
      return true;
  return false;
}

/// The bounds of an elementwise node's lanes, after its words.
inline void elementwise_error(Machine& m, const ir::Node& n, DType operand_type, const Lanes* in, Value& v) {
  using ir::Op;
  const bool is_float = info(v.type).is_floating();
  const bool rounds = is_float && (is_approximate(n.op) || n.op == Op::mul || m.slack ||
                                   meets_both_zeros(n.op, operand_type, in, v.size()));
  if (!rounds && !in[0].error && !in[1].error && !in[2].error) return;
  Inexact c{n.op, v.type, Ulp(v.type), m.slack};
  c.function_units = m.options.function_units;
  const bool is_compare = n.op >= Op::lt && n.op <= Op::ne;
  bool any = false;
  v.error.resize(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    for (int k = 0; k < 3; ++k) {
      if (!in[k].words) continue;
      c.x[k] = number(k == 0 && n.op == Op::where ? DType::b8 : operand_type, in[k].word(i));
      c.e[k] = in[k].error_at(i);
    }
    c.result = number(v.type, v.words[i]);
    double e = 0;
    if (n.op == Op::where)
      e = c.e[0] > 0 ? where_error(c.x[0] != 0, c.x[1], c.e[1], c.x[2], c.e[2]) : c.x[0] != 0 ? c.e[1] : c.e[2];
    else if (n.op == Op::cast)
      e = cast_error(operand_type, v.type, c.x[0], c.e[0], c.result, static_cast<Rounding>(n.imm & 0xff),
                     static_cast<Saturation>(n.imm >> 8 & 0xff));
    else if (n.op == Op::broadcast)
      e = c.e[0];
    else if (is_compare)
      e = compare_error(c.x[0], c.e[0], c.x[1], c.e[1]);
    else if (n.op == Op::bitcast || n.op == Op::random)
      e = c.e[0] > 0 || c.e[1] > 0 ? unbounded : 0;
    else if (!is_float)
      e = integer_error(c);
    else
      e = float_error(c, n.op != Op::mul        ? 0.0
                         : v.type == DType::f64 ? std::fabs(std::fma(c.x[0], c.x[1], -c.result))
                                                : std::fabs(c.x[0] * c.x[1] - c.result));
    if (v.type == DType::e8m0 && e > 0 && !(c.result > e)) e = unbounded;  // below zero it is NaN
    v.error[i] = e;
    any |= e != 0;
  }
  if (!any) v.error.clear();
}

/// Evaluates an elementwise node.
inline void run_elementwise(Machine& m, std::int32_t id) {
  using ir::Op;
  const ir::Node& n = m.node(id);
  Value& v = m.value(id);
  v.reset(n.type, m.shape_of(n, id));
  const std::size_t size = v.size();
  const int first = n.op == Op::where ? 1 : 0;  // the operand whose type counts
  const DType given = m.operand(n, first).type;
  const bool keeps = n.op == Op::cast || n.op == Op::bitcast;
  const bool is_compare = n.op >= Op::lt && n.op <= Op::ne;
  DType type = keeps ? given : n.op == Op::random ? DType::u64 : n.type;
  if (is_compare) {
    const DType other = m.operand(n, 1).type;
    type = widens(given, other) ? other : given;
  }
  Lanes in[3];
  for (int k = 0; k < n.count && k < 3; ++k) {
    const Value& operand = m.operand(n, k);
    in[k].bind(operand, v.shape);
    const bool amount = k == 1 && (n.op == Op::shl || n.op == Op::shr || keeps);
    if (!(n.op == Op::where && k == 0) && !amount) in[k].convert(operand.type, type, size);
    if (!in[k].gone) continue;
    if (v.gone.empty()) v.gone.assign(size, 0);
    for (std::size_t i = 0; i < size; ++i) v.gone[i] |= in[k].gone[i * in[k].step];
  }
  Word* out = v.words.data();
  const bool is_float = info(n.type).is_floating();
  if (n.op == Op::where) {
    for (std::size_t i = 0; i < size; ++i) out[i] = in[0].word(i) ? in[1].word(i) : in[2].word(i);
  } else if (n.op == Op::broadcast) {
    for (std::size_t i = 0; i < size; ++i) out[i] = in[0].word(i);
  } else if (n.op == Op::bitcast) {
    for (std::size_t i = 0; i < size; ++i) out[i] = canonical(n.type, in[0].word(i));
  } else if (n.op == Op::random) {
    const auto word = static_cast<std::size_t>(n.imm & 3);
    for (std::size_t i = 0; i < size; ++i) out[i] = philox(in[0].word(i), in[1].word(i))[word];
  } else if (n.op == Op::cast) {
    cast_loop(type, n.type, n.imm, size, in, out);
  } else if (is_compare) {
    compare_loop(n.op, type, size, in, out);
  } else if (is_float) {
    float_op(n.op, type, size, in, out);
  } else {
    integer_loop(m, id, n.op, size, in, v);
  }
  if (m.options.bounds) elementwise_error(m, n, type, in, v);
}

}  // namespace interpreter
TESSERA_END
