// Owns random numbers and block scales: compositions of Philox words and of casts.
#pragma once

#include "tessera/language/reduce.hpp"

TESSERA_BEGIN
namespace detail {

constexpr int bits_u64(Recorder* r, const Operand& o, std::string_view what) {
  if (adapts(o)) return node_as(r, o, DType::u64, what);
  const int x = node_of(r, o, what);
  if (x < 0 || !check_kind(r, r->type(x), Wants::integer, what, o.line)) return -1;
  return cast_node(r, x, DType::u64, o.line);
}

/// Word 0 … 3 of Philox4x32-10 of a 64-bit seed and a 64-bit counter (any integers; their bits count).
constexpr Tile random_word(const Operand& seed, const Operand& counter, int word, std::string_view what) {
  Recorder* r = recorder_of(seed, counter);
  const int in[] = {bits_u64(r, seed, what), r->bad ? -1 : bits_u64(r, counter, what)};
  if (r->bad) return result(r, -1);
  return result(r, r->join(ir::Op::random, DType::u32, counter.line, in, 2, word));
}

/// Uniform in [0, 1): as many random bits as the type has significant ones, from word 2·`pair` on.
constexpr Tile uniform_of(DType t, const Operand& seed, const Operand& counter, int pair, std::string_view what) {
  Recorder* r = recorder_of(seed, counter);
  if (!check_kind(r, t, Wants::floating, what, counter.line) || t == DType::e8m0) {
    r->fail(counter.line) << what << ": of a floating type with a zero";
    return result(r, -1);
  }
  const Tile low = random_word(seed, counter, 2 * pair, what);
  if (t != DType::f64) {
    const int bits = info(t).precision;
    return cast_to(cast_to(low >> (32 - bits), DType::f32, Rounding::standard, Saturation::standard) *
                       (1.0 / static_cast<double>(std::int64_t{1} << bits)),
                   t, Rounding::standard, Saturation::standard);
  }
  const Tile high = random_word(seed, counter, 2 * pair + 1, what);
  const Tile word = cast<u64>(high) << 32 | cast<u64>(low);
  return cast<f64>(word >> 11) * (1.0 / 9007199254740992.0);
}

constexpr Tile normal_of(DType t, const Operand& seed, const Operand& counter) {
  const DType wide = t == DType::f64 ? DType::f64 : DType::f32;
  // 1 − u is in (0, 1], so the logarithm is finite.
  const Tile radius = sqrt(-2 * log(1 - uniform_of(wide, seed, counter, 0, "normal")));
  const Tile angle = 6.283185307179586 * uniform_of(wide, seed, counter, 1, "normal");
  return cast_to(radius * cos(angle), t, Rounding::standard, Saturation::standard);
}

}  // namespace detail

/// Uniform in [0, 1) of type `T`: the same for the same seed and counter on every target and for every tiling.
template <ElementType T>
constexpr Tile uniform(Operand seed, Operand counter) {
  const detail::OnLine on(detail::recorder_of(seed, counter), counter.line);
  return detail::uniform_of(dtype_of<T>, seed, counter, 0, "uniform");
}
/// Normal with mean 0 and variance 1 (Box and Muller).
template <ElementType T>
constexpr Tile normal(Operand seed, Operand counter) {
  const detail::OnLine on(detail::recorder_of(seed, counter), counter.line);
  return detail::normal_of(dtype_of<T>, seed, counter);
}
/// All values of the integer type alike.
template <ElementType T>
constexpr Tile randint(Operand seed, Operand counter) {
  static_assert(info(dtype_of<T>).is_integer(), "tessera: randint<T> gives an integer type");
  const detail::OnLine on(detail::recorder_of(seed, counter), counter.line);
  const Tile low = detail::random_word(seed, counter, 0, "randint");
  if constexpr (info(dtype_of<T>).bits <= 32) {
    return cast<T>(low);
  } else {
    return cast<T>(cast<u64>(detail::random_word(seed, counter, 1, "randint")) << 32 | cast<u64>(low));
  }
}
/// An integer in [low, high); a range of 2³² values at most. Its chance differs from uniform by less than 2⁻³² × range.
template <ElementType T>
constexpr Tile randint(Operand seed, Operand counter, Operand low, Operand high) {
  static_assert(info(dtype_of<T>).is_integer(), "tessera: randint<T> gives an integer type");
  detail::Recorder* r = detail::recorder_of(seed, counter, low, high);
  const detail::OnLine on(r, counter.line);
  const int first = detail::node_i64(r, low, "randint"), end = detail::node_i64(r, high, "randint");
  if (r->bad) return detail::result(r, -1);
  const Tile from = detail::result(r, first), range = detail::result(r, end) - from;
  const Tile word = cast<u64>(detail::random_word(seed, counter, 0, "randint"));
  return cast<T>(cast<i64>(word * cast<u64>(range) >> 32) + from);
}

/// Values with their block's scale, in f32: scaled(a(m, i), sa(m, i / 32)).
constexpr Tile scaled(Operand value, Operand scale) {
  const detail::OnLine on(detail::recorder_of(value, scale), value.line);
  return cast<f32>(value) * cast<f32>(scale);
}

TESSERA_END
