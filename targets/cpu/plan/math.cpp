// Owns the mathematical functions in planned code: the templates of jit/math over the Loop IR builder.
#include "jit/math/erf.hpp"
#include "jit/math/exp.hpp"
#include "jit/math/fast.hpp"
#include "jit/math/log.hpp"
#include "jit/math/pow.hpp"
#include "jit/math/rsqrt.hpp"
#include "jit/math/tanh.hpp"
#include "jit/math/trig.hpp"
#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

namespace {

/// The Loop IR builder as jit/math/builder.hpp asks for it, at one float type and number of lanes.
class MathBuilder {
 public:
  using Value = loop::Value;
  MathBuilder(loop::Builder& b, DType t, int lanes, bool fma) : b_(b), t_(t), lanes_(lanes), fma_(fma) {}

  int bits() const { return info(t_).bits; }
  bool has_fma() const { return fma_; }
  Value constant_f(double v) { return b_.number(t_, lanes_, v); }
  Value constant_i(std::int64_t v) {
    return b_.constant(type(integer()), bits() == 32 ? static_cast<std::int32_t>(v) : v);
  }
  Value add(Value a, Value b) { return b_.binary(loop::Op::add, a, b); }
  Value sub(Value a, Value b) { return b_.binary(loop::Op::sub, a, b); }
  Value mul(Value a, Value b) { return b_.binary(loop::Op::mul, a, b); }
  Value div(Value a, Value b) { return b_.binary(loop::Op::div, a, b); }
  Value fma(Value a, Value b, Value c) { return b_.fma(a, b, c); }
  Value neg(Value a) { return b_.unary(loop::Op::neg, a); }
  Value abs(Value a) { return b_.unary(loop::Op::abs, a); }
  Value sqrt(Value a) { return b_.unary(loop::Op::sqrt, a); }
  Value min(Value a, Value b) { return b_.binary(loop::Op::fast_min, a, b); }
  Value max(Value a, Value b) { return b_.binary(loop::Op::fast_max, a, b); }
  Value round_even(Value a) { return b_.unary(loop::Op::round, a); }
  Value lt(Value a, Value b) { return b_.compare(loop::Op::lt, a, b); }
  Value le(Value a, Value b) { return b_.compare(loop::Op::le, a, b); }
  Value eq(Value a, Value b) { return b_.compare(loop::Op::eq, a, b); }
  Value ne(Value a, Value b) { return b_.compare(loop::Op::ne, a, b); }
  Value select(Value m, Value a, Value b) { return b_.select(m, a, b); }
  Value mask_and(Value a, Value b) { return b_.binary(loop::Op::bit_and, a, b); }
  Value mask_or(Value a, Value b) { return b_.binary(loop::Op::bit_or, a, b); }
  Value iadd(Value a, Value b) { return b_.binary(loop::Op::add, a, b); }
  Value isub(Value a, Value b) { return b_.binary(loop::Op::sub, a, b); }
  Value bit_and(Value a, Value b) { return b_.binary(loop::Op::bit_and, a, b); }
  Value bit_or(Value a, Value b) { return b_.binary(loop::Op::bit_or, a, b); }
  Value bit_xor(Value a, Value b) { return b_.binary(loop::Op::bit_xor, a, b); }
  Value shl(Value a, int n) { return b_.binary(loop::Op::shl, a, b_.constant(type(integer()), n)); }
  Value sar(Value a, int n) { return b_.binary(loop::Op::shr, a, b_.constant(type(integer()), n)); }
  Value shr(Value a, int n) {
    const DType u = bits() == 32 ? DType::u32 : DType::u64;
    const Value v = b_.binary(loop::Op::shr, b_.bitcast(a, u), b_.constant(type(u), n));
    return b_.bitcast(v, integer());
  }
  Value ilt(Value a, Value b) { return b_.compare(loop::Op::lt, a, b); }
  Value ieq(Value a, Value b) { return b_.compare(loop::Op::eq, a, b); }
  Value float_bits(Value a) { return b_.bitcast(a, integer()); }
  Value bits_float(Value a) { return b_.bitcast(a, t_); }
  Value to_float(Value a) { return b_.cast(a, t_); }

 private:
  DType integer() const { return bits() == 32 ? DType::i32 : DType::i64; }
  loop::Type type(DType t) const { return {t, static_cast<std::uint16_t>(lanes_), -1}; }
  loop::Builder& b_;
  DType t_;
  int lanes_;
  bool fma_;
};

}  // namespace

Value Planner::math(Op op, Value x, Value y) {
  MathBuilder b(*b_, b_->type(x).elem, b_->lanes(x), fuses());
  namespace m = jit::math;
  if (machine_.numerics == Numerics::fast) {
    if (op == Op::rsqrt) return m::fast::rsqrt(b, x);
    if (op == Op::sigmoid) return m::fast::sigmoid(b, x);
    const bool trigonometry = op == Op::sin || op == Op::cos || op == Op::tan;
    if (trigonometry && b.has_fma() && b.bits() == 32) return fast_trigonometry(op, x);
  }
  switch (op) {
    case Op::exp:
      return m::exp(b, x);
    case Op::exp2:
      return m::exp2(b, x);
    case Op::expm1:
      return m::expm1(b, x);
    case Op::log:
      return m::log(b, x);
    case Op::log2:
      return m::log2(b, x);
    case Op::log1p:
      return m::log1p(b, x);
    case Op::sin:
      return m::sin(b, x);
    case Op::cos:
      return m::cos(b, x);
    case Op::tan:
      return m::tan(b, x);
    case Op::tanh:
      return m::tanh(b, x);
    case Op::erf:
      return m::erf(b, x);
    case Op::sigmoid:
      return m::sigmoid(b, x);
    case Op::rsqrt:
      return m::rsqrt(b, x);
    case Op::pow:
      return m::pow(b, x, y);
    default:
      throw InternalError("planning: no mathematical function " + std::string(info(op).text));
  }
}

/// sin, cos or tan of f32, with FMA. Lanes beyond the short reduction's range, if there are any, take the long way too.
Value Planner::fast_trigonometry(Op op, Value x) {
  MathBuilder b(*b_, DType::f32, b_->lanes(x), true);
  namespace m = jit::math;
  const Value quick = op == Op::sin ? m::fast::sin(b, x) : op == Op::cos ? m::fast::cos(b, x) : m::fast::tan(b, x);
  const Value far = b_->logical_not(b.lt(b.abs(x), b.constant_f(m::fast::trigonometry_limit)));
  const Value any = b_->lanes(x) == 1 ? far : b_->emit(loop::Op::reduce_or, {DType::b8, 1, -1}, {far});
  const auto whole = [&] { return op == Op::sin ? m::sin(b, x) : op == Op::cos ? m::cos(b, x) : m::tan(b, x); };
  return b_->if_else(
      any, [&] { return std::vector<Value>{b_->select(far, whole(), quick)}; },
      [&] { return std::vector<Value>{quick}; })[0];
}

/// e^x of an x that is nowhere above 0.
Value Planner::exp_nonpositive(Value x) {
  MathBuilder b(*b_, b_->type(x).elem, b_->lanes(x), fuses());
  return jit::math::exp_nonpositive(b, x);
}

/// x less the multiple of y below x / y, rounded once: fmod's remainder, which is exact, and y once more where their
/// signs differ. In f64 the remainder by a quotient below 2^28 (of f64 itself, with FMA, below 2^50) is exact too, but
/// for one y that the rounding of the quotient may have taken too many; vectors with another quotient go to fmod.
Value Planner::float_mod(Value x, Value y) {
  using L = loop::Op;
  const DType t = b_->type(x).elem;
  const int lanes = b_->lanes(x);
  const auto number = [&](DType type, double v) { return b_->number(type, lanes, v); };
  calls_ = true;
  Value r;
  if (t == DType::f64 && !machine_.has_fma) {
    r = b_->binary(L::rem, x, y);
  } else {
    const Value a = b_->unary(L::abs, b_->cast(x, DType::f64)), d = b_->unary(L::abs, b_->cast(y, DType::f64));
    const Value q = b_->unary(L::trunc, b_->binary(L::div, a, d));
    const Value below = b_->compare(L::lt, a, d), zero = number(DType::f64, 0);
    const Value few = b_->compare(L::lt, q, number(DType::f64, t == DType::f32 ? 0x1p28 : 0x1p50));
    const Value near = b_->binary(L::bit_or, below, few);
    const Value every = lanes == 1 ? near : b_->emit(L::reduce_and, {DType::b8, 1, -1}, {near});
    const auto quick = [&] {
      Value rest = machine_.has_fma ? b_->fma(b_->unary(L::neg, q), d, a) : b_->sub(a, b_->mul(q, d));
      rest = b_->select(b_->compare(L::lt, rest, zero), b_->add(rest, d), rest);
      rest = b_->cast(b_->select(below, a, rest), t);
      const DType bits = t == DType::f32 ? DType::u32 : DType::u64;
      const Value sign = b_->constant({bits, static_cast<std::uint16_t>(lanes), -1},
                                      t == DType::f32 ? std::int64_t{0x80000000} : INT64_MIN);
      const Value sign_of_x = b_->binary(L::bit_and, b_->bitcast(x, bits), sign);
      return b_->bitcast(b_->binary(L::bit_or, b_->bitcast(rest, bits), sign_of_x), t);
    };
    r = b_->if_else(
        every, [&] { return std::vector<Value>{quick()}; },
        [&] { return std::vector<Value>{b_->binary(L::rem, x, y)}; })[0];
  }
  const Value zero = number(t, 0);
  const Value other = b_->binary(L::bit_xor, b_->compare(L::lt, r, zero), b_->compare(L::lt, y, zero));
  return b_->select(b_->logical_and(b_->compare(L::ne, r, zero), other), b_->add(r, y), r);
}

}  // namespace cpu
TESSERA_END
