// Hashes of known programs as literals: every compiler must compute the same, in constant evaluation and at run time.
#include "tessera/ir/hash.hpp"

#include <doctest/doctest.h>

#include "make.hpp"

using namespace ir_test;

namespace {

// Computed by g++ 12.2 and by clang++ 19.1. They change with the format of the canonical words or the table of
// operations, and only then: caches written by earlier versions are void.
constexpr ir::Hash gemm_hash{0xd9131f90bf6b2a8c, 0xa243ee99861a5609};
constexpr ir::Hash exchange_hash{0xd9d7fc40fda15d6b, 0x0214b8df01fb39ae};
constexpr ir::Hash medley_hash{0x65a85cd7cefc159e, 0xbcaf38725ef751c3};

static_assert(ir::hash_of(gemm().view()) == gemm_hash);
static_assert(ir::hash_of(exchange().view()) == exchange_hash);
static_assert(ir::hash_of(medley().view()) == medley_hash);

TEST_CASE("golden hashes") {
  CHECK(ir::hash_of(gemm().view()) == gemm_hash);
  CHECK(ir::hash_of(exchange(true).view()) == exchange_hash);
  CHECK(ir::hash_of(medley(true).view()) == medley_hash);
  CHECK(gemm_hash.hex() == "d9131f90bf6b2a8ca243ee99861a5609");
}

TEST_CASE("canonical bytes tell programs apart, and are whole words") {
  const auto a = ir::canonical_bytes(gemm().view()), b = ir::canonical_bytes(medley().view());
  CHECK(a != b);
  CHECK(a.size() % 8 == 0);
  CHECK(a == ir::canonical_bytes(gemm({"other", "A", "B", "C", "X", "Y", "Z", "P", "Q"}).view()));
}

TEST_CASE("neighbouring words give unlike hashes") {
  // Of words that differ in one bit, about half of the 128 hash bits differ.
  int bits = 0, rounds = 0;
  for (int word = 0; word < 4; ++word)
    for (int bit = 0; bit < 64; ++bit, ++rounds) {
      ir::detail::Mixer a, b;
      for (int i = 0; i < 4; ++i) {
        a.add(0);
        b.add(i == word ? std::uint64_t{1} << bit : 0);
      }
      const ir::Hash x = a.result(), y = b.result();
      const int differ = __builtin_popcountll(x.high ^ y.high) + __builtin_popcountll(x.low ^ y.low);
      CHECK(differ > 30);
      CHECK(differ < 98);
      bits += differ;
    }
  CHECK(bits > 60 * rounds);
  CHECK(bits < 68 * rounds);
}

}  // namespace
