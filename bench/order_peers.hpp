// Owns the peers of order_bench that are compiled for vectors.
#pragma once

#include <cstdint>
#include <vector>

namespace bench {

/// Inclusive prefix sums by std::inclusive_scan with std::execution::unseq: libstdc++'s Parallel STL, whose loop is
/// vectorised by OpenMP's `simd reduction(inscan)`.
void scan_in_vectors(const std::vector<float>& x, std::vector<float>& sums);
void scan_in_vectors(const std::vector<std::int32_t>& x, std::vector<std::int32_t>& sums);

/// Each float as an integer that orders as it does, over its place counted from the end: the first of equal ones is the
/// largest.
void pack_with_places(const float* x, std::vector<std::uint64_t>& keys);

}  // namespace bench
