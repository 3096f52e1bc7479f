// Owns what identifies the code of a variant: everything that went into it.
#pragma once

#include "jit/cache/key.hpp"
#include "jit/target.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// The key of the code that `target` makes of a request. Kernels that differ in names only share it; what the first
/// call was like (Specialisation::typical) is no part of it.
ObjectKey object_key(const Target& target, const PlanRequest& request);

}  // namespace jit
TESSERA_END
