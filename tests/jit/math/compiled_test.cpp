// Tests that compiled kernels compute the mathematical functions bit for bit as the templates do in plain C++.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "jit/math/pow.hpp"
#include "tessera/tessera.hpp"
#include "tests/jit/math/functions.hpp"
#include "tests/jit/math/scalar_builder.hpp"
#include "tests/support/each_target.hpp"

namespace {
using namespace tessera;

inline constexpr Dim<"BN"> BN;

// The functions in one kernel each for f32 and f64: compiling is what takes the time.
TESSERA_KERNEL(functions_f32)(Kernel k, In<f32, "N"> x, Out<f32, "N"> e, Out<f32, "N"> l, Out<f32, "N"> t,
                              Out<f32, "N"> s, Out<f32, "N"> r) {
  auto n = k.block<"N">(BN);
  auto v = x(n);
  e(n) = exp(v);
  l(n) = log(v);
  t(n) = tanh(v);
  s(n) = sigmoid(v);
  r(n) = erf(v);
};
TESSERA_KERNEL(functions_f64)(Kernel k, In<f64, "N"> x, Out<f64, "N"> e, Out<f64, "N"> l, Out<f64, "N"> t,
                              Out<f64, "N"> s, Out<f64, "N"> r) {
  auto n = k.block<"N">(BN);
  auto v = x(n);
  e(n) = exp(v);
  l(n) = log(v);
  t(n) = tanh(v);
  s(n) = sigmoid(v);
  r(n) = erf(v);
};
TESSERA_KERNEL(others_f32)(Kernel k, In<f32, "N"> x, Out<f32, "N"> e, Out<f32, "N"> l, Out<f32, "N"> t, Out<f32, "N"> s,
                           Out<f32, "N"> r) {
  auto n = k.block<"N">(BN);
  auto v = x(n);
  e(n) = exp2(v);
  l(n) = log1p(v);
  t(n) = sin(v);
  s(n) = tan(v);
  r(n) = pow(v, v);
};

}  // namespace

namespace math = tessera::jit::math;
using tessera_test::ScalarBuilder;

namespace {

template <class Float>
std::vector<Float> arguments() {
  using Bits = std::conditional_t<sizeof(Float) == 4, std::uint32_t, std::uint64_t>;
  using Limits = std::numeric_limits<Float>;
  std::vector<Float> x = {0,
                          -Float(0),
                          1,
                          -1,
                          Limits::infinity(),
                          -Limits::infinity(),
                          Limits::quiet_NaN(),
                          Limits::max(),
                          Limits::lowest(),
                          Limits::min(),
                          -Limits::min(),
                          Limits::denorm_min(),
                          -Limits::denorm_min(),
                          88,
                          -88,
                          100,
                          -100,
                          710,
                          -746};
  std::mt19937_64 random(5);
  while (x.size() < 3001)
    x.push_back(x.size() % 2 == 0 ? std::bit_cast<Float>(static_cast<Bits>(random()))
                                  : Float(std::int64_t(random())) * Float(0x1p-60));
  return x;
}

template <class Float, class Function>
void check(const char* name, const std::vector<Float>& x, const std::vector<Float>& y, bool has_fma, Function f) {
  for (std::size_t k = 0; k < x.size(); ++k) {
    ScalarBuilder<Float> b(has_fma);
    const Float want = b.get(f(b, b.real(x[k])));
    const bool same =
        (std::isnan(want) && std::isnan(y[k])) || (want == y[k] && std::signbit(want) == std::signbit(y[k]));
    CHECK_MESSAGE(same, std::string(name) << "(" << x[k] << ") is " << y[k] << " compiled, " << want << " in C++");
    if (!same) return;
  }
}

}  // namespace

#define TESSERA_CHECK(name, y) check(#name, x, y, fma, [](auto& b, auto v) { return math::name(b, v); })

TEST_EACH_TARGET("compiled kernels compute what the templates do") {
  if (config.target != "cpu") return;
  const bool fma = config.features != "sse2";
  {
    const auto x = arguments<float>();
    std::vector<float> e(x.size()), l = e, t = e, s = e, r = e;
    functions_f32.with(config)(x, e, l, t, s, r);
    TESSERA_CHECK(exp, e);
    TESSERA_CHECK(log, l);
    TESSERA_CHECK(tanh, t);
    TESSERA_CHECK(sigmoid, s);
    TESSERA_CHECK(erf, r);
    others_f32.with(config)(x, e, l, t, s, r);
    TESSERA_CHECK(exp2, e);
    TESSERA_CHECK(log1p, l);
    TESSERA_CHECK(sin, t);
    TESSERA_CHECK(tan, s);
    check("pow", x, r, fma, [](auto& b, auto v) { return math::pow(b, v, v); });
  }
  {
    const auto x = arguments<double>();
    std::vector<double> e(x.size()), l = e, t = e, s = e, r = e;
    functions_f64.with(config)(x, e, l, t, s, r);
    TESSERA_CHECK(exp, e);
    TESSERA_CHECK(log, l);
    TESSERA_CHECK(tanh, t);
    TESSERA_CHECK(sigmoid, s);
    TESSERA_CHECK(erf, r);
  }
}
