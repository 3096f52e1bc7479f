// Owns Storage, a Tile IR program that owns its data. Apart from program.hpp, since captured kernels need none.
#pragma once

#include <cstdint>
#include <vector>

#include "tessera/ir/program.hpp"

TESSERA_BEGIN
namespace ir {

/// A program that owns its data: made by the recorder at run time, by the parser, and by passes.
struct Storage {
  std::vector<char> kernel_name;
  std::vector<Node> nodes;
  std::vector<std::int32_t> operands;
  std::vector<Axis> axes;
  std::vector<Arg> args;
  std::vector<Extent> extents;
  std::vector<std::int32_t> arg_extents;
  std::vector<Tunable> tunables;
  std::vector<Name> names;
  std::vector<char> text;
  std::vector<std::uint32_t> lines;

  constexpr Program view() const {
    return {{kernel_name.data(), kernel_name.size()},
            nodes,
            operands,
            axes,
            args,
            extents,
            arg_extents,
            tunables,
            names,
            {text.data(), text.size()},
            lines};
  }
};

}  // namespace ir
TESSERA_END
