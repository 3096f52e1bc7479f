// Tests what is found out about this CPU.
#include "targets/cpu/features.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace tessera;

TEST_CASE("the host's feature sets are consistent") {
  const cpu::Host& h = cpu::host();
  CHECK(!h.model.empty());
  CHECK(h.sse2);
  if (h.avx512) CHECK(h.avx2);
  CHECK(h.threads >= 1);
  CHECK(h.l1_bytes >= 8 << 10);
  CHECK(h.l2_bytes >= h.l1_bytes);
  const auto list = cpu::runnable_features();
  for (const std::string& f : list) CHECK(cpu::runs(f));
  CHECK(std::count(list.begin(), list.end(), "sse2") == 1);
  CHECK(std::count(list.begin(), list.end(), "native") == 1);
  CHECK(cpu::is_feature_set("avx512"));
  CHECK(!cpu::is_feature_set("neon"));
  CHECK(!cpu::runs("neon"));
}

TEST_CASE("machines to plan for follow the feature set, wherever they are planned") {
  CHECK(cpu::machine("avx512", 1).vector_bytes == 64);
  CHECK(cpu::machine("avx512", 1).vector_registers == 32);
  CHECK(cpu::machine("avx2", 1).vector_bytes == 32);
  CHECK(cpu::machine("avx2", 1).has_fma);
  CHECK(cpu::machine("sse2", 1).vector_bytes == 16);
  CHECK(!cpu::machine("sse2", 1).has_fma);
  CHECK(cpu::machine("native", 1).threads == 1);
  CHECK(cpu::machine("native", 0).threads == cpu::host().threads);
  CHECK(cpu::machine("native", 1000000).threads == cpu::host().threads);
}
