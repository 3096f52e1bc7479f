// Owns Coverage: how often each operation ran with each element type, in memory that workers share.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "tessera/ir/tile.hpp"
#include "tests/fuzz/sample.hpp"

namespace fuzz {

/// Counts of operation × element type. Plain data: may lie in shared memory that begins with zeros.
struct Coverage {
  std::atomic<std::uint32_t> count[tessera::ir::op_count][tessera::dtype_count];

  /// Counts the nodes of a program that was compared.
  void add(const tessera::ir::Program& program);
  /// "ops 93 of 104, op x type 1210", and what never ran.
  std::string summary() const;
  /// The whole table, a line an operation.
  std::string table() const;
};

}  // namespace fuzz
