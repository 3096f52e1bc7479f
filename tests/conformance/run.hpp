// Owns the run of one recipe with one element type: recorded, interpreted, compiled, executed, compared, timed.
#pragma once

#include <string>
#include <vector>

#include "tests/conformance/recipe.hpp"
#include "tests/conformance/width.hpp"

namespace conformance {

/// What came of a recipe on one feature set.
struct Way {
  std::string features;
  bool compiled = false, executed = false;
  Width width;
};

/// What a rate was compared with, as the report writes it.
enum class Against : char { nothing = ' ', copy = 'm', formula = 'f', lanes = 'l', passes = 'p', conversions = 'c' };

struct Result {
  DType type = DType::f32;
  bool recorded = false;  ///< the language and the verifier take the operation with this type
  std::string refusal;    ///< their words where they do not
  bool interpreted = false;
  bool thorough = false;  ///< on the larger data too, whose widths count
  std::string wrong;      ///< a gap: what failed, in words; empty where all is well
  std::vector<Way> ways;
  double rate = -1;  ///< of the bound; below 0: not measured
  Against against = Against::nothing;
};

struct RunOptions {
  bool thorough = false;  ///< also on the larger data, with rates; and code for AVX-512 where it cannot run
  std::vector<std::string> features = {"avx2"};
};

Result run(const Recipe& recipe, DType type, const RunOptions& options);

}  // namespace conformance
