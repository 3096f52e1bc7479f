// Owns how named and derived extents are found in the arrays of a call: from which axis, and by which formula.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tessera/call/frame.hpp"
#include "tessera/ir/program.hpp"
#include "tessera/version.hpp"

// LANGUAGE.md rule 3. An extent's name (K of "K", "K+1", "K/32") is bound by the first axis that is just K; where there
// is none, by the first that is "K+n". "K/32" binds nothing. All other axes are checked against it.

TESSERA_BEGIN
namespace call {

constexpr bool same_name(const ir::Program& program, std::int32_t a, std::int32_t b) {
  return a == b || program.str(a) == program.str(b);
}

/// An axis of an array parameter.
struct Place {
  int arg = -1;   ///< index into Program::args
  int axis = -1;  ///< from 0
};

/// Where entry `arg_extent` of Program::arg_extents belongs.
constexpr Place place_of(const ir::Program& program, int arg_extent) {
  const FrameLayout layout = frame_layout(program);
  for (std::size_t i = 0; i < layout.args; ++i) {
    const ir::Arg& arg = program.args[i];
    if (is_array(arg) && arg_extent >= arg.first_extent && arg_extent < arg.first_extent + arg.rank)
      return {static_cast<int>(i), arg_extent - arg.first_extent};
  }
  return {};
}

/// The entry of Program::arg_extents that binds the name of entry `extent` of Program::extents, or −1.
constexpr int binding_entry(const ir::Program& program, int extent) {
  const std::int32_t base = program.extents[static_cast<std::size_t>(extent)].base;
  const std::size_t strides = frame_layout(program).strides;
  int with_number = -1;
  for (std::size_t i = 0; i < strides; ++i) {
    const ir::Extent& entry = program.extents[static_cast<std::size_t>(program.arg_extents[i])];
    if (entry.divide != 1 || !same_name(program, entry.base, base)) continue;
    if (entry.plus == 0) return static_cast<int>(i);
    if (with_number < 0) with_number = static_cast<int>(i);
  }
  return with_number;
}

/// The value of an extent whose name has the value `base` ≥ 0.
constexpr std::int64_t extent_value(const ir::Extent& extent, std::int64_t base) {
  const std::int64_t pieces = extent.divide == 1 ? base : base / extent.divide + (base % extent.divide != 0);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(pieces) + static_cast<std::uint64_t>(extent.plus));
}

}  // namespace call
TESSERA_END
