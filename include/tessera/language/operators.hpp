// Owns the operators of C++ on recorded values, from one list each.
#pragma once

#include "tessera/language/core.hpp"

TESSERA_BEGIN
namespace operators {

// X(operator, operation, what it takes, what it gives)
#define TESSERA_BINARY_OPERATORS(X)       \
  X(+, add, number, same)                 \
  X(-, sub, number, same)                 \
  X(*, mul, number, same)                 \
  X(/, div, number, same)                 \
  X(%, mod, number, same)                 \
  X(&, bit_and, integer_or_boolean, same) \
  X(|, bit_or, integer_or_boolean, same)  \
  X(^, bit_xor, integer_or_boolean, same) \
  X(<<, shl, integer, same)               \
  X(>>, shr, integer, same)               \
  X(<, lt, number, condition)             \
  X(<=, le, number, condition)            \
  X(>, gt, number, condition)             \
  X(>=, ge, number, condition)            \
  X(==, eq, any, condition)               \
  X(!=, ne, any, condition)
#define TESSERA_BINARY_OPERATOR(symbol, op, wants, gives)                                         \
  constexpr Tile operator symbol(Operand a, Operand b) {                                          \
    return detail::binary(ir::Op::op, #symbol, detail::Wants::wants, detail::Gives::gives, a, b); \
  }
TESSERA_BINARY_OPERATORS(TESSERA_BINARY_OPERATOR)
#undef TESSERA_BINARY_OPERATOR
#undef TESSERA_BINARY_OPERATORS

constexpr Tile operator-(Operand a) { return detail::unary(ir::Op::neg, "-", detail::Wants::number, a); }
constexpr Tile operator+(Operand a) {
  detail::Recorder* r = detail::recorder_of(a);
  const int x = detail::node_of(r, a, "+");
  return detail::result(r, x >= 0 && detail::check_kind(r, r->type(x), detail::Wants::number, "+", a.line) ? x : -1);
}
constexpr Tile operator~(Operand a) {
  const detail::OnLine on(detail::recorder_of(a), a.line);
  return detail::binary(ir::Op::bit_xor, "~", detail::Wants::integer, detail::Gives::same, a, -1);
}

}  // namespace operators
namespace detail {

// For what the compiler could convert to bool as well, to its own &&: these match exactly, and so they win. They lack
// the line, so that of the left value's node is taken.
template <class T>
constexpr Operand exact(const T& value) {
  Operand o(value, Here{});
  if (o.id >= 0 && o.recorder != nullptr && !o.recorder->bad) o.line = o.recorder->line_of(o.id);
  return o;
}
template <class A, class B>
concept LogicalOperands = (Handle<A> && (Recorded<B> || std::is_arithmetic_v<B>)) || (Recorded<A> && Handle<B>) ||
                          (std::is_arithmetic_v<A> && Handle<B>);

}  // namespace detail
namespace operators {

/// Both conditions hold, lane by lane; both sides are computed.
template <class A, class B>
  requires detail::LogicalOperands<A, B>
constexpr Tile operator&&(const A& a, const B& b) {
  return detail::binary(ir::Op::bit_and, "&&", detail::Wants::boolean, detail::Gives::same, detail::exact(a),
                        detail::exact(b));
}
/// One of the conditions holds, lane by lane; both sides are computed.
template <class A, class B>
  requires detail::LogicalOperands<A, B>
constexpr Tile operator||(const A& a, const B& b) {
  return detail::binary(ir::Op::bit_or, "||", detail::Wants::boolean, detail::Gives::same, detail::exact(a),
                        detail::exact(b));
}
template <class A>
  requires detail::Recorded<A>
constexpr Tile operator!(const A& a) {
  return detail::unary(ir::Op::logical_not, "!", detail::Wants::boolean, detail::exact(a));
}

// Compound assignment: of a Var it is an assignment; a Tile refuses.
// clang-format off
#define TESSERA_COMPOUND_OPERATORS(X)                  \
  X(+) X(-) X(*) X(/) X(%) X(&) X(|) X(^) X(<<) X(>>)
// clang-format on
#define TESSERA_COMPOUND_OPERATOR(symbol)                                            \
  constexpr void operator symbol##=(Var& v, Operand x) {                             \
    const detail::OnLine on(v.recorder(), x.line);                                   \
    v.set(Operand(Operand(v) symbol x), x.line);                                     \
  }                                                                                  \
  constexpr void operator symbol##=(Tile& t, Operand x) { t.refuse(x.line, false); } \
  constexpr void operator symbol##=(Tile&& t, Operand x) { t.refuse(x.line, true); }
TESSERA_COMPOUND_OPERATORS(TESSERA_COMPOUND_OPERATOR)
#undef TESSERA_COMPOUND_OPERATOR
#undef TESSERA_COMPOUND_OPERATORS

}  // namespace operators
TESSERA_END
