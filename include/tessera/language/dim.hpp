// Owns expressions of tunables and numbers alone, such as `BM % 16 == 0`: no kernel is in sight until they are used.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "tessera/ir/ops.hpp"
#include "tessera/language/name.hpp"

TESSERA_BEGIN
namespace detail {

template <class T>
struct IsDim : std::false_type {};
template <name N>
struct IsDim<Dim<N>> : std::true_type {};

}  // namespace detail

/// An expression of Dims and integers, in reverse Polish order; recorded where it is used.
struct DimExpression : operators::Found {
  struct Step {
    ir::Op op = ir::Op::literal;  ///< literal, tunable, or an operation on the two values before
    std::int64_t value = 0;
    std::string_view tunable;
  };
  static constexpr int capacity = 16;
  Step steps[capacity];
  int size = 0;
  bool condition = false;  ///< the whole is a comparison
  bool too_long = false;

  constexpr void push(const Step& s) {
    if (size < capacity)
      steps[size++] = s;
    else
      too_long = true;
  }
  constexpr void append(const DimExpression& e) {
    for (int i = 0; i < e.size; ++i) push(e.steps[i]);
    too_long = too_long || e.too_long;
  }
  template <std::integral T>
  constexpr void append(T value) {
    push({ir::Op::literal, static_cast<std::int64_t>(value), {}});
  }
  template <name N>
  constexpr void append(Dim<N>) {
    push({ir::Op::tunable, 0, Dim<N>::text()});
  }
};

namespace detail {

template <class T>
concept DimLike = IsDim<T>::value || std::same_as<T, DimExpression>;
template <class A, class B>
concept DimOperands = (DimLike<A> && (DimLike<B> || (std::integral<B> && !std::same_as<B, bool>))) ||
                      (DimLike<B> && std::integral<A> && !std::same_as<A, bool>);

template <class A, class B>
constexpr DimExpression dim_binary(ir::Op op, bool condition, const A& a, const B& b) {
  DimExpression e;
  e.append(a);
  e.append(b);
  e.push({op, 0, {}});
  e.condition = condition;
  return e;
}

}  // namespace detail

namespace operators {
// X(operator, operation, whether it compares)
// clang-format off
#define TESSERA_DIM_OPERATORS(X)    \
  X(+, add, false)                  \
  X(-, sub, false)                  \
  X(*, mul, false)                  \
  X(/, div, false)                  \
  X(%, mod, false)                  \
  X(<, lt, true)                    \
  X(<=, le, true)                   \
  X(>, gt, true)                    \
  X(>=, ge, true)                   \
  X(==, eq, true)                   \
  X(!=, ne, true)                   \
  X(&&, bit_and, true)              \
  X(||, bit_or, true)
// clang-format on
#define TESSERA_DIM_OPERATOR(symbol, op, condition)                 \
  template <class A, class B>                                       \
    requires detail::DimOperands<A, B>                              \
  constexpr DimExpression operator symbol(const A& a, const B& b) { \
    return detail::dim_binary(ir::Op::op, condition, a, b);         \
  }
TESSERA_DIM_OPERATORS(TESSERA_DIM_OPERATOR)
#undef TESSERA_DIM_OPERATOR
#undef TESSERA_DIM_OPERATORS
}  // namespace operators
#define TESSERA_DIM_FUNCTION(id)                        \
  template <class A, class B>                           \
    requires detail::DimOperands<A, B>                  \
  constexpr DimExpression id(const A& a, const B& b) {  \
    return detail::dim_binary(ir::Op::id, false, a, b); \
  }
TESSERA_DIM_FUNCTION(cdiv)
TESSERA_DIM_FUNCTION(max)
TESSERA_DIM_FUNCTION(min)
#undef TESSERA_DIM_FUNCTION

TESSERA_END
