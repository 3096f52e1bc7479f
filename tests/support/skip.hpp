// Owns how a test says that it, or a part of it, could not run here: counted as skipped, never as passed.
#pragma once

#include <string>

namespace tessera::test {

/// Notes that the running test case did not run, and why. Defined in tests/main.cpp.
void note_skipped(const std::string& why);

/// Notes that the running test case, which does run elsewhere, did not run on something that is absent: one more
/// skipped.
void note_absent(const std::string& why, const std::string& test_case);

}  // namespace tessera::test

/// Leaves the test case: it counts as skipped.
#define TESSERA_SKIP(why)               \
  do {                                  \
    ::tessera::test::note_skipped(why); \
    return;                             \
  } while (false)
