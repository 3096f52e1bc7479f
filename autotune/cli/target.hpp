// Owns the reading of --target: a target by name, and what it is asked to compile for.
#pragma once

#include <string>

#include "jit/target.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

/// What "cpu" or "cpu:znver4" names, whether or not this machine has it.
struct TargetChoice {
  explicit TargetChoice(const std::string& text);  ///< throws UserError for a target that this build lacks
  const jit::Target& target;
  std::string features;  ///< after the colon; otherwise those of this machine that are best
};

}  // namespace cli
TESSERA_END
