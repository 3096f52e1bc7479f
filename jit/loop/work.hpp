// Owns counting what a Loop IR program does in one call: instructions, and bytes through caches of given sizes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jit/loop/ir.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace loop {

/// How fast a machine does things, as far as counting needs it: what may run at once is not added up.
struct Rates {
  double arithmetic = 2;  ///< vector operations of floats a cycle
  double loads = 2;       ///< a cycle
  double stores = 1;      ///< a cycle
  double issue = 4;       ///< instructions a cycle altogether
  double latency = 4;     ///< cycles of a float operation whose result the next one waits for
  double divide = 5;      ///< cycles of a vector division or square root
  double lane = 1.5;      ///< cycles a lane of what goes lane by lane: gathers, scatters, atomics
  double turn = 1;        ///< cycles that a turn of a loop costs at least
  int vector_bytes = 32;
};

/// What a call does.
struct Work {
  double cycles = 0;            ///< of instructions, were all data in the first cache
  double operations = 0;        ///< float additions and multiplications, lanes counted
  double bytes = 0;             ///< different bytes of arguments that are touched
  std::vector<double> traffic;  ///< bytes into each cache from what lies beyond it, in the order of the sizes given
  double scratch = 0;           ///< bytes of scratch that a program of the grid has at a time
  std::int64_t programs = 1;    ///< of the grid
  bool known = true;            ///< false: some loop's length depends on data; a guess was taken
};

/// Counts what `program` does for the Frame words `frame` (those of addresses do not matter), without running it: the
/// lengths of loops are evaluated, data are not. `caches` are sizes in bytes, smallest first; `arguments` the bytes of
/// each buffer of an argument by Frame word. Loops whose length depends on data count `guess` turns. Costs about as
/// much as planning does.
Work count_work(const Program& program, std::span<const std::int64_t> frame, const Rates& rates,
                std::span<const double> caches, std::span<const double> arguments, double guess = 16);

/// A number that differs between programs that do different things (for all practical purposes): instructions,
/// buffers, constants; no names.
std::uint64_t fingerprint(const Program& program);

}  // namespace loop
TESSERA_END
