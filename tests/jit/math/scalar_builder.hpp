// Owns builders that compute at once, in plain C++: one lane, and one that checks kinds and counts operations.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <type_traits>

#include "jit/math/builder.hpp"

namespace tessera_test {

/// Keeps a compiler from contracting the product into a later sum.
template <class Float>
Float rounded(Float x) {
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
  asm("" : "+x"(x));
#elif defined(__GNUC__) && defined(__aarch64__)
  asm("" : "+w"(x));
#endif
  return x;
}

enum class Kind : std::uint8_t { real, integer, mask };

/// One lane of `Float`. Each operation checks the kinds of its operands (std::logic_error) and is counted; constants
/// and reinterpretations of bits are free.
template <class Float>
class ScalarBuilder {
 public:
  using Int = std::conditional_t<sizeof(Float) == 4, std::int32_t, std::int64_t>;
  using Unsigned = std::make_unsigned_t<Int>;
  struct Value {
    Unsigned word;
    Kind kind;
  };

  explicit ScalarBuilder(bool has_fma) : has_fma_(has_fma) {}

  int operations() const { return operations_; }
  void reset() { operations_ = 0; }
  Value real(Float x) const { return {std::bit_cast<Unsigned>(x), Kind::real}; }
  Float get(Value v) const { return std::bit_cast<Float>(check(v, Kind::real)); }

  int bits() const { return int{sizeof(Float)} * 8; }
  bool has_fma() const { return has_fma_; }
  Value constant_f(double d) const {
    const auto x = static_cast<Float>(d);
    if (static_cast<double>(x) != d && d == d) throw std::logic_error("constant_f: not exact in the format");
    return real(x);
  }
  Value constant_i(std::int64_t i) const { return {static_cast<Unsigned>(i), Kind::integer}; }

  Value add(Value a, Value b) { return count(get(a) + get(b)); }
  Value sub(Value a, Value b) { return count(get(a) - get(b)); }
  Value mul(Value a, Value b) { return count(rounded(get(a) * get(b))); }
  Value div(Value a, Value b) { return count(get(a) / get(b)); }
  Value fma(Value a, Value b, Value c) {
    if (!has_fma_) throw std::logic_error("fma without has_fma");
    return count(std::fma(get(a), get(b), get(c)));
  }
  Value neg(Value a) { return count(-get(a)); }
  Value abs(Value a) { return count(std::fabs(get(a))); }
  Value sqrt(Value a) { return count(std::sqrt(get(a))); }
  Value min(Value a, Value b) { return count(get(a) < get(b) ? get(a) : get(b)); }
  Value max(Value a, Value b) { return count(get(a) > get(b) ? get(a) : get(b)); }
  Value round_even(Value a) { return count(std::nearbyint(get(a))); }
  Value lt(Value a, Value b) { return mask(get(a) < get(b)); }
  Value le(Value a, Value b) { return mask(get(a) <= get(b)); }
  Value eq(Value a, Value b) { return mask(get(a) == get(b)); }
  Value ne(Value a, Value b) { return mask(get(a) != get(b)); }
  Value select(Value m, Value a, Value b) {
    ++operations_;
    if (a.kind != b.kind || a.kind == Kind::mask) throw std::logic_error("select of different kinds");
    return check(m, Kind::mask) != 0 ? a : b;
  }
  Value mask_and(Value a, Value b) { return mask((check(a, Kind::mask) & check(b, Kind::mask)) != 0); }
  Value mask_or(Value a, Value b) { return mask((check(a, Kind::mask) | check(b, Kind::mask)) != 0); }
  Value iadd(Value a, Value b) { return integer(whole(a) + whole(b)); }
  Value isub(Value a, Value b) { return integer(whole(a) - whole(b)); }
  Value bit_and(Value a, Value b) { return integer(whole(a) & whole(b)); }
  Value bit_or(Value a, Value b) { return integer(whole(a) | whole(b)); }
  Value bit_xor(Value a, Value b) { return integer(whole(a) ^ whole(b)); }
  Value shl(Value a, int n) { return integer(whole(a) << shift(n)); }
  Value shr(Value a, int n) { return integer(whole(a) >> shift(n)); }
  Value sar(Value a, int n) { return integer(static_cast<Unsigned>(static_cast<Int>(whole(a)) >> shift(n))); }
  Value ilt(Value a, Value b) { return mask(static_cast<Int>(whole(a)) < static_cast<Int>(whole(b))); }
  Value ieq(Value a, Value b) { return mask(whole(a) == whole(b)); }
  Value float_bits(Value a) { return {check(a, Kind::real), Kind::integer}; }
  Value bits_float(Value a) { return {whole(a), Kind::real}; }
  Value to_float(Value a) { return count(static_cast<Float>(static_cast<Int>(whole(a)))); }

 private:
  static Unsigned check(Value v, Kind kind) {
    if (v.kind != kind) throw std::logic_error("operand of the wrong kind");
    return v.word;
  }
  static Unsigned whole(Value v) { return check(v, Kind::integer); }
  int shift(int n) const {
    if (n < 0 || n >= bits()) throw std::logic_error("shift count out of range");
    return n;
  }
  Value count(Float x) {
    ++operations_;
    return real(x);
  }
  Value mask(bool m) {
    ++operations_;
    return {m ? ~Unsigned{0} : Unsigned{0}, Kind::mask};
  }
  Value integer(Unsigned u) {
    ++operations_;
    return {u, Kind::integer};
  }

  bool has_fma_;
  int operations_ = 0;
};

static_assert(tessera::jit::math::Builder<ScalarBuilder<float>>);
static_assert(tessera::jit::math::Builder<ScalarBuilder<double>>);

}  // namespace tessera_test
