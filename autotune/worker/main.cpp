// Owns the program tessera_tune_worker: it compiles, checks and times configurations for a process that tunes, so that
// what crashes or hangs takes nobody along. The tuning process starts it; it is of no use by itself.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "autotune/tune/data.hpp"
#include "autotune/tune/wire.hpp"
#include "autotune/worker/check.hpp"
#include "jit/runtime/launch.hpp"
#include "tessera/call/config.hpp"
#include "tessera/call/record.hpp"
#include "tessera/interpret.hpp"
#include "tessera/ir/parse.hpp"

using namespace tessera;
using namespace tessera::autotune;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Memory on huge pages, where there are some.
std::byte* working_memory(std::int64_t bytes) {
  constexpr std::int64_t huge = std::int64_t{2} << 20;
  const auto size = static_cast<std::size_t>((bytes + huge - 1) / huge * huge);
  auto* data = static_cast<std::byte*>(std::aligned_alloc(huge, size));
  if (data != nullptr) (void)madvise(data, size, MADV_HUGEPAGE);
  return data;
}

struct Entrant {
  Config config;
  const call::Variant* variant = nullptr;
  double seconds = 0;  ///< of a run
};

class Worker {
 public:
  Worker(int socket, int memory) : wire_(socket), memory_(memory) {}

  int run() {
    for (;;) {
      bool gone = false;
      const auto message = wire_.receive(-1, gone);
      if (!message || message->empty()) return 0;
      const std::string& kind = message->front();
      if (kind == "open" && !open(*message)) return 1;
      if (kind == "prepare") prepare(*message);
      if (kind == "time") time(*message);
    }
  }

 private:
  /// open, program's text, target, features, threads, 1 if the interpreter is the reference, 1 if a reference is there,
  /// numerics, 1 if deterministic, number of tunables, the interpreter's tunables …, the frame's words …
  bool open(const Message& m) {
    ir::Parsed parsed = ir::parse(m[1]);
    if (!parsed) return say({"refused", "the program does not read back from its text"});
    storage_ = std::make_unique<ir::Storage>(std::move(parsed.program));
    program_ = storage_->view();
    record_ = std::make_unique<call::KernelRecord>(program_);
    base_ = Config{.threads = static_cast<int>(integer(m[4])), .target = m[2], .features = m[3]};
    base_.numerics = static_cast<Numerics>(integer(m[7]));
    base_.deterministic = m[8] == "1";
    const std::size_t words = 10 + static_cast<std::size_t>(integer(m[9]));
    std::vector<std::int64_t> tunables;
    for (std::size_t i = 10; i < words; ++i) tunables.push_back(integer(m[i]));
    for (std::size_t i = words; i < m.size(); ++i) words_.push_back(static_cast<std::uint64_t>(std::stoull(m[i])));
    arrangement_ = Arrangement::of(program_, words_);
    shared_ = SharedMemory(memory_, 2 * arrangement_.bytes);
    block_ = working_memory(arrangement_.bytes);
    if (block_ == nullptr) return say({"refused", "no memory for the arrays"});
    std::memcpy(block_, shared_.data(), static_cast<std::size_t>(arrangement_.bytes));
    frame_ = arrangement_.frame_at(words_, block_);
    referred_ = m[6] == "1";
    if (m[5] == "1") {
      interpreter::Options options;
      options.races = false;
      options.most_iterations = 1 << 20;
      if (base_.numerics == Numerics::fast) options.function_units = 4;
      reference_block();
      const auto frame = arrangement_.frame_at(words_, reference());
      const interpreter::Report report = interpret(program_, frame, tunables, options);
      if (report.ok()) bounds_ = report.bounds;
      referred_ = report.ok();
    }
    return say({"ready", bounds_.empty() ? "" : "interpreter"});
  }

  bool say(const Message& m) {
    const std::lock_guard lock(mutex_);
    return wire_.send(m) && m.front() != "refused";
  }
  std::byte* reference() { return shared_.data() + arrangement_.bytes; }
  void reference_block() { std::memcpy(reference(), shared_.data(), static_cast<std::size_t>(arrangement_.bytes)); }
  void restore(bool all) {
    for (const Place& p : arrangement_.places)
      if (p.restored || (all && p.written))
        std::memcpy(block_ + p.offset, shared_.data() + p.offset, static_cast<std::size_t>(p.bytes));
  }

  /// prepare, threads, then for each: number, count, name, value …
  void prepare(const Message& m) {
    std::vector<std::string> numbers;
    for (std::size_t i = 2; i < m.size();) {
      Entrant& e = entrants_[m[i]];
      e = {};
      e.config = base_;
      numbers.push_back(m[i]);
      const std::int64_t count = integer(m[i + 1]);
      i += 2;
      for (std::int64_t k = 0; k < count; ++k, i += 2) e.config.tunables.push_back({m[i], integer(m[i + 1])});
    }
    std::atomic<std::size_t> next{0};
    const auto compile = [&] {
      for (std::size_t i = next++; i < numbers.size(); i = next++) {
        Entrant& e = entrants_.at(numbers[i]);
        say({"compiling", numbers[i]});
        const Status status = jit::select_variant(*record_, frame_.data(), frame_.size(), &e.config, e.variant);
        say({"compiled", numbers[i], status ? "" : std::string(status.text())});
      }
    };
    std::vector<std::jthread> threads;
    for (std::int64_t i = 1; i < integer(m[1]); ++i) threads.emplace_back(compile);
    compile();
    threads.clear();  // joins
    for (const std::string& number : numbers)
      if (Entrant& e = entrants_.at(number); e.variant != nullptr) first_run(number, e);
    say({"end"});
  }

  void first_run(const std::string& number, Entrant& e) {
    say({"running", number});
    restore(true);
    Status status = run_once(e);
    std::string wrong;
    const std::string bits = bits_of(arrangement_, block_);
    if (status && !referred_) {
      std::memcpy(reference(), block_, static_cast<std::size_t>(arrangement_.bytes));
      referred_ = true;
    } else if (status) {
      wrong = first_wrong(program_, words_, arrangement_, reference(), bounds_, block_);
    }
    if (status && wrong.empty()) {  // once more: the first run also paged memory in
      restore(true);
      const double from = now();
      status = run_once(e);
      e.seconds = now() - from;
      if (bits_of(arrangement_, block_) != bits)
        return void(say({"done", number, "ok", "", "differs from run to run"}));
    }
    if (!status)
      say({"done", number, "failed", std::string(status.text()), ""});
    else
      say({"done", number, wrong.empty() ? "ok" : "wrong", wrong, bits});
  }

  Status run_once(Entrant& e) { return call::run(*record_, *e.variant, frame_.data()); }

  /// time, least seconds of a sample, numbers …
  void time(const Message& m) {
    const double least = number(m[1]);
    const bool restores =
        std::any_of(arrangement_.places.begin(), arrangement_.places.end(), [](const Place& p) { return p.restored; });
    for (std::size_t i = 2; i < m.size(); ++i) {
      Entrant& e = entrants_.at(m[i]);
      say({"running", m[i]});
      const auto runs =
          static_cast<std::int64_t>(std::clamp(least / std::max(e.seconds, 1e-8), 1.0, restores ? 1e3 : 1e5));
      double spent = 0;
      if (restores) {
        for (std::int64_t r = 0; r < runs; ++r) {
          restore(false);
          const double from = now();
          (void)run_once(e);
          spent += now() - from;
        }
      } else {
        if (runs > 1) (void)run_once(e);  // data that others moved out of the caches come back
        const double from = now();
        for (std::int64_t r = 0; r < runs; ++r) (void)run_once(e);
        spent = now() - from;
      }
      e.seconds = spent / static_cast<double>(runs);
      say({"sample", m[i], text(e.seconds)});
    }
    say({"end"});
  }

  Wire wire_;
  int memory_;
  std::mutex mutex_;
  std::unique_ptr<ir::Storage> storage_;
  ir::Program program_;
  std::unique_ptr<call::KernelRecord> record_;
  Config base_;
  std::vector<std::uint64_t> words_, frame_;
  Arrangement arrangement_;
  SharedMemory shared_;  ///< the arrays as they were, then the reference's results
  std::byte* block_ = nullptr;
  bool referred_ = false;
  std::vector<interpreter::Bounds> bounds_;
  std::map<std::string, Entrant> entrants_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3 || std::strcmp(arguments[1], TESSERA_VERSION) != 0) {
    std::fputs("tessera_tune_worker is started by processes that tune kernels\n", stderr);
    return 2;
  }
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);  // a kernel that hangs must not outlive who waits for it
  if (getppid() != static_cast<pid_t>(std::strtol(arguments[2], nullptr, 10))) return 0;
  const rlimit none{0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  return Worker(3, 4).run();
}
