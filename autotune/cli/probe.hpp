// Owns the questions to libraries that may be here or not: found by dlopen, asked in a child process.
#pragma once

#include <string>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

/// A library or driver, as it was found.
struct Probe {
  std::string name;  ///< "CUDA driver"
  bool found = false;
  std::string text;  ///< version and devices; where it is not found, why
  std::string cost;  ///< what its absence costs
};

/// oneTBB and SQLite, which Tessera itself uses.
std::vector<Probe> probe_libraries();

/// The CUDA driver and its devices, NVRTC, HIP. A driver that crashes or hangs is a finding. `cuda` and `hip`: whether
/// this build has a target that would use them.
std::vector<Probe> probe_accelerators(bool cuda, bool hip);

}  // namespace cli
TESSERA_END
