// Owns the generator's face: a seed becomes a sample.
#pragma once

#include <cstdint>

#include "tests/fuzz/sample.hpp"

namespace fuzz {

/// The sample of a seed: always the same one.
Sample generate(std::uint64_t seed);

}  // namespace fuzz
