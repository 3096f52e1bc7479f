// Owns what the processors that LLVM knows by name can do, as far as the emitter and the planner care.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/llvm/emit.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit::detail {

/// A processor of LLVM's list, by its name there.
struct Processor {
  std::string_view feature_set;  ///< the largest that it has whole (targets/cpu/features.hpp)
  EmitOptions emit;
};

/// Nothing where LLVM has no 64-bit x86 processor of that name.
std::optional<Processor> processor(std::string_view name);

/// The names of all of them, in order.
std::vector<std::string> processor_names();

}  // namespace jit::detail
TESSERA_END
