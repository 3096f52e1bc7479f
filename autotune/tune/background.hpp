// Owns tuning in the background: what calls were guessed for is tuned by a thread that gives way to all other work.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "autotune/store/tuned_store.hpp"
#include "autotune/tune/stop.hpp"
#include "jit/runtime/configuration_source.hpp"
#include "tessera/call/space.hpp"
#include "tessera/tune.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// A call that was asked about, with nothing that may go with its kernel or its arrays.
struct Asked {
  const ir::Program* address = nullptr;  ///< of the kernel's program; not looked at
  std::string program;                   ///< as text
  std::vector<std::uint64_t> frame;
  std::vector<Candidates> declared;
  std::string target, features;
  int threads = 0;
  std::optional<Config> config;
  TunedKey key;
};

/// The queue of this process and the thread that works it off, started by the first call that is asked about. Calls
/// never wait for it; the end of the process, or `stop`, ends what is under way at once. Safe across fork: a child
/// starts anew, with nothing asked.
class Background {
 public:
  /// Never destroyed; its thread ends before static objects do.
  static Background& process();

  /// By TESSERA_TUNE=background, or by what the program said.
  bool on();
  void set(const BackgroundTuning& options);
  /// Has a call tuned, once a process, unless it is off; copies what is needed. Does not throw.
  void ask(const jit::ConfigurationQuestion& question, const TunedKey& key) noexcept;
  /// Waits until nothing is left to tune; false after `seconds`.
  bool wait(double seconds);
  /// Ends the thread; what was asked and is not tuned is forgotten.
  void stop() noexcept;

 private:
  Background();
  static Background*& current();
  void begin();
  void work(const std::stop_token& stop);
  void tune_one(const Asked& asked, const BackgroundTuning& how, const std::stop_token& stop);
  bool pause(double seconds, const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable changed_;
  BackgroundTuning options_;
  std::deque<Asked> queue_;
  std::set<std::string> asked_;  ///< each is tuned once
  std::jthread thread_;
  int busy_ =
      0;  ///< calls that are being tuned; a thread that was stopped may be about to end while the next one begins
};

}  // namespace autotune
TESSERA_END
