// Owns variants that the interpreter runs: what a call falls back to where nothing can be compiled, and checked calls.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "jit/runtime/pipeline.hpp"
#include "tessera/ir/tile.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// A variant that interprets the whole grid on the caller's thread. `checked`: whatever the interpreter finds wrong is
/// an error; otherwise only failed checks and expectations are, and outside reads, overflow and the like have the
/// values that the language gives them.
std::unique_ptr<BuiltVariant> interpreted_variant(const ir::Program& program, std::vector<std::int64_t> tunables,
                                                  bool checked);

}  // namespace jit
TESSERA_END
