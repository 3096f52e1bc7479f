// Owns how a test says that it, or a part of it, could not run here: counted as skipped, never as passed.
#pragma once

#include <string>

namespace tessera::test {

/// Notes that the running test case did not run, and why. Defined in tests/main.cpp.
void note_skipped(const std::string& why);

/// Notes that the running test case, which does run elsewhere, did not run on something that is absent: one more
/// skipped.
void note_absent(const std::string& why, const std::string& test_case);

/// Whether this program was built for a sanitizer, whose own memory and symbols get into the way of some tests.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace tessera::test

/// Leaves the test case: it counts as skipped.
#define TESSERA_SKIP(why)               \
  do {                                  \
    ::tessera::test::note_skipped(why); \
    return;                             \
  } while (false)
