// Owns RunContext: scratch memory, failed checks and printing for the machine code of one launch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "jit/runtime/context.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// What the threads of one launch share. Its three functions are thread-safe and do not throw.
class RunContext : public Context {
 public:
  RunContext() noexcept;
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;

  /// Runs the programs [first, end); scratch that they take is given back after them.
  void run(Entry entry, const std::uint64_t* frame, std::int64_t first, std::int64_t end) noexcept;

  /// What came of it: success, the failed check of the lowest number with the count of all, or lack of memory.
  Status status(std::string_view kernel) const noexcept;

 private:
  static void* take_scratch(Context* self, std::int64_t bytes);
  static void note_failure(Context* self, std::int64_t id, const char* text);
  static void print_values(Context* self, const char* format, const std::uint64_t* values, const std::uint8_t* types,
                           std::int64_t count);

  mutable std::mutex mutex_;
  std::int64_t failures_ = 0, first_failure_ = 0;
  const char* failure_text_ = nullptr;
  std::int64_t missing_bytes_ = 0;
};

}  // namespace jit
TESSERA_END
