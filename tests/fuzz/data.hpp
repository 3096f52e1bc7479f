// Owns the values that arrays and scalars of samples have.
#pragma once

#include <cstdint>

#include "tessera/types/dtype.hpp"
#include "tests/fuzz/random.hpp"
#include "tests/fuzz/sample.hpp"

namespace fuzz {

/// The bits of one value of a kind. `ascending` gives any of its values: sorting is the caller's.
std::uint64_t value_bits(Random& random, tessera::DType type, Content content, std::int64_t limit);

}  // namespace fuzz
