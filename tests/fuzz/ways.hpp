// Owns what a Way means to the planner, and the two places that its plan may run in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jit/loop/ir.hpp"
#include "jit/specialisation.hpp"
#include "targets/cpu/plan/machine.hpp"
#include "tessera/call/errors.hpp"
#include "tests/fuzz/arguments.hpp"
#include "tests/fuzz/check.hpp"

namespace fuzz {

/// What a Way gives the planner for a call with this Frame.
struct Choice {
  std::vector<std::int64_t> tunables;
  tessera::cpu::Machine machine;
  tessera::jit::Specialisation known;
};
Choice choose(const Sample& sample, const Way& way, const std::vector<std::uint64_t>& frame);

/// The plan. Throws what the planner throws, and std::runtime_error where its Loop IR is not valid.
tessera::loop::Program plan(const Sample& sample, const Choice& choice);

std::string describe(const Way& way);

/// What came of a run, besides the arrays.
struct Ran {
  tessera::Status status;
  std::string printed;  ///< lines, in any order
  std::string wrong;    ///< what no sound program may do, such as touching what is not its own; empty: nothing
  std::string beside;   ///< what no program at all may do; empty: nothing
  bool complete = true;
};

/// Compiles the plan and runs the programs of the grid in three pieces where their order must not matter: the last
/// first, or, of a plan for several threads, at the same time. Throws where compilation fails.
Ran run_compiled(const tessera::loop::Program& plan, const Sample& sample, const Way& way, const CheckOptions& options,
                 const Arguments& arguments);

/// Runs the plan in the interpreter of Loop IR, each program of the grid by itself where their order must not matter:
/// for vectors that this machine lacks, and for what only shows there, such as scratch that is too small.
Ran run_planned(const tessera::loop::Program& plan, const Sample& sample, const Arguments& arguments);

}  // namespace fuzz
