// Owns what the interpreter is told and what it answers: options, findings, error bounds, printed text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/ir/tile.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// Values of the tunables, in the order of Program::tunables; those left out are default_tunable.
using Configuration = std::vector<std::int64_t>;
inline constexpr std::int64_t default_tunable = 16;

struct Options {
  bool bounds = true;              ///< compute an error bound for each element written (about half the speed)
  int function_units = 1;          ///< units in the last place that functions may be off: 4 for Numerics::fast
  bool races = true;               ///< find races between programs of the grid
  std::size_t most_findings = 64;  ///< later ones are counted, not kept
  std::int64_t most_iterations = std::int64_t{1} << 26;  ///< of one loop; more is a finding, and ends the run
  std::int64_t most_lanes = std::int64_t{1} << 28;       ///< of one tile; more is a finding, and ends the run
};

/// What the interpreter finds wrong.
enum class FindingKind : std::uint8_t {
  outside,        ///< an index outside an array or a tile, without pad
  overflow,       ///< signed integer overflow
  division,       ///< integer division by zero
  unwritten,      ///< memory private to a program is read before it is written
  race,           ///< two programs, or two lanes of one store, write one element; or one reads what another writes
  check,          ///< a check of the kernel failed
  expects,        ///< an expectation of the kernel failed: nothing ran
  ragged,         ///< a ragged block is longer than its `longest`
  identity,       ///< a custom reduction's identity is none: op(identity, x) is not x
  configuration,  ///< a tunable, or another cut, is not positive
  limit,          ///< a limit of Options was reached: the run ended
};

constexpr std::string_view to_string(FindingKind kind) {
  constexpr std::string_view names[] = {"outside", "overflow", "division", "unwritten",     "race", "check",
                                        "expects", "ragged",   "identity", "configuration", "limit"};
  return names[static_cast<std::size_t>(kind)];
}

/// One thing found wrong. `text` is whole by itself; the numbers repeat its facts for programs.
struct Finding {
  FindingKind kind = FindingKind::outside;
  std::string text;            ///< "gemm, line 6: x: index 12 of axis N is outside 0 … 9 (program 3)"
  std::int32_t node = -1;      ///< of the program
  std::uint32_t line = 0;      ///< of the kernel's source, 0 where unknown
  std::int32_t argument = -1;  ///< index into Program::args
  std::int32_t axis = -1;      ///< number of the array's axis
  std::int64_t index = 0;      ///< the index, length or value that is wrong
  std::int64_t extent = 0;     ///< what it had to be below
  std::int64_t program = -1;   ///< linear number in the grid; −1 before the launch
  std::int64_t other = -1;     ///< of a race: the other program
};

/// Bounds on the elements of one argument: any legal evaluation of the program gives an element within ± its bound of
/// what the interpreter wrote. Infinite where none is known. Elements count row-major over the extents, whatever the
/// strides.
struct Bounds {
  std::vector<double> of_element;  ///< empty: all 0
  double at(std::size_t element) const { return of_element.empty() ? 0.0 : of_element[element]; }
};

/// What a run found, printed and promises. Arguments were written in place.
struct Report {
  std::vector<Finding> findings;
  std::size_t finding_count = 0;   ///< includes those beyond Options::most_findings
  std::string output;              ///< what `print` printed, in the order of programs
  std::vector<Bounds> bounds;      ///< of each entry of Program::args; only Out and InOut have any
  std::vector<std::int64_t> grid;  ///< programs along each grid axis, in node order
  std::int64_t programs = 0;       ///< their number
  /// A branch, a loop or an index hung on a value within its error bound of another decision. What depends on it has
  /// infinite bounds.
  bool uncertain_control = false;

  bool ok() const { return finding_count == 0; }
  bool has(FindingKind kind) const {
    for (const Finding& f : findings)
      if (f.kind == kind) return true;
    return false;
  }
  /// All findings, one a line.
  std::string text() const {
    std::string all;
    for (const Finding& f : findings) all += f.text + '\n';
    if (finding_count > findings.size()) all += "and " + std::to_string(finding_count - findings.size()) + " more\n";
    return all;
  }
};

inline constexpr double unbounded = std::numeric_limits<double>::infinity();

}  // namespace interpreter
TESSERA_END
