// Owns how a compilation enters the record that tessera/call/statistics.hpp shows.
#pragma once

#include <cstdint>

#include "tessera/call/statistics.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// Thread-safe; keeps the latest 4,096.
void record(Compilation compilation);

/// Notes that code came from a cache, and that `count` configurations were timed.
void record_load() noexcept;
void record_timed(std::uint64_t count) noexcept;

}  // namespace jit
TESSERA_END
