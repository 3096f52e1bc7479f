// Owns GuardedContext: scratch for machine code, each piece before a page that faults when touched, and full of NaN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "jit/runtime/run_context.hpp"
#include "tests/support/guarded.hpp"

namespace tessera_test {

/// What no sanitizer sees in machine code: a store or load behind a piece of scratch ends the program; what is read
/// before it was written is NaN, or -1 (0 in pieces of more than a megabyte); what is written before a piece, or in the
/// rest of its last 64 bytes, shows.
class GuardedContext : public tessera::jit::RunContext {
 public:
  GuardedContext() noexcept { scratch = take; }

  /// As RunContext::run. False where something was written beside a piece of scratch.
  [[nodiscard]] bool run(tessera::jit::Entry entry, const std::uint64_t* frame, std::int64_t first, std::int64_t end) {
    entry(frame, first, end, this);
    bool kept = true;
    for (const GuardedBytes& piece : pieces_) kept = kept && piece.rest_is_untouched();
    pieces_.clear();
    return kept;
  }

 private:
  static void* take(tessera::jit::Context* self, std::int64_t bytes) {
    if (bytes < 0) return nullptr;
    try {
      auto& pieces = static_cast<GuardedContext*>(self)->pieces_;
      pieces.emplace_back(static_cast<std::size_t>(bytes), 64);
      if (pieces.back().size() <= GuardedBytes::most_filled)
        std::memset(pieces.back().data(), 0xFF, pieces.back().size());
      return pieces.back().data();
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }

  std::vector<GuardedBytes> pieces_;
};

}  // namespace tessera_test
