// Owns the record of compilations of this process.
#include "jit/runtime/statistics.hpp"

#include <atomic>
#include <deque>
#include <mutex>
#include <utility>

TESSERA_BEGIN
namespace jit {
namespace {

constexpr std::size_t most_kept = 4096;

struct Record {
  std::mutex mutex;
  std::deque<Compilation> list;
};

// Never destroyed: calls may compile while the process ends.
Record& the_record() {
  static auto* record = new Record;
  return *record;
}

std::atomic<std::uint64_t> compiled{0}, loaded{0}, timed{0};

}  // namespace

void record_load() noexcept { ++loaded; }
void record_timed(std::uint64_t count) noexcept { timed += count; }

void record(Compilation compilation) {
  ++compiled;
  Record& r = the_record();
  const std::lock_guard lock(r.mutex);
  if (r.list.size() == most_kept) r.list.pop_front();
  r.list.push_back(std::move(compilation));
}

}  // namespace jit

Counts counts() { return {jit::compiled, jit::loaded, jit::timed}; }

std::vector<Compilation> compilations() {
  jit::Record& r = jit::the_record();
  const std::lock_guard lock(r.mutex);
  return {r.list.begin(), r.list.end()};
}

TESSERA_END
