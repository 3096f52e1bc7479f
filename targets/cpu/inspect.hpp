// Owns what is said about this machine's processor to its user: what it has, what it lacks, and what that costs.
#pragma once

#include <vector>

#include "jit/target.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cpu {

/// Facts for `tessera doctor`.
std::vector<jit::Fact> inspect();

}  // namespace cpu
TESSERA_END
