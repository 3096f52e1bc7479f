// Owns checksums and signatures of stored bytes; libsodium computes them.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

using Digest = std::array<char, 32>;

/// BLAKE2b of the parts one after another, keyed where `key` (16 … 64 bytes) is not empty: then a signature.
Digest digest(std::initializer_list<std::string_view> parts, std::string_view key = {});

/// A signing key of 32 bytes from a secret of any length.
std::string signing_key(std::string_view secret);

/// SipHash of a few bytes: for heads of records and for finding keys, not against forgery.
std::uint64_t short_hash(std::string_view bytes);

}  // namespace jit
TESSERA_END
