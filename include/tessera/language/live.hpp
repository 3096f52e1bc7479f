// Owns what happens when a value of a recording is used after it: at run time only, since constant evaluation sees it.
#pragma once

#include <string_view>

#include "tessera/call/errors.hpp"
#include "tessera/language/operand.hpp"

TESSERA_BEGIN
namespace detail {

[[noreturn, gnu::cold]] inline void raise_user_error(std::string_view message) {
  Status(ErrorKind::user, message).raise();
  __builtin_abort();  // not reached: raise() throws
}
[[noreturn]] inline void stale_value() {
  raise_user_error("a value of a recording that is over is used: tiles, blocks and Vars end with their kernel");
}

}  // namespace detail
TESSERA_END
