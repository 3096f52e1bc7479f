// Owns the language's random numbers: Philox4x32-10 words of a seed and a counter.
#pragma once

#include <array>
#include <cstdint>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// The four words of Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC
/// 2011). The key is (low, high) half of `seed`; the counter's words are (low, high) half of `counter`, 0, 0.
constexpr std::array<std::uint32_t, 4> philox(std::uint64_t seed, std::uint64_t counter) {
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  std::array<std::uint32_t, 4> c{static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0], p1 = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9;  // the golden ratio, and √3 − 1
    k1 += 0xBB67AE85;
  }
  return c;
}

}  // namespace interpreter
TESSERA_END
