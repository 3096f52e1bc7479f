// Owns the shrinker: a failing sample becomes a small one that fails in the same manner.
#pragma once

#include "tests/fuzz/check.hpp"
#include "tests/fuzz/sample.hpp"

namespace fuzz {

/// The smallest sample found within `seconds` that still fails as `sample` does: a mismatch stays a mismatch, a failure
/// of compilation keeps its kind. A sample that does not fail comes back as it is.
Sample shrink(const Sample& sample, const CheckOptions& options, int seconds = 120);

}  // namespace fuzz
