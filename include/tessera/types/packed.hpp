// Owns how arrays hold elements narrower than a byte: as one little-endian stream of bits.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tessera/types/dtype.hpp"

// Element i of a type of b bits has the bits b·i … b·i + b − 1 of the array, counted from the low bit of byte 0: 4-bit
// types lie two a byte, low nibble first; 6-bit types four in 3 bytes. Wider types have the processor's usual layout,
// which this is too. Unused bits at the end of the last byte are 0 when this library writes arrays, and never read.

TESSERA_BEGIN

static_assert(std::endian::native == std::endian::little, "Tessera's arrays are little-endian");

/// A type through which raw memory may be read.
template <class T>
concept ByteType =
    (std::is_same_v<std::remove_cv_t<T>, std::byte>) || (std::is_same_v<std::remove_cv_t<T>, unsigned char>);

/// The bytes of an array of `count` elements: 4-bit types ceil(count/2), 6-bit types ceil(3·count/4).
constexpr std::size_t packed_bytes(DType type, std::size_t count) {
  const std::size_t bits = info(type).bits;
  return bits >= 8 ? count * (bits / 8) : (count / 8) * bits + (count % 8 * bits + 7) / 8;
}

/// The bits of element `index`. The array has at least packed_bytes(type, index + 1) bytes; any alignment.
template <ByteType Byte>
constexpr std::uint64_t load_packed(DType type, const Byte* data, std::size_t index) {
  const std::size_t width = info(type).bits;
  if (width >= 8) {
    const std::size_t bytes = width / 8;
    data += index * bytes;
    std::uint64_t bits = 0;
    if (std::is_constant_evaluated()) {
      for (std::size_t i = 0; i < bytes; ++i) bits |= static_cast<std::uint64_t>(data[i]) << (8 * i);
      return bits;
    }
    switch (bytes) {  // constant sizes become single loads
      case 1:
        std::memcpy(&bits, data, 1);
        break;
      case 2:
        std::memcpy(&bits, data, 2);
        break;
      case 4:
        std::memcpy(&bits, data, 4);
        break;
      default:
        std::memcpy(&bits, data, 8);
    }
    return bits;
  }
  data += index / 8 * width;  // eight elements fill `width` bytes: no overflow for any index
  const std::size_t first = index % 8 * width, shift = first % 8;
  std::uint64_t bits = static_cast<std::uint64_t>(data[first / 8]) >> shift;
  if (shift + width > 8) bits |= static_cast<std::uint64_t>(data[first / 8 + 1]) << (8 - shift);
  return bits & ((std::uint64_t{1} << width) - 1);
}

/// Replaces element `index` by the low bits of `bits`; its neighbours keep theirs. Elements that share a byte must not
/// be written by two threads at once.
template <ByteType Byte>
constexpr void store_packed(DType type, Byte* data, std::size_t index, std::uint64_t bits) {
  const std::size_t width = info(type).bits;
  if (width >= 8) {
    const std::size_t bytes = width / 8;
    data += index * bytes;
    if (std::is_constant_evaluated()) {
      for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<Byte>(bits >> (8 * i) & 0xff);
      return;
    }
    switch (bytes) {
      case 1:
        std::memcpy(data, &bits, 1);
        break;
      case 2:
        std::memcpy(data, &bits, 2);
        break;
      case 4:
        std::memcpy(data, &bits, 4);
        break;
      default:
        std::memcpy(data, &bits, 8);
    }
    return;
  }
  data += index / 8 * width;
  const std::size_t first = index % 8 * width, shift = first % 8;
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  const auto put = [&](std::size_t byte, std::uint64_t place, std::uint64_t value) {
    data[byte] = static_cast<Byte>((static_cast<std::uint64_t>(data[byte]) & ~place & 0xff) | (value & place & 0xff));
  };
  bits &= mask;
  put(first / 8, mask << shift, bits << shift);
  if (shift + width > 8) put(first / 8 + 1, mask >> (8 - shift), bits >> (8 - shift));
}

/// The same on memory of unknown type, at run time.
inline std::uint64_t load_packed(DType type, const void* data, std::size_t index) {
  return load_packed(type, static_cast<const unsigned char*>(data), index);
}
inline void store_packed(DType type, void* data, std::size_t index, std::uint64_t bits) {
  store_packed(type, static_cast<unsigned char*>(data), index, bits);
}

TESSERA_END
