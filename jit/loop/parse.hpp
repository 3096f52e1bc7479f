// Owns the reader of Loop IR's text form.
#pragma once

#include <string>
#include <string_view>

#include "jit/loop/ir.hpp"

TESSERA_BEGIN
namespace loop {

/// What `parse` found: the program, or where and why the text is none.
struct Parsed {
  bool ok = false;
  Program program;    ///< whole when `ok`, otherwise what was read so far
  std::string error;  ///< "line:column: what is wrong", empty when `ok`
  int line = 0, column = 0;
};

/// Reads the text form (grammar: docs/loop_ir.md). Values are named `%name`; a name that is a number is the value's
/// index, others take the free indices in the order of their definitions. Never throws on any text, of any length. What
/// the text cannot say is right by construction (names exist, values are defined before use); `verify` checks the rest.
Parsed parse(std::string_view text);

}  // namespace loop
TESSERA_END
