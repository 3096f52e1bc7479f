// Owns worker processes: what they share with their parent, and how they are watched.
#include "tests/fuzz/workers.hpp"

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <new>
#include <stdexcept>

#include "tests/fuzz/generate.hpp"

namespace fuzz {
namespace {

double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

// Seconds of processor time that a process has used; 0 where it has ended.
double used(pid_t pid) {
  clockid_t clock = 0;
  timespec t{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Whether a process hangs that has been at one program since then: by processor time, since others may keep it waiting;
// by the clock where it sleeps.
constexpr double sleeping = 30;
bool is_stuck(pid_t pid, double used_before, double since, int seconds) {
  const double now_used = used(pid);
  return now_used - used_before > seconds || now() - since > sleeping * seconds;
}

struct Slot {
  std::atomic<std::uint64_t> index;  ///< of the program at hand
  std::atomic<std::uint64_t> compared, survived, ways, same_bits, elements, unbounded;
};
struct Shared {
  Slot slot[16];
  Coverage coverage;
};

// One line a message: kind, seed, text.
void say(int pipe, char kind, std::uint64_t seed, std::string text) {
  for (char& c : text)
    if (c == '\n') c = ' ';
  if (text.size() > 1500) text.resize(1500);
  const std::string line = std::string(1, kind) + " " + std::to_string(seed) + " " + text + "\n";
  if (write(pipe, line.data(), line.size()) < 0) _exit(3);
}

void work(const RunOptions& o, Shared& shared, int worker, std::uint64_t from, int pipe) {
  Slot& slot = shared.slot[worker];
  for (std::uint64_t i = from; i < o.programs; i += static_cast<std::uint64_t>(o.workers)) {
    slot.index = i;
    const std::uint64_t seed = o.first_seed + i;
    const Sample sample = generate(seed);
    const Outcome outcome = check(sample, o.check);
    slot.ways += outcome.ran;
    slot.same_bits += outcome.same_bits;
    slot.elements += outcome.elements;
    slot.unbounded += outcome.unbounded;
    switch (outcome.verdict) {
      case Verdict::agrees:
        ++slot.compared;
        shared.coverage.add(sample);
        break;
      case Verdict::discarded:
        slot.survived += outcome.ran != 0 ? 1 : 0;
        say(pipe, 'd', seed, outcome.text);
        break;
      case Verdict::mismatch:
      case Verdict::broken:
        say(pipe, 'f', seed, outcome.text);
    }
  }
  slot.index = o.programs;
}

class Worker {
 public:
  void start(const RunOptions& o, Shared& shared, int number, std::uint64_t from) {
    int ends[2] = {};
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    number_ = number;
    since_ = now();
    used_ = 0;
    seen_ = from;
    shared.slot[number].index = from;
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("no process");
    if (pid_ == 0) {
      close(ends[0]);
      for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) std::signal(signal, SIG_DFL);
      work(o, shared, number, from, ends[1]);
      _exit(0);
    }
    close(ends[1]);
    pipe_ = ends[0];
  }
  /// Reads what it says; false when it has ended.
  template <class Take>
  bool listen(Take take) {
    char buffer[4096];
    const ssize_t n = read(pipe_, buffer, sizeof buffer);
    if (n <= 0) {
      close(pipe_);
      pipe_ = -1;
      return false;
    }
    text_.append(buffer, static_cast<std::size_t>(n));
    for (std::size_t end; (end = text_.find('\n')) != std::string::npos; text_.erase(0, end + 1))
      take(text_.substr(0, end));
    return true;
  }
  /// Kills it where it has been at one program for too long.
  bool hangs(Shared& shared, int seconds) {
    if (const std::uint64_t at = shared.slot[number_].index; at != seen_) {
      seen_ = at;
      since_ = now();
      used_ = used(pid_);
    }
    if (!is_stuck(pid_, used_, since_, seconds)) return false;
    kill(pid_, SIGKILL);
    return true;
  }
  int wait_for_end() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }
  void stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    wait_for_end();
    if (pipe_ >= 0) close(pipe_);
    pipe_ = -1;
  }
  bool runs() const { return pipe_ >= 0; }
  int file() const { return pipe_; }

 private:
  pid_t pid_ = -1;
  int pipe_ = -1, number_ = 0;
  std::uint64_t seen_ = 0;
  double since_ = 0, used_ = 0;
  std::string text_;
};

Shared& share() {
  void* p = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  return *new (p) Shared{};
}

std::string signal_text(int status, bool hung) {
  if (hung) return "it hangs";
  if (WIFSIGNALED(status)) return std::string("it crashes: ") + strsignal(WTERMSIG(status));
  return "it ends the process with " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Figures run(const RunOptions& o) {
  Figures f;
  const double start = now();
  Shared& shared = share();
  std::vector<Worker> workers(static_cast<std::size_t>(std::min(o.workers, 16)));
  const auto step = static_cast<std::uint64_t>(workers.size());
  RunOptions options = o;
  options.workers = static_cast<int>(workers.size());
  const auto take = [&](const std::string& line) {
    const std::size_t blank = line.find(' ', 2);
    const std::string text = line.substr(blank + 1);
    if (line[0] == 'd') ++f.discarded[text.rfind("verifier: ", 0) == 0 ? text.substr(0, 90) : text];
    if (line[0] != 'f') return;
    f.found.push_back({std::stoull(line.substr(2)), text});
    std::fprintf(stderr, "found: seed %s\n", line.substr(2).c_str());  // a long run tells at once
  };
  std::uint64_t programs = 0;
  for (std::size_t w = 0; w < workers.size(); ++w) workers[w].start(options, shared, static_cast<int>(w), w);
  for (bool any = true; any && f.found.size() < o.most_findings;) {
    std::vector<pollfd> wait;
    for (Worker& w : workers)
      if (w.runs()) wait.push_back({w.file(), POLLIN, 0});
    any = !wait.empty();
    poll(wait.data(), wait.size(), 500);
    std::size_t k = 0;
    for (std::size_t w = 0; w < workers.size(); ++w) {
      if (!workers[w].runs()) continue;
      const bool speaks = wait[k++].revents != 0;
      const bool hung = workers[w].hangs(shared, o.seconds_each);
      if ((!speaks && !hung) || (speaks && !hung && workers[w].listen(take))) continue;
      while (workers[w].runs() && workers[w].listen(take)) {
      }
      const int status = workers[w].wait_for_end();
      const std::uint64_t at = shared.slot[w].index;
      if (!hung && status == 0) {
        programs += 0;
        continue;
      }
      f.found.push_back({o.first_seed + at, signal_text(status, hung)});
      if (at + step < o.programs) workers[w].start(options, shared, static_cast<int>(w), at + step);
    }
  }
  for (Worker& w : workers) w.stop();
  for (std::size_t w = 0; w < workers.size(); ++w) {
    const Slot& s = shared.slot[w];
    f.programs += (std::min<std::uint64_t>(s.index, o.programs) + step - 1 - w) / step;
    f.compared += s.compared;
    f.survived += s.survived;
    f.ways += s.ways;
    f.same_bits += s.same_bits;
    f.elements += s.elements;
    f.unbounded += s.unbounded;
  }
  f.coverage = shared.coverage.summary();
  f.table = shared.coverage.table();
  f.never = shared.coverage.never();
  f.seconds = now() - start;
  munmap(&shared, sizeof(Shared));
  return f;
}

Outcome check_apart(const Sample& sample, const CheckOptions& options, int seconds) {
  int ends[2] = {};
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("no process");
  if (pid == 0) {
    close(ends[0]);
    const Outcome outcome = check(sample, options);
    const std::string text = std::string(1, static_cast<char>('0' + static_cast<int>(outcome.verdict))) + outcome.text;
    _exit(write(ends[1], text.data(), text.size()) < 0 ? 3 : 0);
  }
  close(ends[1]);
  Outcome outcome;
  std::string text;
  const double start = now();
  bool hung = false;
  for (;;) {
    pollfd wait{ends[0], POLLIN, 0};
    poll(&wait, 1, 200);
    if (wait.revents == 0) {
      if (!is_stuck(pid, 0, start, seconds)) continue;
      kill(pid, SIGKILL);
      hung = true;
      break;
    }
    char buffer[4096];
    const ssize_t n = read(ends[0], buffer, sizeof buffer);
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (hung || status != 0 || text.empty()) {
    outcome.verdict = Verdict::mismatch;
    outcome.text = signal_text(status, hung);
  } else {
    outcome.verdict = static_cast<Verdict>(text[0] - '0');
    outcome.text = text.substr(1);
  }
  return outcome;
}

}  // namespace fuzz
