// Owns the calls of libsodium.
#include "jit/cache/digest.hpp"

#include <sodium.h>

#include <cstring>

TESSERA_BEGIN
namespace jit {
namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// Chooses the fastest code for this processor. Where it fails the plain one runs, with the same results.
void prepare() {
  static const int ready = sodium_init();
  (void)ready;
}

}  // namespace

Digest digest(std::initializer_list<std::string_view> parts, std::string_view key) {
  prepare();
  Digest out;
  crypto_generichash_state state;
  crypto_generichash_init(&state, key.empty() ? nullptr : bytes_of(key), key.size(), out.size());
  for (std::string_view part : parts) crypto_generichash_update(&state, bytes_of(part), part.size());
  crypto_generichash_final(&state, reinterpret_cast<unsigned char*>(out.data()), out.size());
  return out;
}

std::string signing_key(std::string_view secret) {
  const Digest key = digest({"tessera cache key", secret});
  return {key.data(), key.size()};
}

std::uint64_t short_hash(std::string_view bytes) {
  static constexpr unsigned char key[crypto_shorthash_KEYBYTES] = {'t', 'e', 's', 's', 'e', 'r', 'a'};
  std::uint64_t out = 0;
  static_assert(crypto_shorthash_BYTES == sizeof out);
  crypto_shorthash(reinterpret_cast<unsigned char*>(&out), bytes_of(bytes), bytes.size(), key);
  return out;
}

}  // namespace jit
TESSERA_END
