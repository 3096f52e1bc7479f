// Owns the exit codes of `tessera`: scripts rely on them, so none ever changes its meaning.
#pragma once

#include "tessera/call/errors.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

enum ExitCode : int {
  exit_done = 0,           ///< done, and nothing is wrong
  exit_finding = 1,        ///< done, and what was looked for is wrong, missing or refused: the output says what
  exit_usage = 2,          ///< the command line, or what it names, is wrong
  exit_machine = 3,        ///< a device, a compiler, a disk or memory is missing or failed
  exit_internal = 4,       ///< Tessera contradicts itself: please report it
  exit_interrupted = 130,  ///< ended by the user (Ctrl-C), as shells count it
};

inline int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::none:
      return exit_done;
    case ErrorKind::user:
      return exit_usage;
    case ErrorKind::device:
      return exit_machine;
    case ErrorKind::internal:
      return exit_internal;
  }
  return exit_internal;
}

}  // namespace cli
TESSERA_END
