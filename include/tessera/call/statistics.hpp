// Owns the record of what this process has compiled: for reports, and to see whether calls compile more than they
// should.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tessera/export.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN

/// One compilation of a kernel for a shape, as `TESSERA_LOG=info` says it too.
struct Compilation {
  std::string kernel;
  std::string target;            ///< "cpu"
  std::string features;          ///< of the target: "native", "avx2" …
  std::string known;             ///< what the code relies on: "M=797 P=64 stride(x,0)=64"; or "generic"
  std::string choices;           ///< the kernel's tunables: "BM=64 BN=96"
  double milliseconds = 0;       ///< all of it, without writing dumps
  double plan_milliseconds = 0;  ///< of these: choosing loops, Tile IR to Loop IR
  std::size_t bytes = 0;         ///< of the object code
  int threads = 0;               ///< that the configuration allows; 0: all
};

/// What was compiled so far, oldest first; of more than 4,096 only the latest. The first one also opens LLVM. What the
/// interpreter runs does not appear. In libtessera_jit; thread-safe.
TESSERA_API std::vector<Compilation> compilations();

/// How this process came by its code. A process that runs what an earlier one ran compiles and times nothing.
struct Counts {
  std::uint64_t compiled = 0;  ///< variants of kernels
  std::uint64_t loaded = 0;    ///< variants that came from a cache, or from the program itself
  std::uint64_t timed = 0;     ///< configurations that the autotuner ran
};
TESSERA_API Counts counts();

TESSERA_END
