// Owns what a user says of a call without making one: extents by name, and what code may take as known from them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "jit/specialisation.hpp"
#include "tessera/call/config.hpp"
#include "tessera/ir/program.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

using NamedValues = std::vector<std::pair<std::string, std::int64_t>>;

/// Reads "M=512,N=1000". `option` names the option in messages. Throws UserError.
NamedValues read_values(const std::string& option, const std::vector<std::string>& texts, std::int64_t least);

/// The names of a program's extents, in order of appearance: M, K, N.
std::vector<std::string> extent_names(const ir::Program& program);

/// What is known when the extents in `shape` are: those, what follows from them, and the strides of row-major arrays as
/// far as they follow. An extent that `shape` leaves out stays a run-time value. Throws UserError for a name that the
/// kernel lacks and for arrays too large.
jit::Specialisation known_shape(const ir::Program& program, const NamedValues& shape);

/// Values of tunables as a Config; checked against the program. Throws UserError.
Config with_tunables(const ir::Program& program, const NamedValues& values);

}  // namespace cli
TESSERA_END
