// Owns the meaning of Loop IR's arithmetic on single elements, given by their bits: for the interpreter and for
// folding.
#pragma once

#include <cstdint>

#include "jit/loop/ops.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace loop {

/// An element's bits as a signed number: integers extended by their type, b8 as 0 or 1.
std::int64_t as_integer(DType t, std::uint64_t bits);

/// op(a): neg, abs, sqrt, floor, ceil, trunc, round, logical_not.
std::uint64_t evaluate(Op op, DType t, std::uint64_t a);

/// op(a, b): add … shr of type t, eq … ge giving 0 or 1. A zero divisor gives 0.
std::uint64_t evaluate(Op op, DType t, std::uint64_t a, std::uint64_t b);

/// a · b + c, rounded once.
std::uint64_t evaluate_fma(DType t, std::uint64_t a, std::uint64_t b, std::uint64_t c);

}  // namespace loop
TESSERA_END
