// Owns the bench that times on this machine: starting workers, talking to them, and who is to blame when one dies.
#include "autotune/tune/worker_bench.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <limits>
#include <thread>
#include <utility>

#include "tessera/call/errors.hpp"
#include "tessera/ir/text.hpp"

extern char** environ;

TESSERA_BEGIN
namespace autotune {
namespace {

constexpr double start_seconds = 60;  // to load libraries on a busy machine, and to interpret

std::vector<std::string> worker_environment() {
  std::vector<std::string> all;
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string one = *e;
    // Configurations that are tried fill no cache; dumps and logs are of the calls that the user makes.
    const bool drop = one.starts_with("TESSERA_CACHE=") || one.starts_with("TESSERA_DUMP=") ||
                      one.starts_with("TESSERA_LOG=") || one.starts_with("TESSERA_TUNE=");
    if (!drop) all.push_back(one);
  }
  all.emplace_back("TESSERA_CACHE=off");
  return all;
}

}  // namespace

std::string worker_program() {
  Dl_info self{};
  if (dladdr(reinterpret_cast<const void*>(&worker_program), &self) == 0 || self.dli_fname == nullptr) return {};
  const std::string library = self.dli_fname;
  return library.substr(0, library.rfind('/') + 1) + "tessera_tune_worker";
}

WorkerBench::WorkerBench(const Problem& problem, const Arrangement& arrangement, const SharedMemory& memory,
                         WorkerOptions options)
    : problem_(problem), arrangement_(arrangement), memory_(memory), options_(std::move(options)) {
  if (options_.program.empty()) options_.program = worker_program();
  if (options_.compile_threads <= 0)
    options_.compile_threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  try {
    start();
  } catch (const DeviceError&) {  // interpreting may take too long
    if (!std::exchange(options_.interpret, false)) throw;
    start();
  }
}

WorkerBench::~WorkerBench() { stop(); }

double WorkerBench::now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string WorkerBench::reference() const {
  if (interpreted_) return "the interpreter, with its bounds of error for each element";
  if (referred_ < 0) return "nothing: no configuration ran";
  return "the results of " + text_of(entrants_[static_cast<std::size_t>(referred_)].tunables) +
         ", with a tolerance by element type";
}

void WorkerBench::start() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw DeviceError("tuning: no socket can be made");
  // Descriptors 3 and 4 are the worker's: the copies must not lie there before.
  const int socket = fcntl(ends[1], F_DUPFD_CLOEXEC, 10), memory = fcntl(memory_.descriptor(), F_DUPFD_CLOEXEC, 10);
  ::close(ends[1]);
  wire_ = Wire(ends[0]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);  // kernels may print
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, socket, 3);
  posix_spawn_file_actions_adddup2(&actions, memory, 4);
  std::vector<std::string> environment = worker_environment();
  std::vector<char*> variables;
  for (std::string& one : environment) variables.push_back(one.data());
  variables.push_back(nullptr);
  std::string parent = std::to_string(getpid()), version = TESSERA_VERSION;
  char* arguments[] = {options_.program.data(), version.data(), parent.data(), nullptr};
  const int failed = posix_spawn(&worker_, options_.program.c_str(), &actions, nullptr, arguments, variables.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(socket);
  ::close(memory);
  if (failed != 0) {
    worker_ = -1;
    throw DeviceError("tuning: " + options_.program + " cannot be started: " + std::strerror(failed) +
                      "\n  hint: it is installed beside libtessera_autotune");
  }
  if (options_.idle) {
    const sched_param none{};
    (void)sched_setscheduler(worker_, SCHED_IDLE, &none);
  }
  ++workers_;
  for (Entrant& e : entrants_) e.loaded = false;
  Message open{"open",
               ir::to_text(problem_.program),
               std::string(problem_.target.name()),
               problem_.features,
               std::to_string(problem_.threads),
               options_.interpret ? "1" : "0",
               referred_ >= 0 ? "1" : "0",
               std::to_string(static_cast<int>(problem_.numerics)),
               problem_.deterministic ? "1" : "0",
               std::to_string(options_.tunables.size())};
  for (const std::int64_t value : options_.tunables) open.push_back(std::to_string(value));
  for (const std::uint64_t word : problem_.frame) open.push_back(std::to_string(word));
  bool gone = false;
  std::optional<Message> answer;
  if (wire_.send(open)) answer = receive(start_seconds, gone);
  if (!answer || answer->front() != "ready") {
    const std::string how = stop();
    throw DeviceError("tuning: the worker does not start: " + (answer && answer->size() > 1 ? (*answer)[1] : how));
  }
  interpreted_ = answer->size() > 1 && (*answer)[1] == "interpreter";
}

std::optional<Message> WorkerBench::receive(double seconds, bool& gone) {
  auto answer = wire_.receive(seconds, gone, options_.stopped);
  if (options_.stopped && options_.stopped()) {
    stop();  // here: where the constructor throws there is no destructor
    throw Stopped();
  }
  return answer;
}

/// Ends the worker, if it has not ended, and says how it ended.
std::string WorkerBench::stop() {
  wire_.close();
  if (worker_ < 0) return "it does not run";
  const int waits = options_.stopped && options_.stopped() ? 0 : 20;
  int status = 0;
  pid_t ended = waitpid(worker_, &status, WNOHANG);
  for (int wait = 0; ended == 0 && wait < waits; ++wait) {  // a crash that is under way has its own signal
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ended = waitpid(worker_, &status, WNOHANG);
  }
  if (ended == 0) {
    kill(worker_, SIGKILL);
    while (waitpid(worker_, &status, 0) < 0 && errno == EINTR) {
    }
    worker_ = -1;
    return "it did not answer";
  }
  worker_ = -1;
  if (WIFSIGNALED(status))
    return std::string("signal ") + std::to_string(WTERMSIG(status)) + ", " + strsignal(WTERMSIG(status));
  return "it ended with status " + std::to_string(WEXITSTATUS(status));
}

void WorkerBench::lose(const std::string& number, bool silent, const std::string& how) {
  Prepared& p = at(number).state;
  if (silent) {
    char limit[32];
    std::snprintf(limit, sizeof limit, "%g s", options_.seconds_each);
    p = {Outcome::timeout, std::string("it took more than ") + limit, ""};
  } else {
    p = {Outcome::crashed, how, ""};
  }
}

/// Compiles, runs and checks these in the present worker. False: it died, and who was to blame is marked, unless
/// several compiled at once.
bool WorkerBench::load(const std::vector<int>& numbers, int threads) {
  Message m{"prepare", std::to_string(std::min<std::size_t>(static_cast<std::size_t>(threads), numbers.size()))};
  for (const int number : numbers) {
    const Entrant& e = entrants_[static_cast<std::size_t>(number)];
    m.push_back(std::to_string(number));
    m.push_back(std::to_string(e.tunables.size()));
    for (const Tuned& t : e.tunables) {
      m.push_back(t.name);
      m.push_back(std::to_string(t.value));
    }
  }
  std::set<std::string> compiling;
  std::string running;
  bool gone = !wire_.send(m);
  while (!gone) {
    const auto answer = receive(options_.seconds_each, gone);
    if (!answer) break;
    const Message& a = *answer;
    if (a[0] == "end") return true;
    Entrant& e = at(a[1]);
    if (a[0] == "compiling") {
      compiling.insert(a[1]);
      most_at_once_ = std::max(most_at_once_, compiling.size());
    } else if (a[0] == "compiled") {
      compiling.erase(a[1]);
      if (!a[2].empty()) e.state = {Outcome::failed, a[2], ""};
      e.loaded = a[2].empty();
    } else if (a[0] == "running") {
      running = a[1];
    } else if (a[0] == "done") {
      running.clear();
      e.state = {a[2] == "ok" ? Outcome::ok : a[2] == "wrong" ? Outcome::wrong : Outcome::failed, a[3], a[4]};
      if (e.state.outcome == Outcome::ok && referred_ < 0) referred_ = static_cast<int>(integer(a[1]));
    }
  }
  const std::string how = stop();
  if (!running.empty()) {
    lose(running, !gone, how);
  } else if (compiling.size() == 1) {
    lose(*compiling.begin(), !gone, how + ", while compiling");
  } else if (compiling.empty() || threads == 1) {
    for (const int number : numbers)  // it died between two of them: nobody can say whose memory it was
      if (Entrant& e = entrants_[static_cast<std::size_t>(number)]; !e.loaded) lose(std::to_string(number), !gone, how);
  }
  start();
  return false;
}

std::vector<Prepared> WorkerBench::prepare(const std::vector<std::vector<Tuned>>& configurations) {
  std::vector<int> open;
  for (const auto& tunables : configurations) {
    open.push_back(static_cast<int>(entrants_.size()));
    entrants_.push_back({tunables, {}, false, 0});
  }
  const std::vector<int> all = open;
  int threads = options_.compile_threads;
  while (!open.empty() && !load(open, threads)) {
    threads = 1;  // now it is plain which one it is
    std::erase_if(open, [&](int n) {
      const Entrant& e = entrants_[static_cast<std::size_t>(n)];
      return e.state.outcome != Outcome::ok || !e.state.bits.empty() || !e.state.note.empty();
    });
  }
  std::vector<Prepared> states;
  for (const int number : all) states.push_back(state(number));
  return states;
}

std::vector<double> WorkerBench::time(const std::vector<int>& numbers) {
  std::vector<double> seconds(numbers.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<bool> sampled(numbers.size(), false);
  const auto lost = [&](std::size_t i) { return state(numbers[i]).outcome != Outcome::ok; };
  for (;;) {
    std::vector<int> absent;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (sampled[i] || lost(i)) continue;
      open.push_back(i);
      if (!entrants_[static_cast<std::size_t>(numbers[i])].loaded) absent.push_back(numbers[i]);
    }
    if (open.empty()) return seconds;
    if (!absent.empty()) {
      load(absent, 1);
      continue;
    }
    Message m{"time", text(options_.least_sample)};
    for (const std::size_t i : open) m.push_back(std::to_string(numbers[i]));
    bool gone = !wire_.send(m);
    std::string running;
    bool ended = false;
    while (!gone && !ended) {
      // A sample repeats runs that were quick once; it may take a little longer than one run may.
      const auto answer = receive(options_.seconds_each + 100 * options_.least_sample, gone);
      if (!answer) break;
      const Message& a = *answer;
      ended = a[0] == "end";
      if (a[0] == "running") running = a[1];
      if (a[0] == "sample")
        for (const std::size_t i : open)
          if (std::to_string(numbers[i]) == a[1]) seconds[i] = number(a[2]), sampled[i] = true;
    }
    if (ended) continue;
    const std::string how = stop();
    lose(running.empty() ? std::to_string(numbers[open.front()]) : running, !gone, how);
    start();
  }
}

}  // namespace autotune
TESSERA_END
