// Owns Case: one run of one program, with its extents, scalars and data.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tessera/ir/tile.hpp"

namespace tessera_test {

/// A run of one program: extents by base name, scalars and data by argument name.
struct Case {
  const tessera::ir::Program* program = nullptr;
  std::map<std::string, std::int64_t> extents;
  std::map<std::string, double> scalars;
  /// Values of an argument's elements by linear number; absent: random ones that suit the type.
  std::map<std::string, std::function<double(std::int64_t)>> data;
  std::vector<std::int64_t> tunables;  ///< for the interpreter; the backend gets them too where not empty
  std::uint64_t seed = 1;
  std::int64_t row_padding = 0;  ///< elements between rows of arrays of rank 2 and more
};

}  // namespace tessera_test
