// Owns the recipes of elementwise operations, and the lengths of their formulas.
#include "jit/math/erf.hpp"
#include "jit/math/exp.hpp"
#include "jit/math/log.hpp"
#include "jit/math/pow.hpp"
#include "jit/math/rsqrt.hpp"
#include "jit/math/tanh.hpp"
#include "jit/math/trig.hpp"
#include "tests/conformance/recipe.hpp"
#include "tests/jit/math/scalar_builder.hpp"

namespace conformance {

using namespace tessera;

namespace {

template <class Float>
double formula(Op op) {
  namespace math = jit::math;
  tessera_test::ScalarBuilder<Float> b(true);
  const auto x = b.real(Float(0.5)), y = b.real(Float(0.25));
  switch (op) {
    case Op::exp:
      math::exp(b, x);
      break;
    case Op::exp2:
      math::exp2(b, x);
      break;
    case Op::expm1:
      math::expm1(b, x);
      break;
    case Op::log:
      math::log(b, x);
      break;
    case Op::log2:
      math::log2(b, x);
      break;
    case Op::log1p:
      math::log1p(b, x);
      break;
    case Op::sin:
      math::sin(b, x);
      break;
    case Op::cos:
      math::cos(b, x);
      break;
    case Op::tan:
      math::tan(b, x);
      break;
    case Op::tanh:
      math::tanh(b, x);
      break;
    case Op::erf:
      math::erf(b, x);
      break;
    case Op::sigmoid:
      math::sigmoid(b, x);
      break;
    case Op::rsqrt:
      math::rsqrt(b, x);
      break;
    case Op::pow:
      math::pow(b, x, y);
      break;
    default:
      return 1;
  }
  return b.operations();
}

constexpr double division = 10;  // a vector division or root takes as long as ten other operations: five cycles

// Vector operations an element, as far as they are more than one.
double work(Op op, DType t) {
  const DTypeInfo& i = info(t);
  if (i.is_floating()) {
    if (op == Op::div || op == Op::sqrt) return division;
    if (op == Op::mod) return division + 3;
    return t == DType::f64 ? formula<double>(op) : formula<float>(op);
  }
  if (op == Op::div || op == Op::mod || op == Op::cdiv) {
    if (i.bits > 32) return 20 * 4;  // the processor's own division, ten cycles and lane by lane
    return division + 12;            // of floats: converted, divided, multiplied back, compared, mended
  }
  return op == Op::pow ? 7 : 1;
}

Recipe unary(Op op, Types types, Data x = Data::ordinary) {
  Recipe r{op, "", types, Shape::line, {}};
  r.body = [op](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), y = out(k, t, {"N"});
    const Block n = k.block("N", BN);
    y(n) = node(k, op, t, {x(n)});
  };
  r.x = x;
  r.bound = Bound::formula;
  r.work = [op](DType t) { return work(op, t); };
  return r;
}

Recipe binary(Op op, Types types, Data x = Data::ordinary, Data y = Data::ordinary, bool condition = false) {
  Recipe r{op, "", types, Shape::line, {}};
  r.body = [op, condition](Kernel k, DType t) {
    const DType to = condition ? DType::b8 : t;
    const Array x = in(k, t, "x", {"N"}), y = in(k, t, "y", {"N"}), z = out(k, to, {"N"});
    const Block n = k.block("N", BN);
    z(n) = node(k, op, to, {x(n), y(n)});
  };
  r.x = x;
  r.y = y;
  r.bound = Bound::formula;
  r.work = [op](DType t) { return work(op, t); };
  return r;
}

/// Another type of the same size, or the type itself where there is none.
DType partner(DType t) {
  for (int other = dtype_count - 1; other >= 0; --other)
    if (other != static_cast<int>(t) && dtype_table[other].bits == info(t).bits &&
        dtype_table[other].is_floating() != info(t).is_floating())
      return static_cast<DType>(other);
  for (int other = 0; other < dtype_count; ++other)
    if (other != static_cast<int>(t) && dtype_table[other].bits == info(t).bits) return static_cast<DType>(other);
  return t;
}

Recipe conversion(Op op, std::string how, Types types, std::function<DType(DType)> to) {
  Recipe r{op, std::move(how), types, Shape::line, {}};
  r.body = [op, to](Kernel k, DType t) {
    const Array x = in(k, t, "x", {"N"}), y = out(k, to(t), {"N"});
    const Block n = k.block("N", BN);
    y(n) = node(k, op, to(t), {x(n)});
  };
  return r;
}

}  // namespace

std::vector<Recipe> elementwise_recipes() {
  std::vector<Recipe> all;
  for (Op op : {Op::neg, Op::abs, Op::floor, Op::ceil, Op::trunc, Op::round}) all.push_back(unary(op, numbers));
  for (Op op : {Op::exp, Op::exp2, Op::expm1, Op::sin, Op::cos, Op::tan, Op::tanh, Op::erf, Op::sigmoid})
    all.push_back(unary(op, floats));
  for (Op op : {Op::sqrt, Op::rsqrt, Op::log, Op::log2, Op::log1p}) all.push_back(unary(op, floats, Data::positive));
  all.push_back(unary(Op::logical_not, not_floats));
  for (Op op : {Op::add, Op::sub, Op::mul}) all.push_back(binary(op, numbers));
  for (Op op : {Op::div, Op::mod}) all.push_back(binary(op, numbers, Data::ordinary, Data::positive));
  all.push_back(binary(Op::pow, numbers, Data::positive, Data::few));
  all.push_back(binary(Op::cdiv, integers, Data::ordinary, Data::positive));
  for (Op op : {Op::shl, Op::shr}) all.push_back(binary(op, integers, Data::ones, Data::few));
  for (Op op : {Op::max, Op::min, Op::max_number, Op::min_number}) all.push_back(binary(op, any_type));
  for (Op op : {Op::bit_and, Op::bit_or, Op::bit_xor}) all.push_back(binary(op, not_floats));
  for (Op op : {Op::lt, Op::le, Op::gt, Op::ge, Op::eq, Op::ne})
    all.push_back(binary(op, any_type, Data::ordinary, Data::ordinary, true));

  Recipe fma{Op::fma, "", numbers, Shape::line, [](Kernel k, DType t) {
               const Array x = in(k, t, "x", {"N"}), y = in(k, t, "y", {"N"}), z = in(k, t, "z", {"N"});
               const Array r = out(k, t, {"N"});
               const Block n = k.block("N", BN);
               r(n) = node(k, Op::fma, t, {x(n), y(n), z(n)});
             }};
  all.push_back(fma);
  all.push_back({Op::where, "", any_type, Shape::line, [](Kernel k, DType t) {
                   const Array c = in(k, DType::b8, "c", {"N"}), x = in(k, t, "x", {"N"}), y = in(k, t, "y", {"N"});
                   const Array r = out(k, t, {"N"});
                   const Block n = k.block("N", BN);
                   r(n) = node(k, Op::where, t, {c(n), x(n), y(n)});
                 }});
  const auto wide = [](DType t) { return t == DType::f32 ? DType::f64 : DType::f32; };
  all.push_back(conversion(Op::cast, "to f32 (f32: to f64)", any_type, wide));
  all.push_back(conversion(Op::bitcast, "to a type of its size", any_type, partner));
  Recipe random{Op::random, "", one(DType::u32), Shape::line, [](Kernel k, DType t) {
                  const Tile seed = k.scalar(DType::u64, "seed");
                  const Array r = out(k, t, {"N"});
                  const Block n = k.block("N", BN);
                  r(n) = node(k, Op::random, t, {seed, cast<u64>(n)}, 1);
                }};
  random.bound = Bound::formula;
  random.work = [](DType) { return 10 * 12; };  // ten rounds of four half products, shuffles and six of bits
  all.push_back(random);
  all.push_back({Op::broadcast, "", any_type, Shape::rows, [](Kernel k, DType t) {
                   const Array x = in(k, t, "x", {"M"}), r = out(k, t, {"M", "N"});
                   const Block m = k.block("M", BM), n = k.block("N", BN);
                   const Operand over[] = {m, n};
                   r(m, n) = k.full(t, x(m), over, 2);
                 }});
  return all;
}

std::vector<Recipe> cast_recipes(DType to) {
  return {conversion(Op::cast, std::string(dtype_name(to)), any_type, [to](DType) { return to; })};
}

}  // namespace conformance
