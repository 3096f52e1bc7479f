// Owns trials in a child process: what foreign code says, or that it crashed or hung, without harm to this process.
#pragma once

#include <functional>
#include <string>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

/// How a trial ended.
struct Trial {
  bool finished = false;
  std::string text;  ///< what the function gave; where it did not finish, how it ended, in words
};

/// Runs `function` in a child process whose standard streams lead nowhere, and waits at most `seconds` for it. This
/// process must have one thread.
Trial try_in_child(const std::function<std::string()>& function, int seconds);

}  // namespace cli
TESSERA_END
