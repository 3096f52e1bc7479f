// Owns running many samples in processes of their own, so that a crash or a hang is a finding and not the end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/check.hpp"
#include "tests/fuzz/coverage.hpp"

namespace fuzz {

struct RunOptions {
  std::uint64_t first_seed = 1, programs = 1000;
  int workers = 2;
  std::uint64_t most_findings = 10;  ///< the run ends when it has as many
  int seconds_each = 20;             ///< of processor time; a program that takes longer hangs
  CheckOptions check;
};

/// A program on which machine code and interpreter differ, or on which compilation or code fails.
struct Found {
  std::uint64_t seed = 0;
  std::string text;
};

struct Figures {
  std::uint64_t programs = 0, compared = 0, survived = 0, ways = 0, same_bits = 0, elements = 0, unbounded = 0;
  std::map<std::string, std::uint64_t> discarded;
  std::vector<Found> found;
  std::string coverage, table;
  std::vector<std::string> never;  ///< operations and kinds that no program compared had
  double seconds = 0;
};

/// Runs the programs of seeds first_seed … first_seed + programs − 1.
Figures run(const RunOptions& options);

/// Judges one sample in a process of its own: a crash or a hang becomes a mismatch.
Outcome check_apart(const Sample& sample, const CheckOptions& options, int seconds);

}  // namespace fuzz
