// Tests that a process that has used kernels may fork: the child runs what was compiled, and compiles more.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "tessera/tessera.hpp"
#include "tests/support/skip.hpp"

using namespace tessera;

namespace {

inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(fork_scale)(Kernel k, In<f32, "N"> x, Scalar<f32> by, Out<f32, "N"> y) {
  auto n = k.block<"N">(BN);
  y(n) = x(n) * by;
};
TESSERA_KERNEL(fork_sums)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(16);
  y(m) = sum<"N">(x(m, k.all<"N">()));
};

bool scales(std::size_t n, const Config& config) {
  std::vector<float> x(n, 2.0f), y(n);
  fork_scale.with(config)(x, 3.0f, y);
  for (float v : y)
    if (v != 6.0f) return false;
  return true;
}
bool sums(std::size_t m, const Config& config) {
  std::vector<float> x(m * 9, 1.0f), y(m);
  fork_sums.with(config)(view(x, {m, 9}), y);
  for (float v : y)
    if (v != 9.0f) return false;
  return true;
}

/// What `body` gives in a child; a child that hangs is ended after 120 s, and counts as wrong.
template <class Body>
bool in_child(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(120);
    bool good = false;
    try {
      good = body();
    } catch (...) {
    }
    _exit(good ? 0 : 1);
  }
  int status = -1;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("fork: on one thread, the child runs old code and compiles new") {
  const Config one{.threads = 1};
  CHECK(scales(1000, one));
  CHECK(in_child([&] { return scales(1000, one); }));
  CHECK(in_child([&] { return sums(100, one); }));
  CHECK(sums(100, one));
}

TEST_CASE("fork: with all threads, the child still gives every result") {
  if (tessera::test::sanitized) TESSERA_SKIP("sanitizers' own threads do not survive a fork");
  const Config all{};
  CHECK(scales(std::size_t{1} << 20, all));  // oneTBB's threads exist from here, in this process only
  CHECK(in_child([&] { return scales(std::size_t{1} << 20, all) && sums(20000, all); }));
  CHECK(scales(std::size_t{1} << 20, all));
}

TEST_CASE("fork: a child of a child") {
  const Config all{};
  CHECK(in_child([&] { return sums(300, all) && in_child([&] { return sums(301, all) && scales(5000, all); }); }));
}
