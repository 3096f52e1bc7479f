// Owns the text form of Loop IR: docs/loop_ir.md has its grammar, parse.hpp reads it back.
#pragma once

#include <string>

#include "jit/loop/ir.hpp"

TESSERA_BEGIN
namespace loop {

/// The program as text. Of a program that `verify` accepts, `parse` gives the same program back, value numbers
/// included. A program that is not well formed prints too: what is out of range appears as `?`.
std::string print(const Program& program);

/// One instruction, its regions left out, as messages show it.
std::string print(const Program& program, const Function& function, const Inst& inst);

/// A type as the text form writes it, such as `f32<16>` or `f32@c_tile`.
std::string print(const Program& program, const Type& type);

}  // namespace loop
TESSERA_END
