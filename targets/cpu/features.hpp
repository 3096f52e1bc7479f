// Owns what is found out about the CPU that this process runs on: feature sets by name, caches, cores.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "targets/cpu/plan/machine.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cpu {

/// What a feature set means for planning and code generation. "native" is the best of the others, tuned for this very
/// processor.
struct FeatureSet {
  std::string_view name;   ///< "native", "avx512bf16", "avx512vnni", "avx512", "avxvnni", "avx2", "sse2"
  std::string_view needs;  ///< in words, for messages
};

/// The processor of this machine.
struct Host {
  std::string model;                                ///< as the processor names itself
  std::string abilities;                            ///< its family and feature bits, in hexadecimal digits
  bool sse2 = false, avx2 = false, avx512 = false;  ///< whole feature sets, the system's support included
  bool avxvnni = false, avx512vnni = false, avx512bf16 = false;
  std::int64_t l1_bytes = 32 << 10;  ///< data cache of a core
  std::int64_t l2_bytes = 512 << 10;
  std::int64_t l3_bytes = 8 << 20;  ///< shared
  int threads = 1;                  ///< that this process may run on
};

/// Found out once.
const Host& host();

/// The feature sets that this machine runs, best first; TESSERA_CPU_FEATURES=name puts that one first.
std::vector<std::string> runnable_features();

/// This machine as far as code and times of a feature set depend on it: model, caches, and what the processor can do.
std::string fingerprint(std::string_view features);

/// What can be compiled for: the feature sets, and the processors that LLVM knows by name ("znver4") where it is here.
std::vector<std::string> known_features();

/// Whether `features` is one of those, and whether this machine runs it. Of the processors by name, it runs its own.
bool is_feature_set(std::string_view features);
bool runs(std::string_view features);

/// The machine to plan for: this one's caches and cores with the vectors of `features`.
Machine machine(std::string_view features, int threads);

}  // namespace cpu
TESSERA_END
