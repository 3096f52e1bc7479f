// Owns the logger: the only file that sees spdlog, whose headers are slow to compile.
#include "jit/runtime/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

TESSERA_BEGIN
namespace jit {
namespace {

spdlog::logger& logger() {
  static auto* made = [] {
    auto* l = new spdlog::logger("tessera", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    l->set_pattern("[%n %L %t +%o ms] %v");
    const char* level = std::getenv("TESSERA_LOG");
    l->set_level(level && *level ? spdlog::level::from_str(std::strcmp(level, "error") == 0 ? "err" : level)
                                 : spdlog::level::off);
    l->flush_on(spdlog::level::trace);
    return l;
  }();
  return *made;
}

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

bool logs(LogLevel level) noexcept {
  try {
    return logger().should_log(level_of(level));
  } catch (...) {
    return false;
  }
}

void log(LogLevel level, std::string_view text) noexcept {
  try {
    logger().log(level_of(level), spdlog::string_view_t(text.data(), text.size()));
  } catch (...) {
  }
}

void say_once(std::string_view text) noexcept {
  try {
    static std::mutex mutex;
    static auto* said = new std::set<std::string, std::less<>>;
    const std::lock_guard lock(mutex);
    if (said->find(text) != said->end()) return;
    const std::string& line = *said->emplace(text).first;
    if (logs(LogLevel::warn))
      log(LogLevel::warn, line);
    else
      std::fprintf(stderr, "tessera: %s\n", line.c_str());
  } catch (...) {
  }
}

}  // namespace jit
TESSERA_END
