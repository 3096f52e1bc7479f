// Owns tuning in the background.
#include "autotune/tune/background.hpp"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "autotune/tune/data.hpp"
#include "autotune/tune/space.hpp"
#include "autotune/tune/store_history.hpp"
#include "autotune/tune/tune.hpp"
#include "jit/runtime/launch.hpp"
#include "jit/runtime/log.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/ir/parse.hpp"
#include "tessera/ir/text.hpp"

TESSERA_BEGIN
namespace autotune {
namespace {

constexpr std::size_t most_asked = 1000;  // of a process that has more shapes the later ones are not tuned
constexpr double patience = 60;           // seconds of a compilation or a run: others go first

bool wanted_by_environment() {
  const char* text = std::getenv("TESSERA_TUNE");
  const std::string_view wish = text ? text : "";
  if (wish == "background") return true;
  if (!wish.empty() && wish != "off")
    jit::say_once("TESSERA_TUNE=" + std::string(wish) + " is neither \"background\" nor \"off\": nothing is tuned");
  return false;
}

/// Arrays are copied twice and a half: what would crowd out the program is not tuned beside it.
bool fits(std::int64_t bytes) {
  const double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return static_cast<double>(bytes) < memory / 16;
}

void note(const Asked& asked, const std::string& text) {
  if (jit::logs(jit::LogLevel::info))
    jit::log(jit::LogLevel::info, asked.key.kernel + " " + autotune::text(asked.key.extents) + ": " + text);
}

/// The thread is to end before what it uses does; so this is asked for again when more is in use.
void stop_at_end() {
  std::atexit([] { Background::process().set({.on = false}); });
}

}  // namespace

Background::Background() { options_.on = wanted_by_environment(); }

Background*& Background::current() {
  static auto* background = new Background;
  return background;
}

Background& Background::process() {
  Background& background = *current();
  static const int prepared = pthread_atfork([] { current()->mutex_.lock(); }, [] { current()->mutex_.unlock(); },
                                             [] {
                                               // The thread, and whoever waits for it, stayed with the parent.
                                               auto* child = new Background;
                                               child->options_ = current()->options_;
                                               current() = child;
                                             });
  (void)prepared;
  return background;
}

bool Background::on() {
  const std::lock_guard lock(mutex_);
  return options_.on;
}

void Background::set(const BackgroundTuning& options) {
  {
    const std::lock_guard lock(mutex_);
    options_ = options;
  }
  if (!options.on) stop();
}

void Background::ask(const jit::ConfigurationQuestion& q, const TunedKey& key) noexcept {
  try {
    if (!on()) return;
    const std::size_t words = call::frame_layout(q.program).words();
    Asked asked;
    asked.address = &q.program;
    asked.program = ir::to_text(q.program);
    asked.frame.assign(q.frame, q.frame + words);
    asked.declared = call::declared_space(q.program);
    asked.target = q.target.name(), asked.features = q.features, asked.threads = q.threads;
    if (q.config) asked.config = *q.config;
    asked.key = key;
    std::string identity = key.kernel + key.program + key.types + key.device + key.mode + text(key.extents) + " " +
                           std::to_string(q.threads) + " " + std::to_string(q.config ? q.config->key() : 0);
    const std::lock_guard lock(mutex_);
    if (asked_.size() >= most_asked || !asked_.insert(std::move(identity)).second) return;
    queue_.push_back(std::move(asked));
    if (!thread_.joinable()) begin();
    changed_.notify_all();
  } catch (...) {  // no memory, no thread: the guess stays
  }
}

void Background::begin() {
  static const bool first = (stop_at_end(), true);
  (void)first;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the program's
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Background::work(const std::stop_token& stop) {
  (void)prctl(PR_SET_NAME, "tessera tuning");
  std::unique_lock lock(mutex_);
  // Not idle altogether, as the worker is: this thread takes locks that calls take too, and must get on.
  if (options_.idle) (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 19);
  while (!stop.stop_requested()) {
    if (queue_.empty()) {
      changed_.wait(lock);
      continue;
    }
    ++busy_;
    const Asked asked = std::move(queue_.front());
    queue_.pop_front();
    const BackgroundTuning options = options_;
    lock.unlock();
    try {
      tune_one(asked, options, stop);
    } catch (const Stopped&) {
    } catch (const std::exception& e) {
      note(asked, std::string("not tuned in the background: ") + e.what());
    }
    lock.lock();
    --busy_;
    changed_.notify_all();
  }
}

/// Waits; true: it is to stop.
bool Background::pause(double seconds, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::duration<double>(seconds), [&] { return stop.stop_requested(); });
}

void Background::tune_one(const Asked& asked, const BackgroundTuning& how, const std::stop_token& stop) {
  ir::Parsed parsed = ir::parse(asked.program);
  if (!parsed) return note(asked, "not tuned in the background: the program does not read back from its text");
  const ir::Storage storage(std::move(parsed.program));
  const ir::Program program = storage.view();
  const jit::Target& target = jit::find_target(asked.target);
  std::string why;
  if (!target.can_compile(why)) return note(asked, "not tuned in the background: " + why);
  static const bool opened = (stop_at_end(), true);  // finding that out may have opened a compiler
  (void)opened;

  TuneOptions options;
  options.seconds = how.seconds, options.configurations = how.configurations, options.seconds_each = patience;
  if (asked.config) options.config = *asked.config;
  options.config.target = asked.target, options.config.features = asked.features;
  options.config.threads = asked.threads;
  const Job job{program, asked.frame, true, asked.declared};
  const Problem problem(program, job.frame, target, options.config);
  if (Space(problem, {}, job.declared, options.config).size() < 2) return;
  if (const auto bytes = Arrangement::of(program, job.frame).bytes; !fits(bytes))
    return note(asked, "not tuned in the background: its arrays have " + std::to_string(bytes) + " bytes");

  TunedStore& store = TunedStore::process();
  const auto measured = [&] {
    const auto best = store.best(asked.key);
    return best && !best->stale;
  };
  std::shared_ptr<void> alone = store.only_tuner();
  while (!alone && !measured()) {
    if (pause(1, stop)) return;
    alone = store.only_tuner();
  }
  if (!measured()) {
    StoreHistory history(store);
    const Manner manner{
        .stopped = [&] { return stop.stop_requested(); }, .compile_threads = 1, .idle = how.idle, .patient = true};
    const TuneResult found = tune(job, options, &history, manner);
    char ratio[96];
    std::snprintf(ratio, sizeof ratio, ", %.2f times as fast as untuned, after %zu configurations in %.1f s",
                  found.default_seconds / found.seconds, found.timed, found.elapsed);
    note(asked, "tuned in the background: " + text_of(found.config.tunables) + ratio);
  }
  alone.reset();
  (void)jit::renew(asked.address, program, asked.frame, asked.config ? asked.config->key() : 0);
}

bool Background::wait(double seconds) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::duration<double>(seconds), [&] { return queue_.empty() && busy_ == 0; });
}

void Background::stop() noexcept {
  std::jthread thread;  // waited for at its end, when the mutex is free
  const std::lock_guard lock(mutex_);
  thread = std::move(thread_);
  thread.request_stop();
  queue_.clear();
  asked_.clear();  // what was tuned is not asked about again
  changed_.notify_all();
}

}  // namespace autotune

void tune_in_background(const BackgroundTuning& options) { autotune::Background::process().set(options); }
bool wait_for_tuning(double seconds) { return autotune::Background::process().wait(seconds); }

TESSERA_END
