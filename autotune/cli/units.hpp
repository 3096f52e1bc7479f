// Owns the reading of numbers with units.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

/// Seconds of "60", "60s", "5m", "1.5h", "200ms". Throws UserError, naming `option`.
double read_duration(const std::string& option, const std::string& text);

/// "a=1.5,eps=1e-5" as numbers by name. Throws UserError.
std::map<std::string, double> read_numbers(const std::string& option, const std::vector<std::string>& texts);

}  // namespace cli
TESSERA_END
