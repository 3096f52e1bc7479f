// Owns how a test says that it could not run here: counted as skipped, never as passed.
#pragma once

#include <string>

namespace tessera::test {

/// Notes that the running test case, or a part of it, did not run, and why. Defined in tests/main.cpp.
void note_skipped(const std::string& why);

}  // namespace tessera::test

/// Leaves the test case: it counts as skipped.
#define TESSERA_SKIP(why)              \
  do {                                 \
    ::tessera::test::note_skipped(why); \
    return;                            \
  } while (false)
