// Owns main() of every doctest program: leaves out the long cases unless asked, and closes with a line of counts.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>

#include "tests/support/skip.hpp"

namespace {

std::set<std::string> reasons;
std::set<std::pair<std::string, std::string>> absent;  // what is not here, and the case that went without it
bool case_skipped = false;
int started_cases = 0, skipped_cases = 0;

/// Counts cases that said they could not run, which doctest itself counts as passed.
struct SkipListener : doctest::IReporter {
  explicit SkipListener(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& stats) override {
    const int filtered = int(stats.numTestCases - stats.numTestCasesPassingFilters);
    const int failed = int(stats.numTestCasesFailed);
    const int passed = started_cases - failed - skipped_cases;  // --first and --last leave out others
    for (const std::string& why : reasons) std::printf("skipped: %s\n", why.c_str());
    if (filtered > 0) std::printf("left out by a filter (the long cases, unless TESSERA_TEST_ALL=1): %d\n", filtered);
    std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped_cases + filtered + int(absent.size()));
    std::fflush(stdout);
  }
  void test_case_start(const doctest::TestCaseData&) override {
    ++started_cases;
    case_skipped = false;
  }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    if (case_skipped && stats.failure_flags == 0) ++skipped_cases;
  }
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};

}  // namespace

REGISTER_LISTENER("skipped", 1, SkipListener);

void tessera::test::note_skipped(const std::string& why) {
  case_skipped = true;
  reasons.insert(why);
}

void tessera::test::note_absent(const std::string& why, const std::string& test_case) {
  absent.emplace(why, test_case);
  reasons.insert(why);
}

int main(int argc, char** argv) {
  setenv("TESSERA_CACHE", "off", 0);  // tests compile what they call; those of caches make a folder of their own
  doctest::Context context;
  if (std::getenv("TESSERA_TEST_ALL") == nullptr) context.addFilter("test-suite-exclude", "long");
  context.applyCommandLine(argc, argv);
  return context.run();
}
