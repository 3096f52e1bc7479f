// Owns how a compilation enters the record that tessera/call/statistics.hpp shows.
#pragma once

#include "tessera/call/statistics.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// Thread-safe; keeps the latest 4,096.
void record(Compilation compilation);

}  // namespace jit
TESSERA_END
