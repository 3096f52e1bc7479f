// Owns child processes for trials.
#include "autotune/cli/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

TESSERA_BEGIN
namespace cli {
namespace {

constexpr char end_mark = '\0';  // after the text: a child that exits early has not written it

[[noreturn]] void be_child(const std::function<std::string()>& function, int out) {
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, stream);
  std::string text;
  try {
    text = function();
  } catch (...) {
    ::_exit(1);
  }
  text += end_mark;
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t written = ::write(out, text.data() + at, text.size() - at);
    if (written < 0 && errno != EINTR) ::_exit(1);
    if (written > 0) at += static_cast<std::size_t>(written);
  }
  ::_exit(0);
}

std::string ending(int status, bool late, int seconds) {
  if (late) return "takes more than " + std::to_string(seconds) + " seconds";
  if (WIFSIGNALED(status))
    return "crashes (signal " + std::to_string(WTERMSIG(status)) + ", " + ::strsignal(WTERMSIG(status)) + ")";
  return "ends the process (exit code " + std::to_string(WEXITSTATUS(status)) + ")";
}

}  // namespace

Trial try_in_child(const std::function<std::string()>& function, int seconds) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {false, std::string("cannot be tried: ") + std::strerror(errno)};
  const pid_t child = ::fork();
  if (child < 0) {
    const int error = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    return {false, std::string("cannot be tried: ") + std::strerror(error)};
  }
  if (child == 0) be_child(function, ends[1]);
  ::close(ends[1]);

  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  Trial trial;
  bool late = false;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd wait{ends[0], POLLIN, 0};
    const int ready = ::poll(&wait, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      late = true;
      break;
    }
    char bytes[4096];
    const ssize_t got = ::read(ends[0], bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    trial.text.append(bytes, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  if (late) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  trial.finished = !trial.text.empty() && trial.text.back() == end_mark;
  if (trial.finished)
    trial.text.pop_back();
  else
    trial.text = ending(status, late, seconds);
  return trial;
}

}  // namespace cli
TESSERA_END
