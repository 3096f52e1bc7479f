// Owns Context: what machine code may ask of the runtime while it runs.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// The last argument of every compiled entry. Machine code reads the pointers at fixed offsets and calls through
/// them, so compiled objects refer to no symbol of the process. None of them may throw or unwind.
struct Context {
  /// 64-byte aligned memory, uninitialised, valid until the entry returns; null when memory is out (then `fail` has
  /// been called, and the machine code returns at once).
  void* (*scratch)(Context* self, std::int64_t bytes) = nullptr;
  /// Reports that a check failed; the machine code goes on. `text` is static data of the object.
  void (*fail)(Context* self, std::int64_t id, const char* text) = nullptr;
  /// Prints `count` values; `types` are DTypes, values are their bits in 64-bit words (integers extended by their
  /// type).
  void (*print)(Context* self, const char* format, const std::uint64_t* values, const std::uint8_t* types,
                std::int64_t count) = nullptr;
  /// The C library's fmod and fma, for processors and operands that have no short exact code.
  double (*remainder)(double, double) = [](double x, double y) { return std::fmod(x, y); };
  double (*fma)(double, double, double) = [](double x, double y, double z) { return std::fma(x, y, z); };
};
static_assert(offsetof(Context, scratch) == 0 && offsetof(Context, fail) == 8 && offsetof(Context, print) == 16 &&
              offsetof(Context, remainder) == 24 && offsetof(Context, fma) == 32);

/// A compiled entry: runs the programs [first, end) of the grid. `frame` is laid out by call/frame.hpp.
using Entry = void (*)(const std::uint64_t* frame, std::int64_t first, std::int64_t end, Context* context);

/// A compiled host function, which runs once before the grid. The planner's returns the number of programs.
using HostFunction = std::int64_t (*)(const std::uint64_t* frame, Context* context);

}  // namespace jit
TESSERA_END
