// Owns the tests of what calls without a configuration are answered: the measured, the near, the moved, and nothing.
#include "autotune/store/source.hpp"

#include <doctest/doctest.h>

#include "autotune/store/tuned_key.hpp"
#include "autotune/tune/tune.hpp"
#include "tessera/tessera.hpp"
#include "tests/support/skip.hpp"

namespace {

using namespace tessera;
using autotune::StoreSource;
using autotune::Timing;
using autotune::TunedKey;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(halved)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  y(m, n) = x(m, n) / 2;
};
TESSERA_TUNE_SPACE(halved, {BM, {1, 2, 4, 8, 16}}, {BN, {64, 128, 256, 512, 2048}});

constexpr const ir::Program& program = decltype(halved)::program;

/// A question about a call of M × N on one thread.
struct Asked {
  Config config;
  const jit::Target& target = jit::find_target("cpu");
  std::string features = target.features().front();
  std::vector<std::uint64_t> frame;
  jit::Specialisation known;
  TunedKey key;

  Asked(std::int64_t m, std::int64_t n, Config demands = {})
      : config(std::move(demands)),
        frame(autotune::Job::made_for(program, {{"M", m}, {"N", n}}).frame),
        known(jit::SpecialisationPolicy().next(program, frame.data(), 0)),
        key(autotune::tuned_key(program, frame.data(), target, features, 1, autotune::mode_of(&config))) {}
  jit::ConfigurationQuestion question() const { return {program, known, frame.data(), target, features, 1, &config}; }
};

std::string answer(autotune::TunedStore& store, const Asked& asked, bool& measured) {
  const StoreSource::Answer a = StoreSource(store).answer(asked.question());
  CHECK(a.key == asked.key);
  measured = a.measured;
  return a.tunables ? autotune::text(*a.tunables) : "nothing";
}

Timing timing(std::int64_t bm, std::int64_t bn) {
  Timing t;
  t.configuration = {{"BM", bm}, {"BN", bn}};
  t.seconds = t.low = t.high = 1e-6;
  return t;
}

}  // namespace

TEST_CASE("source: what was measured, then what was near, then what a far one becomes; the model may object") {
  std::string why;
  if (jit::targets().empty() || !jit::targets().front()->available(why)) TESSERA_SKIP("no target");
  autotune::TunedStore store({});
  bool measured = true;
  CHECK(answer(store, Asked(256, 512), measured) == "nothing");
  CHECK_FALSE(measured);
  Timing old = timing(8, 512);
  old.versions = {"0.0.1", "b", "c"};
  (void)store.record(Asked(256, 512).key, {old});
  CHECK(answer(store, Asked(256, 512), measured) == "BM=8 BN=512");
  CHECK_FALSE(measured);  // by another version: a hint
  (void)store.record(Asked(256, 512).key, {timing(4, 512)});
  CHECK(answer(store, Asked(256, 512), measured) == "BM=4 BN=512");
  CHECK(measured);
  CHECK(answer(store, Asked(300, 512), measured) == "BM=4 BN=512");  // near: the same
  CHECK_FALSE(measured);
  CHECK(answer(store, Asked(256, 2048), measured) == "BM=4 BN=2048");  // a tile that was a whole axis is one again
  CHECK_FALSE(measured);
}

TEST_CASE(
    "source: each mode has its own entries; where bits are promised, only what was measured for this very shape") {
  std::string why;
  if (jit::targets().empty() || !jit::targets().front()->available(why)) TESSERA_SKIP("no target");
  autotune::TunedStore store({});
  const Config fast{.numerics = Numerics::fast}, strict{.numerics = Numerics::strict}, ordered{.deterministic = true};
  bool measured = true;
  (void)store.record(Asked(256, 512).key, {timing(4, 512)});
  for (const Config& config : {fast, strict, ordered})
    CHECK(answer(store, Asked(256, 512, config), measured) == "nothing");
  (void)store.record(Asked(256, 512, fast).key, {timing(8, 512)});
  (void)store.record(Asked(256, 512, strict).key, {timing(2, 512)});
  Timing old = timing(16, 512);
  old.versions = {"0.0.1", "b", "c"};
  (void)store.record(Asked(256, 512, ordered).key, {old});
  CHECK(answer(store, Asked(256, 512), measured) == "BM=4 BN=512");
  CHECK(answer(store, Asked(256, 512, fast), measured) == "BM=8 BN=512");
  CHECK(answer(store, Asked(300, 512, fast), measured) == "BM=8 BN=512");
  CHECK(answer(store, Asked(256, 512, strict), measured) == "BM=2 BN=512");
  CHECK(measured);
  CHECK(answer(store, Asked(300, 512, strict), measured) == "nothing");
  CHECK_FALSE(measured);
  CHECK(answer(store, Asked(256, 512, ordered), measured) == "nothing");  // by another version
}
