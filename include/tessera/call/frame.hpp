// Owns the layout of a Frame: the words that a call hands to the interpreter and to machine code.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tessera/ir/program.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace call {

/// Where the words of a program's Frame stand. A Frame is `words` 64-bit words:
///
///     [0, args)                    per kernel parameter: address of its data, or the bits of a scalar
///     [first_extent, +extents)     the value of each entry of Program::extents
///     [first_stride, +strides)     the stride, in elements, of each entry of Program::arg_extents of a parameter
///
/// Bits of a scalar: integers sign- or zero-extended by their type, bool 0 or 1, floats their own bits zero-extended.
struct FrameLayout {
  std::size_t args = 0;
  std::size_t extents = 0;
  std::size_t strides = 0;

  constexpr std::size_t first_extent() const { return args; }
  constexpr std::size_t first_stride() const { return args + extents; }
  constexpr std::size_t words() const { return args + extents + strides; }

  /// The word of parameter `arg` (its address or scalar bits).
  constexpr std::size_t arg_word(std::size_t arg) const { return arg; }
  /// The word of entry `extent` of Program::extents.
  constexpr std::size_t extent_word(std::size_t extent) const { return args + extent; }
  /// The word of the stride of entry `arg_extent` of Program::arg_extents (Arg::first_extent + axis number).
  constexpr std::size_t stride_word(std::size_t arg_extent) const { return args + extents + arg_extent; }
};

/// Whether an argument is a parameter of the kernel, rather than an array private to a program.
constexpr bool is_parameter(const ir::Arg& arg) {
  return arg.effect != ir::Effect::shared && arg.effect != ir::Effect::registers;
}
constexpr bool is_array(const ir::Arg& arg) { return arg.effect != ir::Effect::scalar; }
constexpr bool is_written(const ir::Arg& arg) {
  return arg.effect == ir::Effect::out || arg.effect == ir::Effect::inout;
}

/// The layout of a program's Frame. Parameters come first in Program::args, hence their extents first in arg_extents.
constexpr FrameLayout frame_layout(const ir::Program& program) {
  FrameLayout layout;
  layout.extents = program.extents.size();
  for (const ir::Arg& arg : program.args) {
    if (!is_parameter(arg)) break;
    ++layout.args;
    if (is_array(arg)) layout.strides += arg.rank;
  }
  return layout;
}

/// A Frame of a captured kernel on the stack; its capacity is known at compile time.
template <class Captured>
using Frame = std::array<std::uint64_t, frame_layout(Captured::program).words()>;

/// The numbers in a Frame, by their indices in the program.
struct FrameView {
  const std::uint64_t* words;
  FrameLayout layout;

  std::uint64_t scalar(std::size_t arg) const { return words[layout.arg_word(arg)]; }
  void* pointer(std::size_t arg) const {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(words[layout.arg_word(arg)]));  // NOLINT
  }
  std::int64_t extent(std::size_t extent) const { return static_cast<std::int64_t>(words[layout.extent_word(extent)]); }
  std::int64_t stride(std::size_t arg_extent) const {
    return static_cast<std::int64_t>(words[layout.stride_word(arg_extent)]);
  }
};

}  // namespace call
TESSERA_END
