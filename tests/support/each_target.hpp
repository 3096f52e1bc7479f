// Owns TEST_EACH_TARGET: a test case that runs on every target, and every feature set of it, that this machine has.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "jit/target.hpp"
#include "tessera/call/config.hpp"
#include "tests/support/skip.hpp"

namespace tessera::test {

/// Calls `body(config)` for each target and feature set that is here, config naming both. A target that is absent
/// counts as one skipped case, never as passed; so does the whole case where no target is here.
template <class Body>
void each_target(const char* test_case, Body body) {
  int here = 0;
  for (const jit::Target* target : jit::targets()) {
    std::string why;
    if (!target->available(why) || !target->can_compile(why)) {
      note_absent(std::string(target->name()) + ": " + why, test_case);
      continue;
    }
    for (const std::string& features : target->features()) {
      const std::string place = std::string(target->name()) + " with " + features;
      INFO("on ", place);
      Config config;
      config.target = target->name();
      config.features = features;
      body(static_cast<const Config&>(config));
      ++here;
    }
  }
  if (here == 0) note_skipped("no target is here");
}

}  // namespace tessera::test

#define TESSERA_TEST_EACH_TARGET(function, name)                    \
  static void function(const ::tessera::Config& config);            \
  TEST_CASE(name) { ::tessera::test::each_target(name, function); } \
  static void function([[maybe_unused]] const ::tessera::Config& config)

/// As TEST_CASE; inside, `config` is the ::tessera::Config that names the target and the feature set:
/// `kernel.with(config)(…)`.
#define TEST_EACH_TARGET(name) TESSERA_TEST_EACH_TARGET(DOCTEST_ANONYMOUS(tessera_each_target_), name)
