// Owns the identity of a program: its canonical words, their bytes as a key, and a 128-bit hash of them.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/ir/canonical.hpp"

TESSERA_BEGIN
namespace ir {

/// A 128-bit hash. Not for adversaries: caches compare the canonical bytes as well.
struct Hash {
  std::uint64_t high = 0, low = 0;
  constexpr auto operator<=>(const Hash&) const = default;

  /// 32 lower-case hexadecimal digits, the high word first.
  constexpr std::string hex() const {
    std::string out;
    for (std::uint64_t word : {high, low})
      for (int shift = 60; shift >= 0; shift -= 4) out.push_back("0123456789abcdef"[(word >> shift) & 15]);
    return out;
  }
};

namespace detail {

// Two lanes that share nothing but the input. In each, a step is a bijection of the lane for a given word and of the
// word for a given lane (xor or add, multiplication by an odd number, xor of a right shift), so two inputs that differ
// in one word never collide, and others collide in a lane with chance 2^-64. The end mixes the length and both lanes.
// The multipliers are odd words of the binary expansions of √2, √3, √5 and √7 after the point.
class Mixer {
 public:
  constexpr void add(std::uint64_t word) {
    a_ = (a_ ^ word) * 0x6a09e667f3bcc909;
    a_ ^= a_ >> 31;
    b_ = (b_ + word) * 0xbb67ae8584caa73b;
    b_ ^= b_ >> 27;
    ++count_;
  }
  constexpr Hash result() const {
    std::uint64_t a = a_ ^ count_, b = b_ + (count_ << 32);
    for (int round = 0; round < 3; ++round) {
      a = (a ^ (a >> 32)) * 0x3c6ef372fe94f82b;
      b = (b ^ (b >> 29)) * 0xa54ff53a5f1d36f1;
      a += b;
      b ^= a >> 33 | a << 31;
    }
    return {a, b};
  }

 private:
  std::uint64_t a_ = 0x243f6a8885a308d3, b_ = 0x13198a2e03707344, count_ = 0;
};

/// Changes whenever the words' layout or the numbers of the operations change.
inline constexpr std::uint64_t canonical_version = 1;

// Calls f with each word of the canonical form `p`, which must be one. Every variable part is preceded by its size.
template <class F>
constexpr void each_word(const Program& p, F f) {
  const auto u = [](auto x) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(x)); };
  const auto two = [](std::int32_t high, std::int32_t low) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(high)) << 32 | static_cast<std::uint32_t>(low);
  };
  f(canonical_version << 32 | u(op_count) << 16 | u(dtype_count));
  f(u(p.nodes.size()) << 32 | u(p.axes.size()));
  f(u(p.args.size()) << 32 | u(p.extents.size()));
  f(u(p.tunables.size()));
  for (const Arg& a : p.args) {
    f(u(a.type) | u(a.effect) << 8 | u(a.rank) << 16 | u(a.accumulated) << 24 | u(a.place.alignment) << 32 |
      u(a.place.swizzle) << 48);
    for (int i = 0; i < a.rank; ++i) f(u(p.arg_extents[static_cast<std::size_t>(a.first_extent + i)]));
  }
  for (std::size_t i = 0; i < p.extents.size(); ++i) {
    std::size_t base = 0;  // the first extent of the same name stands for the name
    while (p.extents[base].base != p.extents[i].base) ++base;
    f(u(base));
    f(two(p.extents[i].plus, p.extents[i].divide));
  }
  for (const Axis& a : p.axes) {
    f(two(a.node, a.parent));
    f(two(a.extent, static_cast<std::int32_t>(a.kind)));
  }
  for (const Node& n : p.nodes) {
    f(u(n.op) | u(n.type) << 8 | u(n.rank) << 16 | u(n.flags) << 24 | u(n.count) << 32);
    if (n.rank != 0) {
      std::uint64_t word = 0;
      for (int k = 0; k < n.rank; ++k) word |= u(n.axes[k]) << (8 * k);
      f(word);
    }
    for (int k = 0; k < n.count; k += 2) f(two(p.operand(n, k), k + 1 < n.count ? p.operand(n, k + 1) : -1));
    const ImmFields fields = imm_fields(n.op);
    if (fields.count == 0) continue;
    if (fields.field[0].kind != FieldKind::string) {
      f(u(n.imm));
      continue;
    }
    const std::string_view text = p.str(static_cast<std::int32_t>(n.imm));
    f(u(text.size()));
    for (std::size_t at = 0; at < text.size(); at += 8) {
      std::uint64_t word = 0;
      for (std::size_t k = at; k < text.size() && k < at + 8; ++k)
        word |= std::uint64_t{static_cast<unsigned char>(text[k])} << (8 * (k - at));
      f(word);
    }
  }
}

}  // namespace detail

/// The hash of a program that is canonical already, such as a captured one.
constexpr Hash hash_of_canonical(const Program& p) {
  detail::Mixer mixer;
  detail::each_word(p, [&](std::uint64_t word) { mixer.add(word); });
  return mixer.result();
}

/// The hash of a program over its canonical form: operations, types, effects, extents and tunables by number, the
/// structure of axes, constants by bits, texts of print, check and expects; no names of kernel, axes, arguments,
/// extents or tunables, and no lines. The same with every compiler. `p` must verify clean.
constexpr Hash hash_of(const Program& p) {
  const Storage s = canonical(p);
  return hash_of_canonical(s.view());
}

/// What `hash_of` hashes, as bytes (words in little-endian order): two programs are the same when these are equal.
constexpr std::vector<std::uint8_t> canonical_bytes(const Program& p) {
  const Storage s = canonical(p);
  std::vector<std::uint8_t> out;
  detail::each_word(s.view(), [&](std::uint64_t word) {
    for (int k = 0; k < 8; ++k) out.push_back(static_cast<std::uint8_t>(word >> (8 * k)));
  });
  return out;
}

}  // namespace ir
TESSERA_END
