// Tests the way from a call to machine code: variants and their guards, configurations, grids, contexts, failures.
#include "tessera/call/invoke.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "jit/runtime/context.hpp"
#include "tests/call/made.hpp"

using namespace tessera;
using call::Guard;
using call::Variant;
using call::VariantTable;

namespace {

/// What the library does when it has compiled: publishes variants for a record, and takes them back at the end.
class Publish {
 public:
  Publish(call::KernelRecord& record, std::vector<const Variant*> variants)
      : record_(record), variants_(std::move(variants)), table_{variants_.size(), variants_.data()} {
    record_.table.store(&table_);
  }
  ~Publish() { record_.table.store(nullptr); }

 private:
  call::KernelRecord& record_;
  std::vector<const Variant*> variants_;
  VariantTable table_;
};

const call::FrameLayout copy_layout = call::frame_layout(made::Copy::program);

/// "Machine code" of copy in blocks of 64.
void copy_entry(const std::uint64_t* frame, std::int64_t first, std::int64_t end, jit::Context*) {
  const call::FrameView words{frame, copy_layout};
  const auto* x = static_cast<const float*>(words.pointer(0));
  auto* y = static_cast<float*>(words.pointer(1));
  for (std::int64_t i = first * 64; i < std::min(end * 64, words.extent(0)); ++i)
    y[i * words.stride(1)] = x[i * words.stride(0)];
}

std::atomic<int> special_runs{0};
void special_entry(const std::uint64_t* frame, std::int64_t first, std::int64_t end, jit::Context* context) {
  ++special_runs;
  copy_entry(frame, first, end, context);
}

Variant copy_variant() {
  Variant v;
  v.entry = copy_entry;
  v.grid_count = 1;
  v.grid[0] = {static_cast<std::uint32_t>(copy_layout.extent_word(0)), 64};
  v.needs_context = false;
  v.inline_limit = 8;
  return v;
}

template <class... Args>
std::string failure(Args&&... args) {
  return std::string(call::try_invoke<made::Copy>(args...).text());
}

}  // namespace

TEST_CASE("guards") {
  const std::uint64_t frame[] = {96, ~std::uint64_t{0}, 1000};
  CHECK(Guard::equal(0, 96).holds(frame));
  CHECK(!Guard::equal(0, 97).holds(frame));
  CHECK(Guard::aligned(0, 32).holds(frame));
  CHECK(!Guard::aligned(0, 64).holds(frame));
  CHECK(Guard::multiple_of(0, 48).holds(frame));
  CHECK(!Guard::multiple_of(2, 48).holds(frame));
  CHECK(Guard::at_most(0, 96).holds(frame));
  CHECK(!Guard::at_most(0, 95).holds(frame));
  CHECK(!Guard::at_most(1, 95).holds(frame));
  CHECK(Guard::at_most(1, 95, -1).holds(frame));
}

TEST_CASE("grids") {
  const std::uint64_t frame[] = {100, 0, std::uint64_t{1} << 62, ~std::uint64_t{0}};
  Variant v;
  CHECK(v.count(frame) == 1);
  v.grid_count = 2;
  v.grid[0] = {0, 64}, v.grid[1] = {0, 7};
  CHECK(v.count(frame) == 2 * 15);
  v.programs = [](const Variant&, const std::uint64_t*) { return std::int64_t{3}; };
  CHECK(v.count(frame) == 90);
  v.grid[1] = {1, 7};
  CHECK(v.count(frame) == 0);
  v.grid[1] = {2, 1};
  CHECK(v.count(frame) == -1);
}

TEST_CASE("the first variant whose guards hold runs") {
  Variant generic = copy_variant(), special = copy_variant();
  const Guard dense[] = {Guard::equal(copy_layout.stride_word(0), 1), Guard::equal(copy_layout.stride_word(1), 1)};
  special.guards = dense, special.guard_count = 2, special.entry = special_entry;
  const Publish published(call::record_of<made::Copy>, {&special, &generic});
  std::vector<float> x(300), y(300);
  std::iota(x.begin(), x.end(), 1.0f);
  special_runs = 0;
  call::invoke<made::Copy>(x, y);
  CHECK(x == y);
  CHECK(special_runs == 1);
  std::fill(y.begin(), y.end(), 0.0f);
  CHECK(call::try_invoke<made::Copy>(view(x, {300}).slice(0, 0, 300, 2), view(y, {150})).ok());
  CHECK(special_runs == 1);
  CHECK(y[149] == x[298]);
  CHECK(call::try_invoke<made::Copy>(std::span(x).first(0), std::span(y).first(0)).ok());  // an empty grid
}

TEST_CASE("the check is not skipped when a call repeats") {
  const Variant generic = copy_variant();
  const Publish published(call::record_of<made::Copy>, {&generic});
  std::vector<float> x(64), y(64), z(65);
  for (int round = 0; round < 4; ++round) {
    std::vector<float>& out = round == 2 ? z : y;
    const std::string text = failure(x, round == 3 ? x : out);
    if (round == 2)
      CHECK(text == "copy: argument y: extent N is 65, but x has N = 64");
    else if (round == 3)
      CHECK(text.starts_with("copy: argument y is Out and overlaps argument x"));
    else
      CHECK(text.empty());
  }
  CHECK_THROWS_WITH_AS(call::invoke<made::Copy>(x, z),
                       "copy: argument y: extent N is 65, but x has N = 64\n"
                       "  hint: N is one number in a call: arrays that name it agree",
                       UserError);
}

TEST_CASE("large grids run on many threads, each program once") {
  static std::vector<std::atomic<int>> runs(1000);
  static std::atomic<int> prologues;
  static std::mutex mutex;
  static std::vector<std::thread::id> threads;
  for (auto& run : runs) run = 0;
  Variant v = copy_variant();
  v.needs_context = true;
  v.grid[0].cut = 1;
  v.grain = 10;
  v.prologue = [](const Variant&, const std::uint64_t*) { ++prologues; };
  v.entry = [](const std::uint64_t*, std::int64_t first, std::int64_t end, jit::Context* context) {
    auto* scratch = static_cast<char*>(context->scratch(context, 1 << 20));
    REQUIRE(scratch != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(scratch) % 64 == 0);
    auto* more = static_cast<char*>(context->scratch(context, 100));
    CHECK((more >= scratch + (1 << 20) || more + 100 <= scratch));
    scratch[0] = more[99] = scratch[(1 << 20) - 1] = 1;
    for (std::int64_t i = first; i < end; ++i) ++runs[static_cast<std::size_t>(i)];
    const std::lock_guard lock(mutex);
    threads.push_back(std::this_thread::get_id());
  };
  std::vector<float> x(1000), y(1000);
  {
    const Publish published(call::record_of<made::Copy>, {&v});
    CHECK(failure(x, y).empty());
  }
  CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& run) { return run == 1; }));
  CHECK(prologues == 1);
  v.threads = 1;
  threads.clear();
  const Publish published(call::record_of<made::Copy>, {&v});
  CHECK(failure(x, y).empty());
  CHECK(threads == std::vector{std::this_thread::get_id()});
  v.threads = 2;
  CHECK(failure(x, y).empty());
  CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& run) { return run == 3; }));
}

TEST_CASE("failed checks and lack of memory come back") {
  Variant v = copy_variant();
  v.needs_context = true;
  v.grid[0].cut = 1;
  v.entry = [](const std::uint64_t*, std::int64_t first, std::int64_t end, jit::Context* context) {
    for (std::int64_t i = first; i < end; ++i)
      if (i % 100 == 50) context->fail(context, i == 150 ? 3 : 7, i == 150 ? "x is small" : "x is finite");
  };
  std::vector<float> x(400), y(400);
  {
    const Publish published(call::record_of<made::Copy>, {&v});
    const Status status = call::try_invoke<made::Copy>(x, y);
    CHECK(status.kind() == ErrorKind::user);
    CHECK(status.text() == "copy: check failed: x is small (and 3 more)");
  }
  v.entry = [](const std::uint64_t*, std::int64_t, std::int64_t, jit::Context* context) {
    CHECK(context->scratch(context, std::int64_t{1} << 60) == nullptr);
    CHECK(context->scratch(context, -1) == nullptr);
  };
  v.threads = 1;
  const Publish published(call::record_of<made::Copy>, {&v});
  const Status status = call::try_invoke<made::Copy>(x, y);
  CHECK(status.kind() == ErrorKind::device);
  CHECK(status.text() == "copy: no memory for -1 bytes of scratch");
  CHECK_THROWS_AS(status.raise(), DeviceError);
  v.programs = [](const Variant&, const std::uint64_t*) { return INT64_MAX; };
  CHECK(failure(x, y) == "copy: its grid has more programs than 63 bits count");
}

TEST_CASE("configurations have variants of their own") {
  const Config wide{.tunables = {{"BM", 64}, {"BN", 96}}, .threads = 1};
  const Config same{.tunables = {{"BN", 96}, {"BM", 64}}, .threads = 1};
  const Config other{.tunables = {{"BM", 96}, {"BN", 64}}, .threads = 1};
  CHECK(wide.key() == same.key());
  CHECK(wide.key() != other.key());
  CHECK(wide.key() != Config{}.key());
  CHECK(Config{}.key() != 0);
  CHECK(Config{.checked = true}.key() != Config{}.key());
  CHECK(Config{.features = "avx2"}.key() != Config{.target = "avx2"}.key());

  const Config one{.threads = 1};
  Variant generic = copy_variant(), configured = copy_variant();
  configured.config_key = one.key(), configured.entry = special_entry;
  const Publish published(call::record_of<made::Copy>, {&configured, &generic});
  std::vector<float> x(64, 2.0f), y(64);
  special_runs = 0;
  CHECK(failure(x, y).empty());
  CHECK(special_runs == 0);
  call::Callable<made::Copy>::with(one)(x, y);
  CHECK(special_runs == 1);
  CHECK(call::Callable<made::Copy>{}.try_call(x, y).ok());
  CHECK(special_runs == 1);
}

TEST_CASE("configurations that cannot be") {
  const auto text = [](const Config& config) {
    std::vector<float> a(4), b(4), bias(2), c(4);
    const Status status =
        call::Callable<made::Gemm>::with(config).try_call(view(a, {2, 2}), view(b, {2, 2}), bias, view(c, {2, 2}));
    CHECK(status.kind() == ErrorKind::user);
    return std::string(status.message());
  };
  CHECK(text({.tunables = {{"BQ", 8}}}) ==
        "gemm: configuration: there is no tunable BQ\n  hint: the tunables of this kernel are BM, BN");
  CHECK(text({.tunables = {{"BM", 0}}}) == "gemm: configuration: tunable BM is 0\n  hint: tunables are 1 or more");
  CHECK(text({.tunables = {{"BM", 8}, {"BM", 16}}}) ==
        "gemm: configuration: tunable BM is given twice, 8 and 16\n  hint: give it once");
  CHECK(text({.threads = -1}) ==
        "gemm: configuration: threads is -1\n  hint: 0 means all threads, 1 the caller's only");
  CHECK(call::check_config(made::Copy::program, {.tunables = {{"BM", 8}}}).hint() == "this kernel has no tunables");
}

TEST_CASE("a program made at run time") {
  made::Maker maker("copy");
  maker.arg("x", DType::f32, ir::Effect::in, "N").arg("y", DType::f32, ir::Effect::out, "N");
  const ir::Program program = maker.storage().view();
  call::KernelRecord record(program);
  const Variant generic = copy_variant();
  const Publish published(record, {&generic});
  std::vector<float> x(100, 3.0f), y(100);
  const call::RawArg args[] = {call::raw_argument(x, false), call::raw_argument(y, false)};
  CHECK(call::invoke_program(record, args).ok());
  CHECK(y == x);
  CHECK(call::invoke_program(record, std::span(args).first(1)).text() == "copy takes 2 arguments, but 1 were given");
}

TEST_CASE("Status") {
  const Status good;
  CHECK(good.ok());
  CHECK(good.message().empty());
  good.raise();
  Status bad(ErrorKind::user, "text", "hint");
  CHECK(bad.message() == "text\n  hint: hint");
  CHECK(bad.hint() == "hint");
  const Status copy = bad;
  Status moved = std::move(bad);
  CHECK(copy.text() == "text");
  CHECK(moved.text() == "text");
  moved = good;
  CHECK(moved.ok());
  CHECK(copy.message() == "text\n  hint: hint");
  CHECK(Status(ErrorKind::device, "alone").hint().empty());
  try {
    copy.raise();
    FAIL("no exception");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::user);
    const Status back = Status::from_current_exception();
    CHECK(back.text() == "text");
    CHECK(back.hint() == "hint");
  }
  CHECK_THROWS_AS(Status(ErrorKind::device, "x").raise(), DeviceError);
  CHECK_THROWS_AS(Status(ErrorKind::internal, "x").raise(), InternalError);
}
