// Owns the list of functions under test, with their references in double and in MPFR.
#pragma once

#include <cmath>

#include "jit/math/erf.hpp"
#include "jit/math/exp.hpp"
#include "jit/math/log.hpp"
#include "jit/math/rsqrt.hpp"
#include "jit/math/tanh.hpp"
#include "jit/math/trig.hpp"

// X(name, reference in double, libmvec's name or "", whether f(−x) = −f(x))
#define TESSERA_TEST_MATH(X)                    \
  X(exp, std::exp(x), "exp", false)             \
  X(exp2, std::exp2(x), "exp2", false)          \
  X(expm1, std::expm1(x), "expm1", false)       \
  X(log, std::log(x), "log", false)             \
  X(log2, std::log2(x), "log2", false)          \
  X(log1p, std::log1p(x), "log1p", false)       \
  X(tanh, std::tanh(x), "tanh", true)           \
  X(sigmoid, 1 / (1 + std::exp(-x)), "", false) \
  X(erf, std::erf(x), "erf", true)              \
  X(rsqrt, 1 / std::sqrt(x), "", false)         \
  X(sin, std::sin(x), "sin", true)              \
  X(cos, std::cos(x), "cos", false)             \
  X(tan, std::tan(x), "tan", true)
