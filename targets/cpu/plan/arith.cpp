// Owns arithmetic at a point: each elementwise operation in its element type, exactly as LANGUAGE rule 12 says.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace cpu {

namespace {

loop::Op plain(ir::Op op) {
  using L = loop::Op;
  using O = ir::Op;
  switch (op) {
    case O::add:
      return L::add;
    case O::sub:
      return L::sub;
    case O::mul:
      return L::mul;
    case O::max:
      return L::max;
    case O::min:
      return L::min;
    case O::max_number:
      return L::max_number;
    case O::min_number:
      return L::min_number;
    case O::bit_and:
      return L::bit_and;
    case O::bit_or:
      return L::bit_or;
    case O::bit_xor:
      return L::bit_xor;
    case O::shl:
      return L::shl;
    case O::shr:
      return L::shr;
    case O::lt:
      return L::lt;
    case O::le:
      return L::le;
    case O::gt:
      return L::gt;
    case O::ge:
      return L::ge;
    case O::eq:
      return L::eq;
    case O::ne:
      return L::ne;
    case O::neg:
      return L::neg;
    case O::abs:
      return L::abs;
    case O::sqrt:
      return L::sqrt;
    case O::floor:
      return L::floor;
    case O::ceil:
      return L::ceil;
    case O::trunc:
      return L::trunc;
    case O::round:
      return L::round;
    case O::logical_not:
      return L::logical_not;
    default:
      return L::yield;
  }
}

bool is_compare(ir::Op op) { return op >= ir::Op::lt && op <= ir::Op::ne; }

}  // namespace

/// Rounds a machine value to element type t: what one operation in that type gives.
Value Planner::round_to(Value v, DType t) {
  const auto& row = info(t);
  if (!row.is_floating() || t == DType::f32 || t == DType::f64) return v;
  return b_->cast(b_->cast(v, t), repr(t));
}

/// A value of element type t, in the type that memory holds: exact, infinities too.
Value Planner::narrow(Value v, DType t) {
  return b_->cast(v, t, info(t).bits <= 8 ? static_cast<std::int64_t>(Saturation::overflow) << 8 : 0);
}

/// Wraps a machine integer to 4 bits.
Value Planner::wrap_to(Value v, DType t) {
  if (t != DType::i4 && t != DType::u4) return v;
  const Value four = b_->constant(b_->type(v), 4);
  return b_->binary(loop::Op::shr, b_->binary(loop::Op::shl, v, four), four);
}

Val Planner::cast_value(const Val& a, DType from, DType to, std::int64_t mode, Env& env) {
  if (from == to) return a;
  const bool vector = is_vector(a);
  if (to == DType::b8) {
    const Value v = machine(a, env, vector);
    return wrap(b_->compare(loop::Op::ne, v, b_->constant(b_->type(v), 0)));
  }
  if (from == DType::b8) {
    const loop::Type t{repr(to), static_cast<std::uint16_t>(vector ? env.width : 1), -1};
    const Value one = b_->constant(t, loop::constant_bits(repr(to), 1.0));
    // e8m0 has no zero: its least value stands for it.
    const Value none = b_->constant(t, to == DType::e8m0 ? loop::constant_bits(repr(to), 0x1p-127) : 0);
    return wrap(b_->select(machine(a, env, vector), one, none));
  }
  const DType rf = repr(from), rt = repr(to);
  const bool clamps = info(from).is_integer() && info(to).is_integer() &&
                      static_cast<Saturation>(mode >> 8 & 0xff) == Saturation::saturate;
  // Positions: narrow before the lanes are made, exactly modulo 2^32.
  if (a.affine && vector && !clamps &&
      (rt == DType::i32 || rt == DType::u32 || (info(to).is_floating() && a.lo >= INT32_MIN && a.hi <= INT32_MAX))) {
    const DType narrow = rt == DType::u32 ? DType::u32 : DType::i32;
    const Value base = b_->broadcast(b_->cast(a.base, narrow), env.width);
    Value lanes = b_->iota(narrow, env.width);
    if (a.scale != 1) lanes = b_->mul(lanes, b_->constant(b_->type(lanes), static_cast<std::int32_t>(a.scale)));
    Val r = wrap(b_->add(base, lanes));
    r.lo = a.lo, r.hi = a.hi;
    return narrow == rt ? r : cast_value(r, narrow, to, mode, env);
  }
  Value v = machine(a, env, vector);
  if (rf == rt && info(from).is_integer() && !clamps) {  // i8 → i4 and back
    Val r = wrap(wrap_to(v, to));
    return r;
  }
  const bool small_float = info(to).is_floating() && to != DType::f32 && to != DType::f64;
  const bool exact_up = small_float && info(from).is_floating() && widens(from, to);
  if (small_float) {
    if (exact_up) return a;
    v = b_->cast(v, to, mode);  // one rounding, from the value's own type
    return wrap(b_->cast(v, rt));
  }
  if (to == DType::i4 || to == DType::u4) {
    v = info(from).is_floating() || clamps ? b_->cast(b_->cast(v, to, mode), rt) : wrap_to(b_->cast(v, rt, mode), to);
    return wrap(v);
  }
  Val r = wrap(b_->cast(v, rt, mode));
  if (info(from).is_integer() && info(to).is_integer() && widens(from, to)) {
    const auto& row = info(from);
    if (row.bits < 64) {
      const bool sign = row.is_signed_integer();
      r.lo = std::max(r.lo, sign ? -(std::int64_t{1} << (row.bits - 1)) : 0);
      r.hi = std::min(r.hi, (std::int64_t{1} << (row.bits - (sign ? 1 : 0))) - 1);
    }
    if (a.lo != INT64_MIN) r.lo = std::max(r.lo, a.lo);
    if (a.hi != INT64_MAX) r.hi = std::min(r.hi, a.hi);
  }
  return r;
}

/// x to the power y by squaring, as often as the largest exponent of the lanes has bits. Negative powers are those of
/// 1 and −1, which repeat, and 0 of all other x.
static Value integer_power(loop::Builder& b, Value x, Value y) {
  using L = loop::Op;
  const loop::Type type = b.type(x);
  const Value zero = b.constant(type, 0), one = b.constant(type, 1);
  Value exponent = y, vanishes = -1;
  if (info(type.elem).is_signed_integer()) {
    const Value negative = b.compare(L::lt, y, zero);
    const Value repeats = b.binary(L::bit_or, b.compare(L::eq, x, one), b.compare(L::eq, x, b.constant(type, -1)));
    vanishes = b.logical_and(negative, b.logical_not(repeats));
    exponent = b.select(negative, b.binary(L::bit_and, y, one), y);
  }
  const auto done = b.while_loop(
      {one, x, exponent},
      [&](std::span<const Value> c) {
        const Value left = b.compare(L::ne, c[2], zero);
        const Value any = type.lanes > 1 ? b.emit(L::reduce_or, {DType::b8, 1, -1}, {left}) : left;
        return std::pair{any, std::vector<Value>(c.begin(), c.end())};
      },
      [&](std::span<const Value> c) {
        const Value odd = b.compare(L::ne, b.binary(L::bit_and, c[2], one), zero);
        return std::vector<Value>{b.select(odd, b.mul(c[0], c[1]), c[0]), b.mul(c[1], c[1]),
                                  b.binary(L::shr, c[2], one)};
      });
  return vanishes < 0 ? done[0] : b.select(vanishes, zero, done[0]);
}

Val Planner::integer_arith(const Node& n, const Val& a, const Val& b, Env& env) {
  const bool i64_type = n.type == DType::i64;
  if (i64_type && (n.op == Op::add || n.op == Op::sub) && a.affine && b.affine) {
    if (n.op == Op::add) return add(a, b, env);
    return affine(b_->sub(a.base, b.base), a.scale - b.scale, sum_of_bounds(a.lo, negated_bound(b.hi)),
                  sum_of_bounds(a.hi, negated_bound(b.lo)));
  }
  if (i64_type && n.op == Op::mul && a.affine && b.affine && (a.scale == 0 || b.scale == 0)) {
    const Val &v = a.scale == 0 ? b : a, &f = a.scale == 0 ? a : b;
    Val r = scaled(v, f.base, env);
    const auto k = b_->known(f.base);
    if (k && v.lo > INT64_MIN / 1024 / 1024 && v.hi < INT64_MAX / 1024 / 1024 && *k > -(1 << 20) && *k < (1 << 20)) {
      r.lo = std::min(v.lo * *k, v.hi * *k), r.hi = std::max(v.lo * *k, v.hi * *k);
    }
    return r;
  }
  const bool vector = is_vector(a) || is_vector(b);
  Value x = machine(a, env, vector), y = machine(b, env, vector);
  const auto k = b_->known(y);
  const bool power = k && *k > 0 && (*k & (*k - 1)) == 0;
  const auto constant = [&](std::int64_t c) { return b_->constant(b_->type(x), c); };
  Val r;
  switch (n.op) {
    case Op::div:
      r = wrap(power ? b_->binary(loop::Op::shr, x, constant(__builtin_ctzll(static_cast<std::uint64_t>(*k))))
                     : b_->binary(loop::Op::floor_div, x, y));
      if (k && *k > 0 && a.lo >= 0) r.lo = a.lo / *k, r.hi = a.hi / *k;
      return r;
    case Op::mod:
      r = wrap(power ? b_->binary(loop::Op::bit_and, x, constant(*k - 1)) : b_->binary(loop::Op::floor_rem, x, y));
      if (k && *k > 0) r.lo = 0, r.hi = *k - 1;
      return r;
    case Op::cdiv: {
      const Value zero = constant(0);
      if (info(n.type).is_unsigned_integer() || a.lo == INT64_MIN) {  // the least integer has no negative
        const Value q = b_->binary(loop::Op::floor_div, x, y), m = b_->binary(loop::Op::floor_rem, x, y);
        return wrap(b_->add(q, b_->select(b_->compare(loop::Op::ne, m, zero), constant(1), zero)));
      }
      const Value q = b_->binary(loop::Op::floor_div, b_->sub(zero, x), y);
      r = wrap(b_->sub(zero, q));
      if (a.lo >= 0 && b.lo > 0) r.lo = 0, r.hi = std::max<std::int64_t>(r.hi == INT64_MAX ? a.hi : r.hi, 0);
      return r;
    }
    default:
      break;
  }
  if (n.op == Op::pow) return wrap(wrap_to(integer_power(*b_, x, y), n.type));
  r = wrap(wrap_to(b_->binary(plain(n.op), x, y), n.type));
  if (n.op == Op::min) r.hi = std::min(a.hi, b.hi), r.lo = std::min(a.lo, b.lo);
  if (n.op == Op::max) r.lo = std::max(a.lo, b.lo), r.hi = std::max(a.hi, b.hi);
  if (n.op == Op::bit_and && b.lo >= 0) r.lo = 0, r.hi = b.hi;
  return r;
}

Val Planner::compare(const Node& n, DType t, const Val& a, const Val& b, Env& env) {
  const auto op = plain(n.op);
  if (t == DType::i64 && a.affine && b.affine && (a.scale != 0 || b.scale != 0)) {
    if (a.scale == b.scale) return wrap(b_->compare(op, a.base, b.base));
    // lane × s + base ⋈ other, as narrow lanes against the lane where it turns: one lane more or less is enough.
    const bool swap = a.scale == 0;
    const Val &v = swap ? b : a, &s = swap ? a : b;
    const std::int64_t step = v.scale - s.scale;
    if (step == 1 && v.scale == 1 && s.scale == 0) {
      Value d = b_->min(b_->max(b_->sub(s.base, v.base), i64(-1)), i64(env.width));
      d = b_->broadcast(b_->cast(d, DType::i32), env.width);
      const Value lanes = b_->iota(DType::i32, env.width);
      return wrap(swap ? b_->compare(op, d, lanes) : b_->compare(op, lanes, d));
    }
  }
  const bool vector = is_vector(a) || is_vector(b);
  return wrap(b_->compare(op, machine(a, env, vector), machine(b, env, vector)));
}

/// x·y + z of floats of at most 16 bits, held in f32. The product is exact in f64, and the sum is rounded there to odd,
/// so that the rounding to `t` is the only one (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums",
/// 2008).
Value Planner::narrow_fma(Value x, Value y, Value z, DType t) {
  const Value p = b_->mul(b_->cast(x, DType::f64), b_->cast(y, DType::f64)), c = b_->cast(z, DType::f64);
  const Value sum = b_->add(p, c), part = b_->sub(sum, p);
  const Value lost = b_->add(b_->sub(p, b_->sub(sum, part)), b_->sub(c, part));
  const Value bits = b_->bitcast(sum, DType::i64);
  const loop::Type whole = b_->type(bits);
  const Value zero = b_->constant(b_->type(sum), 0), none = b_->constant(whole, 0), one = b_->constant(whole, 1);
  const auto positive = [&](Value v) { return b_->compare(loop::Op::lt, zero, v); };
  const Value up = b_->select(positive(sum), one, b_->constant(whole, -1));
  const Value down = b_->sub(none, up);
  const Value step = b_->select(positive(lost), up, b_->select(b_->compare(loop::Op::lt, lost, zero), down, none));
  const Value even = b_->compare(loop::Op::eq, b_->binary(loop::Op::bit_and, bits, one), none);
  const Value odd = b_->bitcast(b_->add(bits, b_->select(even, step, none)), DType::f64);
  return b_->cast(b_->cast(odd, t), repr(t));
}

Val Planner::arith(const Node& n, std::span<const Val> in_, Env& env) {
  std::vector<Val> in(in_.begin(), in_.end());
  // Operands come in their own types: widen them to the type of the operation first.
  const auto type_of = [&](int k) { return program_.node(program_.operand(n, k)).type; };
  DType t = n.type;
  if (is_compare(n.op)) {
    t = type_of(0);
    if (t != type_of(1)) t = widens(type_of(0), type_of(1)) ? type_of(1) : type_of(0);
  }
  if (n.op == Op::cast) return cast_value(in[0], type_of(0), n.type, n.imm, env);
  if (n.op == Op::random)
    return random_word(cast_value(in[0], type_of(0), DType::u64, 0, env),
                       cast_value(in[1], type_of(1), DType::u64, 0, env), static_cast<int>(n.imm), env);
  if (n.op == Op::bitcast) {
    const bool vector = is_vector(in[0]);
    Value v = machine(in[0], env, vector);
    const DType from = type_of(0);
    if (repr(from) != from) v = narrow(v, from);
    v = b_->bitcast(v, n.type);
    return wrap(repr(n.type) != n.type ? b_->cast(v, repr(n.type)) : v);
  }
  if (n.op == Op::where) {
    const Val a = cast_value(in[1], type_of(1), t, 0, env), b = cast_value(in[2], type_of(2), t, 0, env);
    const bool vector = is_vector(in[0]) || is_vector(a) || is_vector(b);
    Val r = wrap(b_->select(machine(in[0], env, vector), machine(a, env, vector), machine(b, env, vector)));
    r.lo = std::min(a.lo, b.lo), r.hi = std::max(a.hi, b.hi);
    return r;
  }
  for (std::size_t k = 0; k < in.size(); ++k) in[k] = cast_value(in[k], type_of(static_cast<int>(k)), t, 0, env);
  if (is_compare(n.op)) return compare(n, t, in[0], in[1], env);
  const bool floating = info(t).is_floating();
  if (info(t).is_integer() && in.size() == 2) return integer_arith(n, in[0], in[1], env);
  bool vector = false;
  for (const Val& v : in) vector |= is_vector(v);
  std::vector<Value> x;
  for (const Val& v : in) x.push_back(machine(v, env, vector));
  const auto done = [&](Value v) { return wrap(round_to(wrap_to(v, t), t)); };
  switch (n.op) {
    case Op::fma:
      if (floating && repr(t) != t) return wrap(narrow_fma(x[0], x[1], x[2], t));
      if (floating) {
        calls_ |= b_->type(x[0]).elem == DType::f64 && !machine_.has_fma;
        return done(b_->fma(x[0], x[1], x[2]));
      }
      return done(b_->add(b_->mul(x[0], x[1]), x[2]));
    case Op::div:
      return done(b_->binary(loop::Op::div, x[0], x[1]));
    case Op::mod:
      return done(float_mod(x[0], x[1]));
    case Op::cdiv:
      return done(b_->unary(loop::Op::ceil, b_->binary(loop::Op::div, x[0], x[1])));
    case Op::rsqrt:
      return done(math(n.op, x[0]));
    case Op::exp:
      return done(analysis_.nonpositive(program_.operand(n, 0)) ? exp_nonpositive(x[0]) : math(n.op, x[0]));
    case Op::exp2:
    case Op::expm1:
    case Op::log:
    case Op::log2:
    case Op::log1p:
    case Op::sin:
    case Op::cos:
    case Op::tan:
    case Op::tanh:
    case Op::erf:
    case Op::sigmoid:
      return done(math(n.op, x[0]));
    case Op::pow:
      return done(math(n.op, x[0], x[1]));
    case Op::logical_not:
      return done(b_->unary(loop::Op::logical_not, x[0]));
    default:
      break;
  }
  if (!floating && x.size() == 1 && (n.op == Op::floor || n.op == Op::ceil || n.op == Op::trunc || n.op == Op::round))
    return in[0];
  const loop::Op op = plain(n.op);
  if ((n.op == Op::neg || n.op == Op::abs) && floating && info(t).has_sign)  // signs alone: nothing rounds
    return wrap(b_->unary(op, x[0]));
  if (op == loop::Op::yield) throw InternalError("planning: no arithmetic for " + std::string(info(n.op).text));
  return done(x.size() == 1 ? b_->unary(op, x[0]) : b_->binary(op, x[0], x[1]));
}

/// Philox4x32-10 (Salmon et al., SC 2011): key = seed, counter = (counter, 0, 0).
Val Planner::random_word(const Val& seed, const Val& counter, int word_index, Env& env) {
  const bool vector = is_vector(seed) || is_vector(counter);
  const Value s = machine(seed, env, vector), c = machine(counter, env, vector);
  const loop::Type wide{DType::u64, b_->type(c).lanes, -1};
  const auto low = [&](Value v) { return b_->cast(v, DType::u32); };
  const auto high = [&](Value v) { return b_->cast(b_->binary(loop::Op::shr, v, b_->constant(wide, 32)), DType::u32); };
  const Value zero = b_->constant({DType::u32, wide.lanes, -1}, 0);
  Value k0 = low(s), k1 = high(s), x0 = low(c), x1 = high(c), x2 = zero, x3 = zero;
  const auto product = [&](Value v, std::int64_t m) { return b_->mul(b_->cast(v, DType::u64), b_->constant(wide, m)); };
  for (int round = 0; round < 10; ++round) {
    const Value p0 = product(x0, 0xD2511F53), p1 = product(x2, 0xCD9E8D57);
    const Value y0 = b_->binary(loop::Op::bit_xor, b_->binary(loop::Op::bit_xor, high(p1), x1), k0);
    const Value y2 = b_->binary(loop::Op::bit_xor, b_->binary(loop::Op::bit_xor, high(p0), x3), k1);
    x1 = low(p1), x3 = low(p0), x0 = y0, x2 = y2;
    k0 = b_->add(k0, b_->constant(b_->type(k0), 0x9E3779B9));
    k1 = b_->add(k1, b_->constant(b_->type(k1), 0xBB67AE85));
  }
  const Value words[] = {x0, x1, x2, x3};
  return wrap(words[word_index & 3]);
}

}  // namespace cpu
TESSERA_END
