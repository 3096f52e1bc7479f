// Owns Coverage: how often each operation ran with each element type, and each kind of thing that a run can have, in
// memory that workers share.
#pragma once

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tessera/ir/tile.hpp"
#include "tests/fuzz/sample.hpp"

namespace fuzz {

/// Everything besides operations that runs are to have: layouts, contents, effects, axes, roundings, ways … by name.
const std::vector<std::string>& kind_names();

/// Those that a sample has.
std::set<std::string> kinds_of(const Sample& sample);

/// Counts of operation × element type, and of kinds. Plain data: may lie in shared memory that begins with zeros.
struct Coverage {
  static constexpr std::size_t most_kinds = 128;
  std::atomic<std::uint32_t> count[tessera::ir::op_count][tessera::dtype_count];
  std::atomic<std::uint32_t> kind[most_kinds];  ///< in the order of kind_names()

  /// Counts a sample that was compared.
  void add(const Sample& sample);
  /// The operations and kinds that never ran.
  std::vector<std::string> never() const;
  /// "ops 93 of 104, op x type 1210, kinds 80 of 81", and what never ran.
  std::string summary() const;
  /// The whole table, a line an operation or a kind.
  std::string table() const;
};

}  // namespace fuzz
