// Owns the way of a recorded program out of constant evaluation: as words of a fixed buffer, then as arrays that fit.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "tessera/language/recorder.hpp"

// What was allocated in a constant evaluation cannot leave it, and the sizes are known only after it. So one evaluation
// records and packs into words; the arrays of the final sizes are unpacked from them, without recording again.

TESSERA_BEGIN
namespace detail {

/// A recorded program, or a message, in words.
template <std::size_t Words>
struct Image {
  std::uint64_t words[Words]{};
  std::size_t needed = 0;
  std::size_t error_size = 0;
  std::int32_t nodes = 0, operands = 0, axes = 0, args = 0, extents = 0, arg_extents = 0, tunables = 0, names = 0,
               text = 0;

  constexpr void put(std::uint64_t word) {
    if (needed < Words) words[needed] = word;
    ++needed;
  }
  static constexpr std::uint64_t two(std::int32_t high, std::int32_t low) {
    return std::uint64_t{static_cast<std::uint32_t>(high)} << 32 | static_cast<std::uint32_t>(low);
  }
  constexpr void put_text(const char* s, std::size_t size) {
    for (std::size_t i = 0; i < size; i += 8) {
      std::uint64_t word = 0;
      for (std::size_t k = i; k < size && k < i + 8; ++k)
        word |= std::uint64_t{static_cast<unsigned char>(s[k])} << (8 * (k - i));
      put(word);
    }
  }

  constexpr void write(const Recorder& r) {
    if (r.bad) {
      error_size = r.error.view().size();
      put_text(r.error.view().data(), error_size);
      return;
    }
    nodes = r.nodes.size();
    operands = r.operands.size();
    axes = r.axes.size();
    args = r.args.size();
    extents = r.extents.size();
    arg_extents = r.arg_extents.size();
    tunables = r.tunables.size();
    names = r.names.size();
    text = r.text.size();
    for (int i = 0; i < nodes; ++i) {
      const ir::Node& n = r.nodes[i];
      put(std::uint64_t{static_cast<std::uint8_t>(n.op)} | std::uint64_t{static_cast<std::uint8_t>(n.type)} << 8 |
          std::uint64_t{n.rank} << 16 | std::uint64_t{n.flags} << 24 | std::uint64_t{n.count} << 32);
      put(two(n.first, static_cast<std::int32_t>(r.meta[i].line)));
      put(static_cast<std::uint64_t>(n.imm));
      if (n.rank != 0) {
        std::uint64_t word = 0;
        for (int k = 0; k < n.rank; ++k) word |= std::uint64_t{n.axes[k]} << (8 * k);
        put(word);
      }
    }
    for (int i = 0; i < operands; i += 2) put(two(r.operands[i], i + 1 < operands ? r.operands[i + 1] : 0));
    for (const ir::Axis& a : r.axes) {
      put(two(a.name, a.extent));
      put(two(a.node, a.parent));
      put(static_cast<std::uint64_t>(a.kind));
    }
    for (const ir::Arg& a : r.args) {
      put(two(a.name, a.first_extent));
      put(static_cast<std::uint64_t>(a.type) | static_cast<std::uint64_t>(a.effect) << 8 | std::uint64_t{a.rank} << 16 |
          std::uint64_t{a.accumulated} << 24 | static_cast<std::uint64_t>(a.place.alignment) << 32 |
          static_cast<std::uint64_t>(a.place.swizzle) << 48);
    }
    for (const ir::Extent& e : r.extents) {
      put(two(e.base, e.plus));
      put(static_cast<std::uint64_t>(e.divide));
    }
    for (std::int32_t e : r.arg_extents) put(static_cast<std::uint64_t>(static_cast<std::int64_t>(e)));
    for (const ir::Tunable& t : r.tunables) put(static_cast<std::uint64_t>(t.name));
    for (const ir::Name& n : r.names) put(two(n.first, n.size));
    put_text(r.text.data(), static_cast<std::size_t>(text));
  }

  constexpr std::array<char, 512> error() const {
    std::array<char, 512> out{};
    for (std::size_t i = 0; i < error_size; ++i) out[i] = static_cast<char>(words[i / 8] >> (8 * (i % 8)));
    return out;
  }
};

constexpr std::size_t at_least_one(std::int32_t size) { return size == 0 ? 1 : static_cast<std::size_t>(size); }
/// A span over a whole array; made from the array, since from a pointer it costs compile time for each element type.
template <class T, std::size_t Size>
constexpr std::span<const T> whole(const T (&array)[Size], std::int32_t size) {
  if (size == 0) return {};
  return array;
}

/// Arrays of the sizes of a program.
template <int Nodes, int Operands, int Axes, int Args, int Extents, int ArgExtents, int Tunables, int Names, int Text>
struct ProgramData {
  ir::Node nodes[at_least_one(Nodes)];
  std::int32_t operands[at_least_one(Operands)];
  ir::Axis axes[at_least_one(Axes)];
  ir::Arg args[at_least_one(Args)];
  ir::Extent extents[at_least_one(Extents)];
  std::int32_t arg_extents[at_least_one(ArgExtents)];
  ir::Tunable tunables[at_least_one(Tunables)];
  ir::Name names[at_least_one(Names)];
  char text[at_least_one(Text)];
  std::uint32_t lines[at_least_one(Nodes)];

  constexpr ir::Program program(std::string_view name) const {
    return {name,
            whole(nodes, Nodes),
            whole(operands, Operands),
            whole(axes, Axes),
            whole(args, Args),
            whole(extents, Extents),
            whole(arg_extents, ArgExtents),
            whole(tunables, Tunables),
            whole(names, Names),
            {text, Text},
            whole(lines, Nodes)};
  }
};

/// The arrays of a Recording.
template <class Recording>
constexpr auto decode() {
  constexpr auto& image = Recording::image();
  ProgramData<image.nodes, image.operands, image.axes, image.args, image.extents, image.arg_extents, image.tunables,
              image.names, image.text>
      out{};
  const std::uint64_t* word = image.words;
  const auto low = [](std::uint64_t w) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(w)); };
  const auto high = [](std::uint64_t w) { return static_cast<std::int32_t>(w >> 32); };
  for (int i = 0; i < image.nodes; ++i) {
    ir::Node& n = out.nodes[i];
    const std::uint64_t head = *word++, second = *word++;
    n.op = static_cast<ir::Op>(head & 255);
    n.type = static_cast<DType>(head >> 8 & 255);
    n.rank = static_cast<std::uint8_t>(head >> 16);
    n.flags = static_cast<std::uint8_t>(head >> 24);
    n.count = static_cast<std::uint16_t>(head >> 32);
    n.first = high(second);
    out.lines[i] = static_cast<std::uint32_t>(second);
    n.imm = static_cast<std::int64_t>(*word++);
    if (n.rank != 0) {
      const std::uint64_t axes = *word++;
      for (int k = 0; k < n.rank; ++k) n.axes[k] = static_cast<std::uint8_t>(axes >> (8 * k));
    }
  }
  for (int i = 0; i < image.operands; i += 2) {
    const std::uint64_t w = *word++;
    out.operands[i] = high(w);
    if (i + 1 < image.operands) out.operands[i + 1] = low(w);
  }
  for (int i = 0; i < image.axes; ++i) {
    const std::uint64_t a = word[0], b = word[1];
    out.axes[i] = {high(a), low(a), high(b), low(b), static_cast<ir::AxisKind>(word[2])};
    word += 3;
  }
  for (int i = 0; i < image.args; ++i) {
    const std::uint64_t a = *word++, b = *word++;
    out.args[i] = {high(a),
                   static_cast<DType>(b & 255),
                   static_cast<ir::Effect>(b >> 8 & 255),
                   static_cast<std::uint8_t>(b >> 16),
                   (b >> 24 & 1) != 0,
                   low(a),
                   {static_cast<std::int32_t>(b >> 32 & 0xffff), static_cast<std::int32_t>(b >> 48)}};
  }
  for (int i = 0; i < image.extents; ++i) {
    const std::uint64_t a = *word++;
    out.extents[i] = {high(a), low(a), low(*word++)};
  }
  for (int i = 0; i < image.arg_extents; ++i) out.arg_extents[i] = low(*word++);
  for (int i = 0; i < image.tunables; ++i) out.tunables[i] = {low(*word++)};
  for (int i = 0; i < image.names; ++i) {
    const std::uint64_t w = *word++;
    out.names[i] = {high(w), low(w)};
  }
  for (int i = 0; i < image.text; ++i) out.text[i] = static_cast<char>(word[i / 8] >> (8 * (i % 8)));
  return out;
}

}  // namespace detail
TESSERA_END
