// Owns a builder that computes at once on eight f32 lanes with AVX2, so that tests can go through every float.
// To be included where functions are compiled for AVX2 and FMA: see sweep_test.cpp.
#pragma once

#include <immintrin.h>

#include <bit>
#include <cstdint>

#include "jit/math/builder.hpp"
#include "tests/jit/math/scalar_builder.hpp"

namespace tessera_test {

template <bool Fma>
class VectorBuilder {
 public:
  using Value = __m256;

  static constexpr int bits() { return 32; }
  static constexpr bool has_fma() { return Fma; }
  Value constant_f(double d) const { return _mm256_set1_ps(static_cast<float>(d)); }
  Value constant_i(std::int64_t i) const { return real(_mm256_set1_epi32(static_cast<std::int32_t>(i))); }
  Value add(Value a, Value b) const { return _mm256_add_ps(a, b); }
  Value sub(Value a, Value b) const { return _mm256_sub_ps(a, b); }
  Value mul(Value a, Value b) const { return rounded(_mm256_mul_ps(a, b)); }
  Value div(Value a, Value b) const { return _mm256_div_ps(a, b); }
  Value fma(Value a, Value b, Value c) const { return _mm256_fmadd_ps(a, b, c); }
  Value neg(Value a) const { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0F)); }
  Value abs(Value a) const { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a); }
  Value sqrt(Value a) const { return _mm256_sqrt_ps(a); }
  Value min(Value a, Value b) const { return _mm256_min_ps(a, b); }
  Value max(Value a, Value b) const { return _mm256_max_ps(a, b); }
  Value round_even(Value a) const { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  Value lt(Value a, Value b) const { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  Value le(Value a, Value b) const { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
  Value eq(Value a, Value b) const { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
  Value ne(Value a, Value b) const { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
  Value select(Value m, Value a, Value b) const { return _mm256_blendv_ps(b, a, m); }
  Value mask_and(Value a, Value b) const { return _mm256_and_ps(a, b); }
  Value mask_or(Value a, Value b) const { return _mm256_or_ps(a, b); }
  Value iadd(Value a, Value b) const { return real(_mm256_add_epi32(word(a), word(b))); }
  Value isub(Value a, Value b) const { return real(_mm256_sub_epi32(word(a), word(b))); }
  Value bit_and(Value a, Value b) const { return _mm256_and_ps(a, b); }
  Value bit_or(Value a, Value b) const { return _mm256_or_ps(a, b); }
  Value bit_xor(Value a, Value b) const { return _mm256_xor_ps(a, b); }
  Value shl(Value a, int n) const { return real(_mm256_slli_epi32(word(a), n)); }
  Value shr(Value a, int n) const { return real(_mm256_srli_epi32(word(a), n)); }
  Value sar(Value a, int n) const { return real(_mm256_srai_epi32(word(a), n)); }
  Value ilt(Value a, Value b) const { return real(_mm256_cmpgt_epi32(word(b), word(a))); }
  Value ieq(Value a, Value b) const { return real(_mm256_cmpeq_epi32(word(a), word(b))); }
  Value float_bits(Value a) const { return a; }
  Value bits_float(Value a) const { return a; }
  Value to_float(Value a) const { return _mm256_cvtepi32_ps(word(a)); }

 private:
  static __m256i word(Value a) { return _mm256_castps_si256(a); }
  static Value real(__m256i a) { return _mm256_castsi256_ps(a); }
};

}  // namespace tessera_test
