// Tests conversions bit by bit, NaNs included, against LLVM's APFloat, where it has the type's semantics (not e8m0).
// The only test of this folder that links LLVM; without LLVM it is empty.
#ifdef TESSERA_TEST_APFLOAT

#include <doctest/doctest.h>
#include <llvm/ADT/APFloat.h>
#include <llvm/ADT/APSInt.h>

#include "reference.hpp"
#include "tessera/types/convert.hpp"

using namespace tessera;
using llvm::APFloat;

namespace {

const std::vector<DType> float_types = {DType::e2m1, DType::e2m3, DType::e3m2, DType::e4m3, DType::e5m2,
                                        DType::f16,  DType::bf16, DType::f32,  DType::f64};

const llvm::fltSemantics& semantics(DType t) {
  switch (t) {
    case DType::e2m1:
      return APFloat::Float4E2M1FN();
    case DType::e2m3:
      return APFloat::Float6E2M3FN();
    case DType::e3m2:
      return APFloat::Float6E3M2FN();
    case DType::e4m3:
      return APFloat::Float8E4M3FN();
    case DType::e5m2:
      return APFloat::Float8E5M2();
    case DType::f16:
      return APFloat::IEEEhalf();
    case DType::bf16:
      return APFloat::BFloat();
    case DType::f32:
      return APFloat::IEEEsingle();
    default:
      return APFloat::IEEEdouble();
  }
}

APFloat load(DType t, std::uint64_t bits) { return APFloat(semantics(t), llvm::APInt(info(t).bits, bits)); }

std::uint64_t store(const APFloat& x) { return x.bitcastToAPInt().getZExtValue(); }

/// What APFloat gives with saturation `overflow`; what exceeds a type without infinity and NaN is its largest value.
std::uint64_t narrow(DType to, APFloat x, APFloat::roundingMode mode) {
  const bool finite_only = !info(to).has_inf && !info(to).has_nan;
  if (finite_only && x.isNaN()) return store(APFloat::getLargest(semantics(to)));
  if (finite_only && x.isInfinity()) return store(APFloat::getLargest(semantics(to), x.isNegative()));
  bool loses = false;
  const bool negative = x.isNegative();
  const APFloat::opStatus status = x.convert(semantics(to), mode, &loses);
  if (finite_only && (status & APFloat::opOverflow) != 0) return store(APFloat::getLargest(semantics(to), negative));
  return store(x);
}

bool float_agrees(DType from, DType to, std::uint64_t bits) {
  const APFloat x = load(from, bits);
  if (from == DType::e4m3 && x.isNaN() && info(to).has_inf) {  // its NaN has no payload: APFloat makes one up
    const std::uint64_t sign = x.isNegative() ? std::uint64_t{1} << (info(to).bits - 1) : 0;
    return convert_bits(from, to, bits) == (sign | store(APFloat::getQNaN(semantics(to))));
  }
  const std::uint64_t even = narrow(to, x, APFloat::rmNearestTiesToEven), zero = narrow(to, x, APFloat::rmTowardZero);
  bool good = convert_bits(from, to, bits, Rounding::nearest_even, Saturation::overflow) == even &&
              convert_bits(from, to, bits, Rounding::toward_zero, Saturation::overflow) == zero;
  // Saturating changes infinities, and the NaN that e4m3 has for them, only.
  const bool beyond = !x.isNaN() && (load(to, even).isInfinity() || load(to, even).isNaN());
  const std::uint64_t clamped = beyond ? store(APFloat::getLargest(semantics(to), x.isNegative())) : even;
  good = good && convert_bits(from, to, bits, Rounding::nearest_even, Saturation::saturate) == clamped;
  return good && convert_bits(from, to, bits) == (info(to).bits <= 8 ? clamped : even);
}

bool integer_agrees(DType from, DType to, std::uint64_t bits) {
  for (auto [ours, theirs] : {std::pair{Rounding::standard, APFloat::rmTowardZero},
                              std::pair{Rounding::nearest_even, APFloat::rmNearestTiesToEven}}) {
    llvm::APSInt whole(info(to).bits, !info(to).has_sign);
    bool exact = false;
    load(from, bits).convertToInteger(whole, theirs, &exact);
    if (convert_bits(from, to, bits, ours) != whole.getZExtValue()) return false;
  }
  return true;
}

bool from_integer_agrees(DType from, DType to, std::uint64_t bits) {
  APFloat x = APFloat::getZero(semantics(to));
  for (auto [ours, theirs] : {std::pair{Rounding::nearest_even, APFloat::rmNearestTiesToEven},
                              std::pair{Rounding::toward_zero, APFloat::rmTowardZero}}) {
    const llvm::APInt word(info(from).bits, bits);
    const bool negative = info(from).has_sign && word.isNegative();
    const auto status = x.convertFromAPInt(word, info(from).has_sign, theirs);
    std::uint64_t expected = store(x);
    if (!info(to).has_inf && !info(to).has_nan && (status & APFloat::opOverflow) != 0)
      expected = store(APFloat::getLargest(semantics(to), negative));
    if (convert_bits(from, to, bits, ours, Saturation::overflow) != expected) return false;
  }
  return true;
}

template <class Check>
void check_all(DType from, DType to, Check check) {
  std::uint64_t wrong = 0, first = 0;
  const auto one = [&](std::uint64_t bits) {
    if (!check(from, to, bits) && wrong++ == 0) first = bits;
  };
  if (info(from).bits <= 16) {
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << info(from).bits); ++bits) one(bits);
  } else {
    reference::Random random{3};
    const int width = info(from).bits;
    for (int i = 0; i < 20000; ++i) {
      std::uint64_t bits = random() >> (64 - width);
      if (info(from).is_integer()) {
        bits >>= random() % static_cast<unsigned>(width);
      } else if (i % 2 == 0) {  // a value of the target's scale, its midpoint, or one unit off them
        const int scale = static_cast<int>(random() % 60) - 36;
        const double near = std::ldexp(static_cast<double>(random() % 4096), scale) * (i % 4 == 0 ? 1 : -1);
        bits = bits_from_double(from, near) + random() % 3 - 1;
        if (width == 32) bits &= 0xffffffffu;
      }
      one(bits);
    }
  }
  CHECK_MESSAGE(wrong == 0, wrong << " differ, first: " << reference::describe(from, to, first));
}

}  // namespace

TEST_CASE("APFloat: floats into floats") {
  for (DType from : float_types)
    for (DType to : float_types)
      if (from != to) check_all(from, to, float_agrees);
}

TEST_CASE("APFloat: floats into integers") {
  for (DType from : float_types)
    for (DType to : reference::all_types)
      if (info(to).is_integer()) check_all(from, to, integer_agrees);
}

TEST_CASE("APFloat: integers into floats") {
  for (DType from : reference::all_types)
    for (DType to : float_types)
      if (info(from).is_integer()) check_all(from, to, from_integer_agrees);
}

#endif  // TESSERA_TEST_APFLOAT
