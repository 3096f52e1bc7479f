// Owns the making of a tuning key from a kernel and a call of it.
#pragma once

#include <cstdint>
#include <string>

#include "autotune/store/tuned_store.hpp"
#include "jit/target.hpp"
#include "tessera/ir/program.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// What a configuration (null: none) demands of results, as a key has it: "", "fast", "strict", "deterministic" or
/// "strict deterministic".
std::string mode_of(const Config* config);

/// Whether it demands the same bits of every configuration: strict, or deterministic.
bool has_one_result(const Config* config);

/// The key of a kernel on a Frame: extents by name, element types, the device; `threads` of the call, 0 for all.
/// `mode`: what is demanded of results.
TunedKey tuned_key(const ir::Program& program, const std::uint64_t* frame, const jit::Target& target,
                   const std::string& features, int threads, const std::string& mode = {});

}  // namespace autotune
TESSERA_END
