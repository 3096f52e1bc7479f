// A shared library with the language's own kernels, two of them in two instances: what the tool is tested on.
#include "tests/kernels/kernels.hpp"

#include "tessera/call/space.hpp"

TESSERA_TUNE_SPACE(welford, {BM, {8, 16, 64}});

/// Naming instances registers them.
extern "C" [[gnu::visibility("default")]] const void* tool_test_instances(int which) {
  switch (which) {
    case 0:
      return &attention<f16>;
    case 1:
      return &attention<bf16>;
    default:
      return &heat_steps<4>;
  }
}
