// Owns tuning as a whole, for the public header and for the tool: a call to tune for, and what comes out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "autotune/tune/history.hpp"
#include "autotune/tune/stop.hpp"
#include "tessera/call/space.hpp"
#include "tessera/ir/program.hpp"
#include "tessera/tune.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// A call to tune for.
struct Job {
  const ir::Program& program;
  std::vector<std::uint64_t> frame;  ///< a bound Frame; where `made`, its addresses do not matter
  bool made = false;                 ///< data are made; otherwise the arrays at the frame's addresses are copied
  std::vector<Candidates> declared;  ///< beside the kernel

  /// A call of dense arrays of these extents, by base name ("M"), and scalars by the argument's name (1 where left
  /// out), with made data. Throws UserError, naming the extent that is missing, unknown or negative, or what the kernel
  /// expects.
  static Job made_for(const ir::Program& program, const std::map<std::string, std::int64_t>& extents,
                      const std::map<std::string, double>& scalars = {});
};

/// How a tuning behaves towards the process and the machine that it runs on.
struct Manner {
  StopRequest stopped = {};  ///< then `tune` throws Stopped, and nothing is kept
  int compile_threads = 0;   ///< 0: one a core
  bool idle = false;         ///< it runs only where nothing else does
  bool patient = false;      ///< what took too long is not kept as too long
};

/// Tunes. `history` (may be null) gives what was timed before and keeps what is timed now. Throws UserError,
/// DeviceError or InternalError, also where every configuration was lost.
TuneResult tune(const Job& job, const TuneOptions& options, History* history, const Manner& manner = {});

}  // namespace autotune
TESSERA_END
