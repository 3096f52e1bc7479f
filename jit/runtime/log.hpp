// Owns logging: silent by default, TESSERA_LOG=error|warn|info|debug|trace writes to standard error.
#pragma once

#include <string_view>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

enum class LogLevel { trace, debug, info, warn, error };

/// Whether messages of this level are written; ask before making an expensive text.
bool logs(LogLevel level) noexcept;

/// Writes one line. Never throws.
void log(LogLevel level, std::string_view text) noexcept;

/// What a user would want to know once, whatever TESSERA_LOG says: on standard error, each text once a process.
void say_once(std::string_view text) noexcept;

}  // namespace jit
TESSERA_END
