// Tests the layout of packed arrays, and the containers of packed elements.
#include "tessera/types/packed.hpp"

#include <doctest/doctest.h>

#include "reference.hpp"
#include "tessera/types/packed_vector.hpp"

using namespace tessera;

namespace {

static_assert(packed_bytes(DType::i4, 0) == 0 && packed_bytes(DType::i4, 1) == 1 && packed_bytes(DType::e2m1, 3) == 2);
static_assert(packed_bytes(DType::e3m2, 1) == 1 && packed_bytes(DType::e3m2, 2) == 2 &&
              packed_bytes(DType::e2m3, 3) == 3);
static_assert(packed_bytes(DType::e3m2, 4) == 3 && packed_bytes(DType::e3m2, 5) == 4 &&
              packed_bytes(DType::f32, 3) == 12);
static_assert(packed_bytes(DType::e3m2, std::size_t{1} << 62) == std::size_t{3} << 60);

constexpr bool low_nibble_first() {
  unsigned char bytes[2] = {0, 0xff};
  store_packed(DType::u4, bytes, 0, 0x1);
  store_packed(DType::u4, bytes, 1, 0x2);
  store_packed(DType::u4, bytes, 2, 0xf3);  // only the low bits count
  return bytes[0] == 0x21 && bytes[1] == 0xf3 && load_packed(DType::u4, bytes, 1) == 2 &&
         load_packed(DType::u4, bytes, 3) == 0xf;
}
static_assert(low_nibble_first());

constexpr bool four_in_three_bytes() {
  std::byte bytes[3] = {};
  for (std::size_t i = 0; i < 4; ++i) store_packed(DType::e3m2, bytes, i, i == 2 ? 0x2a : 0x3f);
  // 111111 111111 101010 111111, from the low bit up
  if (bytes[0] != std::byte{0xff} || bytes[1] != std::byte{0xaf} || bytes[2] != std::byte{0xfe}) return false;
  return load_packed(DType::e3m2, bytes, 2) == 0x2a && load_packed(DType::e3m2, bytes, 3) == 0x3f;
}
static_assert(four_in_three_bytes());

constexpr bool wide_in_constants() {
  unsigned char bytes[16] = {};
  store_packed(DType::u64, bytes, 1, 0x0123456789abcdefu);
  store_packed(DType::f16, bytes, 1, 0xbeef);
  return bytes[8] == 0xef && bytes[15] == 0x01 && bytes[2] == 0xef && bytes[3] == 0xbe &&
         load_packed(DType::u64, bytes, 1) == 0x0123456789abcdefu && load_packed(DType::f16, bytes, 1) == 0xbeef;
}
static_assert(wide_in_constants());

constexpr float total_of_constants() {
  PackedVector<fp6> x{fp6(1), fp6(-2), fp6(4)};
  x[0] = x[1];
  x.push_back(fp6(28));
  float total = 0;
  for (fp6 value : x) total += float(value);
  return total;
}
static_assert(total_of_constants() == 28);

}  // namespace

TEST_CASE("packed: what is stored is loaded, neighbours keep theirs, and bytes beyond stay untouched") {
  reference::Random random{5};
  for (DType t : reference::all_types) {
    CAPTURE(dtype_name(t));
    constexpr std::size_t count = 61;
    const std::size_t bytes = packed_bytes(t, count);
    CHECK(bytes == (count * info(t).bits + 7) / 8);
    const std::uint64_t mask = info(t).bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << info(t).bits) - 1;
    std::vector<unsigned char> data(bytes + 1, 0xa5);
    std::vector<std::uint64_t> expected(count);
    for (std::size_t i = 0; i < count; ++i) expected[i] = load_packed(t, data.data(), i);
    for (int step = 0; step < 2000; ++step) {
      const std::size_t i = random() % count;
      const std::uint64_t bits = random();
      expected[i] = bits & mask;
      void* raw = data.data();
      store_packed(t, raw, i, bits);
      const std::size_t j = random() % count;
      REQUIRE(load_packed(t, static_cast<const void*>(raw), i) == expected[i]);
      REQUIRE(load_packed(t, data.data(), j) == expected[j]);
    }
    for (std::size_t i = 0; i < count; ++i) CHECK(load_packed(t, data.data(), i) == expected[i]);
    CHECK(data[bytes] == 0xa5);
    if (!info(t).is_sub_byte()) continue;
    for (std::size_t i = 0; i < count; ++i)  // bit by bit, as the layout is defined
      for (std::size_t b = 0; b < info(t).bits; ++b) {
        const std::size_t at = i * info(t).bits + b;
        CHECK((data[at / 8] >> (at % 8) & 1) == (expected[i] >> b & 1));
      }
  }
}

TEST_CASE("packed: a vector grows, shrinks and clears what it drops") {
  PackedVector<i4> x(5);
  CHECK(x.bytes() == 3);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = i4(static_cast<int>(i) - 3);
  CHECK(x.data()[0] == std::byte{0xed});
  x.resize(3);
  CHECK(x.bytes() == 2);
  CHECK(x.data()[1] == std::byte{0x0f});
  x.resize(6);
  CHECK(x[2] == i4(-1));
  CHECK(x[3] == i4(0));
  CHECK(x[5] == i4(0));
  PackedVector<e2m3> y(1);
  CHECK(y.bytes() == 1);
  y.resize(7);
  CHECK(y.bytes() == 6);
  y[6] = e2m3(-7.5);
  y.resize(4);
  y.resize(7);
  CHECK(y[6] == e2m3(0));
  CHECK(PackedVector<fp4>().empty());
}

TEST_CASE("packed: spans view a vector's bytes") {
  PackedVector<fp4> x{fp4(0.5), fp4(-6), fp4(3)};
  PackedSpan<fp4> all = x;
  all[1] = fp4(2);
  PackedSpan<const fp4> read = all;
  CHECK(read.size() == 3);
  CHECK(read.bytes() == 2);
  CHECK(read[1] == fp4(2));
  float total = 0;
  for (fp4 value : read) total += float(value);
  CHECK(total == 5.5f);
  const PackedVector<fp4>& constant = x;
  CHECK(constant[2] == fp4(3));
  CHECK(PackedSpan<const fp4>(constant).data() == constant.data());
}
