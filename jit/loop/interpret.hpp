// Owns the interpreter of Loop IR: runs a program on given memory and reports what a real machine would leave to
// chance.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jit/loop/ir.hpp"

TESSERA_BEGIN
namespace loop {

/// A piece of memory that the program may touch: what the addresses in the frame words point to.
struct Memory {
  void* data = nullptr;
  std::int64_t bytes = 0;
  bool written = true;  ///< whether it holds values before the run; reading what is not written is a finding
  bool writable = true;
};

struct InterpretOptions {
  std::string entry{};               ///< the entry to run; empty: the program's first
  std::int64_t first = 0, end = -1;  ///< programs of the grid; end −1: as many as a host function returns, or one
  std::int64_t split = 0;            ///< programs that one execution of the entry takes (executions are concurrent);
                                     ///< 0: a GPU one each, a CPU and a mesh all of them at once
  std::uint64_t seed = 1;            ///< of the schedule: interleaving of roles and lanes, lateness of copies
  std::int64_t step_limit = std::int64_t{1} << 32;  ///< instructions; more is a finding
  std::size_t finding_limit = 16;
};

/// One defect. Equal defects at the same instructions are reported once.
struct Finding {
  enum Kind : std::uint8_t {
    invalid,        ///< `verify` refuses the program, or entry, frame or memory do not fit it
    race,           ///< two touch an element, one of them writing, and nothing orders them
    missing_wait,   ///< a copy or an mma that is, or may be, still in flight is not waited for
    missing_fence,  ///< a copy or an mma reads what plain stores wrote, without a fence between
    unwritten,      ///< reads an element that nothing wrote
    out_of_bounds,
    deadlock,
    misuse,  ///< a channel, barrier or collective instruction is used against its rules
    limit    ///< the run was cut off
  };
  Kind kind;
  std::string text;
};

/// The name of a kind of finding, such as "missing wait".
std::string_view name(Finding::Kind kind);

struct Report {
  std::vector<Finding> findings;
  std::vector<std::string> failures;  ///< messages of `fail` instructions whose condition was true
  std::string printed;                ///< what `print` instructions wrote
  std::int64_t steps = 0;             ///< instructions executed, over all threads
  std::int64_t programs = -1;         ///< what a host function returned; −1: nothing
  bool completed = false;             ///< every thread came to its end
  bool clean() const { return completed && findings.empty(); }
  bool has(Finding::Kind kind) const {
    for (const Finding& f : findings)
      if (f.kind == kind) return true;
    return false;
  }
};

/// Runs host functions, then the entry. `frame` is the array of words that `word` and global buffers read
/// (call/frame.hpp); `memory` is everything they point to.
///
/// A thread of the interpreter is a lane of a GPU, an element of a mesh, or an execution on a CPU (these two hold all
/// lanes of a layout). Threads interleave at random; a copy lands at a random time after it was issued. Orders come
/// only from barriers, channels, waits, and fences around atomics, so that a race is found whether or not it happened
/// in this run. Never throws or aborts on any program.
Report interpret(const Program& program, std::span<const std::uint64_t> frame, std::span<const Memory> memory,
                 const InterpretOptions& options = {});

}  // namespace loop
TESSERA_END
