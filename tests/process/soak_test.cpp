// Tests that compiling and releasing kernels many times leaves memory as it was: 600 times, 100,000 in the long suite.
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "tessera/call/statistics.hpp"
#include "tessera/record.hpp"
#include "tessera/tessera.hpp"
#include "tests/support/skip.hpp"

using namespace tessera;

namespace {

/// Bytes of this process that lie in memory.
std::int64_t resident() {
  std::int64_t pages = 0, in_memory = 0;
  std::ifstream("/proc/self/statm") >> pages >> in_memory;
  return in_memory * sysconf(_SC_PAGESIZE);
}

/// Records, compiles, runs and releases a kernel that no other number gives. False where its result is wrong.
bool round(int number) {
  const float factor = static_cast<float>(number % 1000 + 2);
  const ir::Storage program = ir::record(
      "soak",
      [&](Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
        auto m = k.block<"M">(4);
        auto n = k.all<"N">();
        y(m) = sum<"N">(x(m, n) * factor) + static_cast<float>(number / 1000);
      },
      "k, x, y");
  const ir::Program view_of_it = program.view();
  call::KernelRecord record(view_of_it);
  std::vector<float> x(3 * 5, 1.0f), y(3);
  auto rows = view(x, {3, 5});
  const call::RawArg args[] = {call::raw_argument(rows, false), call::raw_argument(y, false)};
  const Config here{.threads = 1, .target = "cpu"};
  const Status status = call::invoke_program(record, args, &here);
  if (auto* retire = record.retire.load()) retire(record);
  if (!status.ok()) MESSAGE(std::string(status.message()));
  return status.ok() && y[2] == 5 * factor + static_cast<float>(number / 1000);
}

/// Bytes that each of `rounds` compilations leaves, after others have filled what stays as large as it is.
double left_by_each(int rounds) {
  const int warm = rounds / 4;
  int wrong = 0;
  for (int i = 0; i < warm; ++i) wrong += !round(i);
  const std::int64_t before = resident();
  for (int i = warm; i < warm + rounds; ++i) wrong += !round(i);
  CHECK(wrong == 0);
  const std::int64_t after = resident();
  MESSAGE(rounds << " compilations: " << before / 1024 << " KiB before, " << after / 1024 << " KiB after");
  return static_cast<double>(after - before) / rounds;
}

}  // namespace

TEST_CASE("soak: compilations that are released leave no memory behind") {
  if (tessera::test::sanitized) TESSERA_SKIP("a sanitizer keeps memory that was freed");
  if (!round(-1)) TESSERA_SKIP("kernels cannot be compiled here");
  const std::size_t before = compilations().size();
  CHECK(left_by_each(480) < 4096);
  CHECK(compilations().size() == before + 600);  // none came from a cache
}

TEST_SUITE("long") {
  TEST_CASE("soak: 100,000 compilations") { CHECK(left_by_each(100'000) < 256); }
}
