// Owns how a kernel's parameters are read from its function and from their text, and the run of its body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "tessera/language/kernel.hpp"

TESSERA_BEGIN
namespace detail {

/// What the macro knows of a kernel as text.
struct Signature {
  std::string_view name;
  std::uint32_t line = 0;
  std::string_view parameters;
};

/// Takes the next parameter's name off a list of parameters.
constexpr std::string_view next_name(std::string_view& rest) {
  int depth = 0;
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size(); ++end) {
    const char c = rest[end];
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '<' || c == '(' || c == '{' || c == '[') ++depth;
    if (c == '>' || c == ')' || c == '}' || c == ']') --depth;
    if (c == ',' && depth == 0) break;
  }
  std::size_t last = end;
  while (last > 0 && !is_name_char(rest[last - 1])) --last;
  std::size_t first = last;
  while (first > 0 && is_name_char(rest[first - 1])) --first;
  const std::string_view found = rest.substr(first, last - first);
  rest = end < rest.size() ? rest.substr(end + 1) : std::string_view{};
  return found;
}

/// Makes a parameter of the type.
template <class A>
struct Parameter {
  static_assert(!sizeof(A), "tessera: a kernel's parameters are Kernel, In, Out, InOut and Scalar, by value");
};
template <>
struct Parameter<Kernel> {
  static constexpr Kernel make(Recorder& r, std::string_view) { return Kernel(&r); }
};
template <class A, class T, name... E>
struct ArrayParameter {
  static constexpr A make(Recorder& r, std::string_view name) {
    return {{&r, add_argument(r, name, dtype_of<T>, A::effect, NameList<E...>::axes), r.generation}};
  }
};
template <class T, name... E>
struct Parameter<In<T, E...>> : ArrayParameter<In<T, E...>, T, E...> {};
template <class T, name... E>
struct Parameter<Out<T, E...>> : ArrayParameter<Out<T, E...>, T, E...> {};
template <class T, name... E>
struct Parameter<InOut<T, E...>> : ArrayParameter<InOut<T, E...>, T, E...> {};
template <class T>
struct Parameter<Scalar<T>> {
  static constexpr Scalar<T> make(Recorder& r, std::string_view name) {
    const int arg = add_argument(r, name, dtype_of<T>, ir::Effect::scalar, {nullptr, 0});
    ++r.scalar_count;
    return {&r, r.leaf(ir::Op::scalar, dtype_of<T>, r.kernel_line, arg), r.generation};
  }
};

template <class F>
struct Caller;
template <class Body, class... A>
struct Caller<void (Body::*)(A...) const> {
  // Arguments in braces are made from left to right.
  struct Call {
    constexpr Call(Recorder& r, const Body& body, A... arguments) {
      if (!r.bad) body(arguments...);
    }
  };
  static constexpr void run(Recorder& r, std::string_view names, const Body& body) {
    Call{r, body, Parameter<A>::make(r, next_name(names))...};
  }
};
template <class Body, class Result, class... A>
struct Caller<Result (Body::*)(A...) const> {
  static_assert(!sizeof(Body), "tessera: a kernel returns nothing: it writes to Out and InOut arguments");
};

/// Records the body of a kernel, checked and tidied.
template <class Body>
constexpr void record_kernel(Recorder& r, const Signature& signature, const Body& body) {
  r.kernel = signature.name;
  r.kernel_line = signature.line;
  Caller<decltype(&Body::operator())>::run(r, signature.parameters, body);
  finish(r);
}

}  // namespace detail
TESSERA_END
