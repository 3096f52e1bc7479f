// Owns the list of vector mathematical functions: all headers of this folder, and one row a function.
#pragma once

#include "jit/math/erf.hpp"
#include "jit/math/exp.hpp"
#include "jit/math/log.hpp"
#include "jit/math/tanh.hpp"
