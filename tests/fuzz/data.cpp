// Owns the values that arrays and scalars of samples have.
#include "tests/fuzz/data.hpp"

#include <cmath>

#include "tessera/types/convert.hpp"

namespace fuzz {

using tessera::DType;
using tessera::info;

namespace {

std::uint64_t any_bits(Random& random, DType type) {
  const int bits = info(type).bits;
  return random.next() & (bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1);
}

std::uint64_t special_float(Random& random, DType type) {
  const auto& t = info(type);
  const double smallest = std::ldexp(1.0, t.min_exponent), largest = std::ldexp(1.0, t.max_exponent);
  const double value = random.of({0.0,          -0.0,    HUGE_VAL, -HUGE_VAL,      std::nan(""), smallest, -smallest,
                                  3 * smallest, largest, -largest, 0.75 * largest, 1.0,          -1.0,     0.5,
                                  1.5,          2.5,     -2.5,     1e-3,           1e3,          100.0});
  return tessera::bits_from_double(type, value);
}

std::uint64_t special_integer(Random& random, DType type) {
  const auto& t = info(type);
  const int sign_bits = t.is_signed_integer() ? 1 : 0;
  const auto mask = [](int n) { return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1; };
  const std::uint64_t high = mask(t.bits - sign_bits), all = mask(t.bits);
  switch (random.below(6)) {
    case 0:
      return high;
    case 1:
      return sign_bits ? high + 1 : 0;  // the lowest
    case 2:
      return all;
    case 3:
      return (std::uint64_t{1} << random.below(t.bits)) & all;
    default:
      return static_cast<std::uint64_t>(random.below(9)) & all;
  }
}

}  // namespace

std::uint64_t value_bits(Random& random, DType type, Content content, std::int64_t limit) {
  const auto& t = info(type);
  if (content == Content::index) return tessera::bits_from_int64(type, random.below(limit));
  if (content == Content::outside) return tessera::bits_from_int64(type, random.between(-2, limit + 1));
  if (content == Content::ascending) return tessera::bits_from_int64(type, random.between(0, limit));
  if (t.is_boolean()) return random.next() & 1;
  if (content == Content::any) return any_bits(random, type);
  if (content == Content::special && random.chance(50))
    return t.is_floating() ? special_float(random, type) : special_integer(random, type);
  if (t.is_floating()) {
    const double whole = static_cast<double>(random.between(-3, 3));
    const double value = content == Content::positive ? 0.5 + 2 * random.unit()
                         : content == Content::whole  ? whole
                                                      : 4 * random.unit() - 2;
    return tessera::bits_from_double(type, value);
  }
  const std::int64_t low = !t.is_signed_integer() ? 0 : content == Content::whole ? -3 : -7;
  const std::int64_t high = content == Content::whole ? 3 : 7;
  return tessera::bits_from_int64(type,
                                  content == Content::positive ? random.between(1, 5) : random.between(low, high));
}

}  // namespace fuzz
