// Owns the elementwise functions: one row each where they are operations, a composition where they are not.
#pragma once

#include "tessera/language/operators.hpp"

TESSERA_BEGIN

// X(name, operation, what it takes)
// clang-format off
#define TESSERA_UNARY_FUNCTIONS(X)    \
  X(abs, abs, number)                 \
  X(sqrt, sqrt, floating)             \
  X(rsqrt, rsqrt, floating)           \
  X(exp, exp, floating)               \
  X(exp2, exp2, floating)             \
  X(expm1, expm1, floating)           \
  X(log, log, floating)               \
  X(log2, log2, floating)             \
  X(log1p, log1p, floating)           \
  X(sin, sin, floating)               \
  X(cos, cos, floating)               \
  X(tan, tan, floating)               \
  X(tanh, tanh, floating)             \
  X(erf, erf, floating)               \
  X(sigmoid, sigmoid, floating)       \
  X(floor, floor, floating)           \
  X(ceil, ceil, floating)             \
  X(trunc, trunc, floating)           \
  X(round, round, floating)
// clang-format on
// X(name, operation, what it takes)
// clang-format off
#define TESSERA_BINARY_FUNCTIONS(X)    \
  X(max, max, number)                  \
  X(min, min, number)                  \
  X(max_number, max_number, number)    \
  X(min_number, min_number, number)    \
  X(pow, pow, floating)                \
  X(cdiv, cdiv, integer)
// clang-format on
#define TESSERA_UNARY_FUNCTION(id, op, wants) \
  constexpr Tile id(Operand a) { return detail::unary(ir::Op::op, #id, detail::Wants::wants, a); }
TESSERA_UNARY_FUNCTIONS(TESSERA_UNARY_FUNCTION)
#undef TESSERA_UNARY_FUNCTION
#undef TESSERA_UNARY_FUNCTIONS

// The second form matches two values of one kind exactly, and so wins against templates of other namespaces (std::max).
#define TESSERA_BINARY_FUNCTION(id, op, wants)                                               \
  constexpr Tile id(Operand a, Operand b) {                                                  \
    return detail::binary(ir::Op::op, #id, detail::Wants::wants, detail::Gives::same, a, b); \
  }                                                                                          \
  template <detail::Recorded A>                                                              \
  constexpr Tile id(const A& a, const A& b, detail::Here l = detail::Here::current()) {      \
    return id(Operand(a, l), Operand(b, l));                                                 \
  }
TESSERA_BINARY_FUNCTIONS(TESSERA_BINARY_FUNCTION)
#undef TESSERA_BINARY_FUNCTION
#undef TESSERA_BINARY_FUNCTIONS

/// a × b + c, rounded once.
constexpr Tile fma(Operand a, Operand b, Operand c) {
  return detail::ternary(ir::Op::fma, "fma", detail::Wants::floating, a, b, c);
}

/// Lane by lane `a` where the condition holds, `b` elsewhere.
constexpr Tile where(Operand condition, Operand a, Operand b) {
  detail::Recorder* r = detail::recorder_of(condition, a, b);
  if (r->bad) return detail::result(r, -1);
  const DType t = detail::common_type(r, a, b, "where");
  const int c = detail::node_of(r, condition, "where");
  if (c >= 0) detail::check_kind(r, r->type(c), detail::Wants::boolean, "where", condition.line);
  const int in[] = {c, detail::node_as(r, a, t, "where"), detail::node_as(r, b, t, "where")};
  if (r->bad) return detail::result(r, -1);
  // Axes in the order of a, b, condition: those of the values come first.
  ir::Node n;
  n.op = ir::Op::where;
  n.type = t;
  r->add_axes(n, in[1], condition.line);
  r->add_axes(n, in[2], condition.line);
  r->add_axes(n, in[0], condition.line);
  const int id = r->bad ? -1 : r->push(n, condition.line, in, 3);
  detail::join_effects(r, id, {&condition, &a, &b}, in, condition.line);
  return detail::result(r, id);
}

namespace detail {

constexpr Tile cast_to(Operand a, DType t, Rounding rounding, Saturation saturation) {
  Recorder* r = recorder_of(a);
  const int x = node_of(r, a, "cast");
  const auto imm = static_cast<std::int64_t>(rounding) | static_cast<std::int64_t>(saturation) << 8;
  if (x < 0) return result(r, -1);
  if (rounding == Rounding::stochastic) {
    r->fail(a.line) << "cast: stochastic rounding needs random bits, which a cast has not: round to nearest_even or "
                       "toward_zero";
    return result(r, -1);
  }
  const int id = cast_node(r, x, t, a.line, imm);
  return result(r, id);
}

}  // namespace detail

/// The value in another type, as LANGUAGE.md rule 11 rounds it, or as named: cast<f16>(x, Rounding::toward_zero).
template <ElementType T>
constexpr Tile cast(Operand a, Rounding rounding = Rounding::standard, Saturation saturation = Saturation::standard) {
  return detail::cast_to(a, dtype_of<T>, rounding, saturation);
}
/// The value in the type of `like`.
constexpr Tile cast(Operand a, Operand like) {
  detail::Recorder* r = detail::recorder_of(a, like);
  const int x = detail::node_of(r, like, "cast");
  return x < 0 ? detail::result(r, -1) : detail::cast_to(a, r->type(x), Rounding::standard, Saturation::standard);
}
/// The same bits as another type of equal width.
template <ElementType T>
constexpr Tile bitcast(Operand a) {
  detail::Recorder* r = detail::recorder_of(a);
  const int x = detail::node_of(r, a, "bitcast");
  if (x < 0) return detail::result(r, -1);
  if (info(r->type(x)).bits != info(dtype_of<T>).bits)
    r->fail(a.line) << "bitcast: " << dtype_name(r->type(x)) << " has " << int{info(r->type(x)).bits} << " bits and "
                    << dtype_name(dtype_of<T>) << " " << int{info(dtype_of<T>).bits} << ": cast<...>() it";
  if (r->bad) return detail::result(r, -1);
  return detail::result(r, r->type(x) == dtype_of<T> ? x : r->join(ir::Op::bitcast, dtype_of<T>, a.line, &x, 1));
}

/// `x` between the bounds; a NaN stays.
constexpr Tile clamp(Operand x, Operand low, Operand high) {
  const detail::OnLine on(detail::recorder_of(x, low, high), x.line);
  return min(max(x, low), high);
}

namespace detail {

// The functions of neural networks compute 16 bits and fewer in f32, and round once, at the end.
template <class F>
constexpr Tile in_f32(Operand a, std::string_view what, F f) {
  Recorder* r = recorder_of(a);
  const int x = node_of(r, a, what);
  if (x < 0 || !check_kind(r, r->type(x), Wants::floating, what, a.line)) return result(r, -1);
  const OnLine on(r, a.line);
  const DType t = r->type(x);
  const Operand wide(r, cast_node(r, x, accumulator(t), a.line), a.line);
  const Tile y = f(wide);
  return r->bad ? result(r, -1) : result(r, cast_node(r, y.id(), t, a.line));
}

}  // namespace detail

/// max(x, 0).
constexpr Tile relu(Operand x) {
  const detail::OnLine on(detail::recorder_of(x), x.line);
  return max(x, 0);
}
/// x × sigmoid(x).
constexpr Tile silu(Operand x) {
  return detail::in_f32(x, "silu", [](Operand v) { return v * sigmoid(v); });
}
/// x/2 × (1 + erf(x / √2)).
constexpr Tile gelu(Operand x) {
  return detail::in_f32(x, "gelu", [](Operand v) { return 0.5 * v * (1 + erf(v * 0.70710678118654752)); });
}
/// x/2 × (1 + tanh(√(2/π) (x + 0.044715 x³))).
constexpr Tile gelu_tanh(Operand x) {
  return detail::in_f32(
      x, "gelu_tanh", [](Operand v) { return 0.5 * v * (1 + tanh(0.79788456080286536 * (v + 0.044715 * v * v * v))); });
}

TESSERA_END
