// Owns the bench that times on this machine: a worker process does everything that can go wrong.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "autotune/tune/bench.hpp"
#include "autotune/tune/data.hpp"
#include "autotune/tune/space.hpp"
#include "autotune/tune/stop.hpp"
#include "autotune/tune/wire.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

struct WorkerOptions {
  std::string program = {};    ///< path of tessera_tune_worker; empty: beside libtessera_autotune
  double seconds_each = 10;    ///< most for a compilation, a run and its check
  double least_sample = 2e-3;  ///< seconds of a sample: shorter calls are repeated
  int compile_threads = 0;     ///< 0: one a core
  bool interpret = false;      ///< results are checked against the interpreter's, not the first configuration's
  std::vector<std::int64_t> tunables = {};  ///< that the interpreter takes, by tunable
  bool idle = false;                        ///< the worker runs only where nothing else does
  StopRequest stopped = {};                 ///< then every member but the destructor throws Stopped
};

/// Runs one worker at a time. When it dies, or does not answer in time, the configuration at hand is lost, and another
/// worker goes on with the others.
class WorkerBench final : public Bench {
 public:
  /// `memory` holds the arrays of the call in its first half, by `arrangement`. Throws DeviceError where no worker can
  /// be started.
  WorkerBench(const Problem& problem, const Arrangement& arrangement, const SharedMemory& memory,
              WorkerOptions options);
  ~WorkerBench() override;

  std::vector<Prepared> prepare(const std::vector<std::vector<Tuned>>& configurations) override;
  std::vector<double> time(const std::vector<int>& numbers) override;
  const Prepared& state(int number) const override { return entrants_.at(static_cast<std::size_t>(number)).state; }
  double now() override;

  /// What results were checked against, in words.
  std::string reference() const;
  /// The process of the present worker.
  pid_t worker() const { return worker_; }
  /// The most configurations that compiled at one time.
  std::size_t most_at_once() const { return most_at_once_; }
  /// Workers that were started, the first included.
  int workers() const { return workers_; }

 private:
  struct Entrant {
    std::vector<Tuned> tunables;
    Prepared state;
    bool loaded = false;  ///< in the present worker
    double seconds = 0;   ///< of a run
  };
  Entrant& at(const std::string& number) { return entrants_.at(static_cast<std::size_t>(integer(number))); }
  void start();
  std::string stop();
  std::optional<Message> receive(double seconds, bool& gone);
  bool load(const std::vector<int>& numbers, int threads);
  void lose(const std::string& number, bool silent, const std::string& how);

  const Problem& problem_;
  const Arrangement& arrangement_;
  const SharedMemory& memory_;
  WorkerOptions options_;
  std::vector<Entrant> entrants_;
  Wire wire_;
  pid_t worker_ = -1;
  int workers_ = 0;
  std::size_t most_at_once_ = 0;
  int referred_ = -1;  ///< the configuration that the reference comes from
  bool interpreted_ = false;
};

/// The path of the worker program beside this library.
std::string worker_program();

}  // namespace autotune
TESSERA_END
