// Owns the judgement of one sample: interpreted, compiled in each of its ways, run, compared.
#pragma once

#include <cstdint>
#include <string>

#include "tests/fuzz/sample.hpp"

namespace fuzz {

enum class Verdict : std::uint8_t {
  agrees,     ///< compared
  discarded,  ///< the verifier or the interpreter finds the program wrong: nothing to compare
  mismatch,   ///< machine code gives something else, or writes where it must not
  broken,     ///< a stage of compilation fails, or refuses it: docs/limits.md has no refusals
};

struct Outcome {
  Verdict verdict = Verdict::agrees;
  std::string text;                           ///< the mismatch, the failure, why it was discarded
  std::uint64_t ran = 0;                      ///< ways that ran
  std::uint64_t compared = 0;                 ///< and were compared: the interpreter found nothing wrong
  std::uint64_t same_bits = 0;                ///< pairs of ways that promise the same bits, and were compared
  std::uint64_t elements = 0, unbounded = 0;  ///< compared, and those of them of which nothing is promised
};

struct CheckOptions {
  int opt_level = -1;   ///< of LLVM's code generator; −1: 2 for every 16th seed, and 0, which is quicker, for the rest
  bool verify = false;  ///< check LLVM IR too
};

/// Judges a sample. Machine code that faults takes the process with it.
Outcome check(const Sample& sample, const CheckOptions& options = {});

/// The Loop IR of each way, for people.
std::string planned(const Sample& sample);

/// Opens what compiling needs, so that processes forked later share it.
void prepare();

}  // namespace fuzz
