// Owns the messages between a tuning process and its worker.
#include "autotune/tune/wire.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <utility>

TESSERA_BEGIN
namespace autotune {
namespace {

constexpr std::uint32_t most_fields = 1 << 20, most_bytes = 1 << 28;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

double number(const std::string& text) { return std::strtod(text.c_str(), nullptr); }
std::int64_t integer(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

Wire& Wire::operator=(Wire&& other) noexcept {
  if (this == &other) return *this;
  close();
  descriptor_ = std::exchange(other.descriptor_, -1);
  return *this;
}

void Wire::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

bool Wire::send(const Message& message) {
  std::string bytes;
  const auto add = [&](std::uint32_t n) { bytes.append(reinterpret_cast<const char*>(&n), sizeof n); };
  add(static_cast<std::uint32_t>(message.size()));
  for (const std::string& field : message) {
    add(static_cast<std::uint32_t>(field.size()));
    bytes += field;
  }
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

bool Wire::read(void* to, std::size_t bytes, double until, bool& gone, const StopRequest& stopped) {
  constexpr double look = 0.02;  // how often it is asked whether to stop
  for (std::size_t got = 0; got < bytes;) {
    double left = until < 0 ? INFINITY : std::max(0.0, until - seconds_now());
    const bool last = !stopped || left <= look;
    if (stopped) left = std::min(left, look);
    pollfd wait{descriptor_, POLLIN, 0};
    const int ready = ::poll(&wait, 1, std::isinf(left) ? -1 : static_cast<int>(std::ceil(left * 1000)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 && !last && !stopped()) continue;
    if (ready == 0) return false;
    const ssize_t n = ::recv(descriptor_, static_cast<char*>(to) + got, bytes - got, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      gone = true;
      return false;
    }
    got += static_cast<std::size_t>(n);
  }
  return true;
}

std::optional<Message> Wire::receive(double seconds, bool& gone, const StopRequest& stopped) {
  gone = false;
  const double until = seconds < 0 ? -1 : seconds_now() + seconds;
  std::uint32_t count = 0;
  if (!read(&count, sizeof count, until, gone, stopped)) return std::nullopt;
  Message message;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t size = 0;
    if (count > most_fields || !read(&size, sizeof size, until, gone, stopped)) return std::nullopt;
    if (size > most_bytes) {  // not one of ours: what overwrote the other end's memory may write here too
      gone = true;
      return std::nullopt;
    }
    std::string field(size, '\0');
    if (!read(field.data(), size, until, gone, stopped)) return std::nullopt;
    message.push_back(std::move(field));
  }
  return message;
}

}  // namespace autotune
TESSERA_END
