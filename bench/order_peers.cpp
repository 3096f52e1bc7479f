// Owns the peers of order_bench that the C++ compiler makes vector code of: a file of its own for its options.
#include "order_peers.hpp"

#include <bit>
#include <execution>
#include <numeric>

namespace bench {

void scan_in_vectors(const std::vector<float>& x, std::vector<float>& sums) {
  std::inclusive_scan(std::execution::unseq, x.begin(), x.end(), sums.begin());
}
void scan_in_vectors(const std::vector<std::int32_t>& x, std::vector<std::int32_t>& sums) {
  std::inclusive_scan(std::execution::unseq, x.begin(), x.end(), sums.begin());
}

void pack_with_places(const float* x, std::vector<std::uint64_t>& keys) {
  const std::size_t n = keys.size();
  for (std::size_t i = 0; i < n; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(x[i]);
    const std::uint32_t order =
        bits ^ (static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 31) | 0x80000000U);
    keys[i] = static_cast<std::uint64_t>(order) << 32 | (n - 1 - i);
  }
}

}  // namespace bench
