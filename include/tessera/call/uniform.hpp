// Owns the evaluation of uniform Tile IR nodes (made of extents, scalars, tunables and literals) on a Frame, before
// launch.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tessera/call/argument.hpp"
#include "tessera/call/frame.hpp"
#include "tessera/ir/program.hpp"
#include "tessera/types/convert.hpp"
#include "tessera/version.hpp"

// Used by calls for `k.expects` and by the JIT for grids and cuts. Arithmetic is the language's (LANGUAGE.md rule 12):
// integer / and % round down, everything wraps. What divides by zero has no value; `false && x` and `true || x` have
// one all the same.

TESSERA_BEGIN
namespace call {

/// A value as a Frame has it (see argument.hpp: `extend`), or none.
struct Uniform {
  std::uint64_t word = 0;
  bool defined = false;

  constexpr std::int64_t integer() const { return static_cast<std::int64_t>(word); }
};

namespace detail {

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  if (b == -1) return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(a));
  const std::int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

constexpr Uniform integer_op(ir::Op op, DType type, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  using ir::Op;
  const bool is_signed = info(type).is_signed_integer();
  const auto x = static_cast<std::int64_t>(a), y = static_cast<std::int64_t>(b);
  const bool less = is_signed ? x < y : a < b;
  const auto bits = static_cast<std::uint64_t>(info(type).bits);
  const auto made = [type](std::uint64_t word) { return Uniform{extend(type, word), true}; };
  switch (op) {
    case Op::neg:
      return made(0 - a);
    case Op::abs:
      return made(is_signed && x < 0 ? 0 - a : a);
    case Op::logical_not:
      return made(type == DType::b8 ? a ^ 1 : ~a);
    case Op::add:
      return made(a + b);
    case Op::sub:
      return made(a - b);
    case Op::mul:
      return made(a * b);
    case Op::fma:
      return made(a * b + c);
    case Op::div:
      if (b == 0) return {};
      return made(is_signed ? static_cast<std::uint64_t>(floor_div(x, y)) : a / b);
    case Op::mod:
      if (b == 0) return {};
      return made(is_signed ? a - static_cast<std::uint64_t>(floor_div(x, y)) * b : a % b);
    case Op::cdiv: {
      if (b == 0) return {};
      if (!is_signed) return made(a / b + (a % b != 0));
      const auto down = static_cast<std::uint64_t>(floor_div(x, y));
      return made(down + (a - down * b != 0));
    }
    case Op::max:
    case Op::max_number:
      return made(less ? b : a);
    case Op::min:
    case Op::min_number:
      return made(less ? a : b);
    case Op::bit_and:
      return made(a & b);
    case Op::bit_or:
      return made(a | b);
    case Op::bit_xor:
      return made(a ^ b);
    case Op::shl:
      return made(b < bits ? a << b : 0);
    case Op::shr:
      if (is_signed) return made(static_cast<std::uint64_t>(x >> (b < bits ? b : bits - 1)));
      return made(b < bits ? a >> b : 0);
    case Op::floor:
    case Op::ceil:
    case Op::trunc:
    case Op::round:
      return made(a);
    case Op::pow: {
      if (is_signed && y < 0) return {};
      std::uint64_t result = 1;
      for (std::uint64_t base = a, left = b; left != 0; left >>= 1, base *= base)
        if ((left & 1) != 0) result *= base;
      return made(result);
    }
    default:
      return {};
  }
}

inline Uniform float_op(ir::Op op, DType type, double a, double b, double c) {
  using ir::Op;
  const auto made = [type](double value) { return Uniform{bits_from_double(type, value), true}; };
  const bool nan = a != a || b != b;
  switch (op) {
    case Op::neg:
      return made(-a);
    case Op::abs:
      return made(__builtin_fabs(a));
    case Op::sqrt:
      return made(__builtin_sqrt(a));
    case Op::rsqrt:
      return made(1 / __builtin_sqrt(a));
    case Op::exp:
      return made(__builtin_exp(a));
    case Op::exp2:
      return made(__builtin_exp2(a));
    case Op::expm1:
      return made(__builtin_expm1(a));
    case Op::log:
      return made(__builtin_log(a));
    case Op::log2:
      return made(__builtin_log2(a));
    case Op::log1p:
      return made(__builtin_log1p(a));
    case Op::sin:
      return made(__builtin_sin(a));
    case Op::cos:
      return made(__builtin_cos(a));
    case Op::tan:
      return made(__builtin_tan(a));
    case Op::tanh:
      return made(__builtin_tanh(a));
    case Op::erf:
      return made(__builtin_erf(a));
    case Op::sigmoid:
      return made(1 / (1 + __builtin_exp(-a)));
    case Op::floor:
      return made(__builtin_floor(a));
    case Op::ceil:
      return made(__builtin_ceil(a));
    case Op::trunc:
      return made(__builtin_trunc(a));
    case Op::round:
      return made(__builtin_nearbyint(a));
    case Op::add:
      return made(a + b);
    case Op::sub:
      return made(a - b);
    case Op::mul:
      return made(a * b);
    case Op::div:
      return made(a / b);
    case Op::mod:
      return made(a - __builtin_floor(a / b) * b);
    case Op::cdiv:
      return made(__builtin_ceil(a / b));
    case Op::pow:
      return made(__builtin_pow(a, b));
    case Op::max:
      return made(nan ? a + b : a < b ? b : a);
    case Op::min:
      return made(nan ? a + b : b < a ? b : a);
    case Op::max_number:
      return made(__builtin_fmax(a, b));
    case Op::min_number:
      return made(__builtin_fmin(a, b));
    case Op::fma:
      if (type == DType::f32)
        return made(
            static_cast<double>(__builtin_fmaf(static_cast<float>(a), static_cast<float>(b), static_cast<float>(c))));
      return made(__builtin_fma(a, b, c));
    default:
      return {};
  }
}

/// lt, le, gt, ge, eq, ne of two values of `type`.
constexpr bool compare(ir::Op op, DType type, std::uint64_t a, std::uint64_t b) {
  using ir::Op;
  bool less = false, equal = a == b, greater = false;
  if (info(type).is_floating()) {
    const double x = to_double(type, a), y = to_double(type, b);
    less = x < y, equal = x == y, greater = x > y;
  } else if (info(type).is_signed_integer()) {
    less = static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b), greater = !less && !equal;
  } else {
    less = a < b, greater = !less && !equal;
  }
  switch (op) {
    case Op::lt:
      return less;
    case Op::le:
      return less || equal;
    case Op::gt:
      return greater;
    case Op::ge:
      return greater || equal;
    case Op::eq:
      return equal;
    default:
      return !equal;
  }
}

constexpr bool is_comparison(ir::Op op) { return op >= ir::Op::lt && op <= ir::Op::ne; }

}  // namespace detail

/// What `op` gives: `type` is the result's, `from` the first operand's; operands as a Frame has them. Has no value for
/// operations that are not elementwise, and for `random`.
inline Uniform apply_uniform(ir::Op op, DType type, DType from, Uniform a, Uniform b = {}, Uniform c = {}) {
  using ir::Op;
  const int arity = ir::info(op).arity;
  if (op == Op::where) return a.defined ? (a.word != 0 ? b : c) : Uniform{};
  if (type == DType::b8 && (op == Op::bit_and || op == Op::bit_or)) {
    const std::uint64_t decides = op == Op::bit_or;
    if ((a.defined && a.word == decides) || (b.defined && b.word == decides)) return {decides, true};
  }
  if (!a.defined || (arity > 1 && !b.defined) || (arity > 2 && !c.defined)) return {};
  if (op == Op::cast) {
    const bool integers = info(from).is_integer() && info(type).is_integer();
    return {extend(type, integers ? a.word : convert_bits(from, type, a.word)), true};
  }
  if (op == Op::bitcast) return {extend(type, a.word), true};
  if (op == Op::broadcast) return a;
  if (detail::is_comparison(op)) return {detail::compare(op, from, a.word, b.word), true};
  if (op == Op::random || ir::info(op).op_class != ir::OpClass::elementwise) return {};
  if (!info(type).is_floating()) return detail::integer_op(op, type, a.word, b.word, c.word);
  return detail::float_op(op, type, to_double(type, a.word), arity > 1 ? to_double(type, b.word) : 0,
                          arity > 2 ? to_double(type, c.word) : 0);
}

/// What is known about a node before anything runs.
enum class Uniformity : std::uint8_t {
  no,       ///< depends on a place, on memory, or on operations that are not evaluated here
  tunable,  ///< known with a configuration
  frame,    ///< known from the Frame alone
};

/// Whether `evaluate_uniform` can evaluate a node. Constant evaluation is fine.
constexpr Uniformity uniformity(const ir::Program& program, std::int32_t id) {
  using ir::Op;
  const ir::Node& node = program.node(id);
  switch (node.op) {
    case Op::literal:
    case Op::extent:
    case Op::scalar:
      return Uniformity::frame;
    case Op::tunable:
      return Uniformity::tunable;
    default:
      break;
  }
  if (ir::info(node.op).op_class != ir::OpClass::elementwise || node.op == Op::random || node.rank != 0)
    return Uniformity::no;
  Uniformity result = Uniformity::frame;
  for (std::int32_t operand : program.operands_of(node)) {
    const Uniformity one = uniformity(program, operand);
    if (one < result) result = one;
  }
  return result;
}

/// The value of a node for which `uniformity` is not `no`. `tunables` holds one value a tunable of the program; it may
/// be empty where the node depends on none. Has no value where it divides by zero, or a tunable is missing.
inline Uniform evaluate_uniform(const ir::Program& program, std::int32_t id, const std::uint64_t* frame,
                                std::span<const std::int64_t> tunables = {}) {
  using ir::Op;
  const ir::Node& node = program.node(id);
  const auto index = static_cast<std::size_t>(node.imm);
  switch (node.op) {
    case Op::literal:
      return {extend(node.type, static_cast<std::uint64_t>(node.imm)), true};
    case Op::extent:
      return {frame[frame_layout(program).extent_word(index)], true};
    case Op::scalar:
      return {frame[frame_layout(program).arg_word(index)], true};
    case Op::tunable:
      if (index >= tunables.size()) return {};
      return {static_cast<std::uint64_t>(tunables[index]), true};
    default:
      break;
  }
  if (ir::info(node.op).op_class != ir::OpClass::elementwise || node.count == 0 || node.count > 3) return {};
  Uniform values[3];
  for (int i = 0; i < node.count; ++i) values[i] = evaluate_uniform(program, program.operand(node, i), frame, tunables);
  return apply_uniform(node.op, node.type, program.node(program.operand(node, 0)).type, values[0], values[1],
                       values[2]);
}

/// The same for a captured kernel's node, unrolled at compile time, for a node that needs the Frame alone.
template <class Captured, std::int32_t Id>
inline Uniform evaluate_captured(const std::uint64_t* frame) {
  using ir::Op;
  constexpr ir::Node node = Captured::program.node(Id);
  constexpr FrameLayout layout = frame_layout(Captured::program);
  if constexpr (node.op == Op::literal) {
    return {extend(node.type, static_cast<std::uint64_t>(node.imm)), true};
  } else if constexpr (node.op == Op::extent) {
    return {frame[layout.extent_word(static_cast<std::size_t>(node.imm))], true};
  } else if constexpr (node.op == Op::scalar) {
    return {frame[layout.arg_word(static_cast<std::size_t>(node.imm))], true};
  } else {
    constexpr DType from = Captured::program.node(Captured::program.operand(node, 0)).type;
    const Uniform a = evaluate_captured<Captured, Captured::program.operand(node, 0)>(frame);
    if constexpr (node.count == 1) {
      return apply_uniform(node.op, node.type, from, a);
    } else {
      const Uniform b = evaluate_captured<Captured, Captured::program.operand(node, 1)>(frame);
      if constexpr (node.count == 2)
        return apply_uniform(node.op, node.type, from, a, b);
      else
        return apply_uniform(node.op, node.type, from, a, b,
                             evaluate_captured<Captured, Captured::program.operand(node, 2)>(frame));
    }
  }
}

}  // namespace call
TESSERA_END
