// Owns the reading of numbers with units.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

/// Seconds of "60", "60s", "5m", "1.5h", "200ms". Throws UserError, naming `option`.
double read_duration(const std::string& option, const std::string& text);

/// "M=512,N=1000" as names and texts, in that order. Throws UserError, with `example` in its hint.
std::vector<std::pair<std::string, std::string>> read_pairs(const std::string& option,
                                                            const std::vector<std::string>& texts,
                                                            const std::string& example);

/// "a=1.5,eps=1e-5" as numbers by name. Throws UserError.
std::map<std::string, double> read_numbers(const std::string& option, const std::vector<std::string>& texts);

}  // namespace cli
TESSERA_END
