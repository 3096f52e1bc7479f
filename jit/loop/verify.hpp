// Owns the verifier of Loop IR: what every pass may rely on.
#pragma once

#include <string>
#include <vector>

#include "jit/loop/ir.hpp"

TESSERA_BEGIN
namespace loop {

/// What is wrong with a program, one sentence each with the function and the instruction, at most `limit`; empty when
/// it is well formed: every value is defined once and before its uses (through regions), types agree with the op table,
/// buffers, channels, layouts, functions and mma shapes exist and fit the machine, regions yield what their owner
/// returns, memories do not exceed the machine's, channels have both sides. Never crashes on any data.
std::vector<std::string> verify(const Program& program, std::size_t limit = 8);

}  // namespace loop
TESSERA_END
