// Owns the reading of durations and of lists of numbers.
#include "autotune/cli/units.hpp"

#include <charconv>
#include <cmath>

#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cli {

double read_duration(const std::string& option, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  const double scale = unit.empty() || unit == "s" ? 1
                       : unit == "ms"              ? 1e-3
                       : unit == "m"               ? 60
                       : unit == "h"               ? 3600
                                                   : 0;
  if (error != std::errc() || scale == 0 || !std::isfinite(value) || value <= 0 || value * scale > 1e7)
    throw UserError(option + ": \"" + text + "\" is no duration\n  hint: as in 60s, 5m or 1h");
  return value * scale;
}

std::vector<std::pair<std::string, std::string>> read_pairs(const std::string& option,
                                                            const std::vector<std::string>& texts,
                                                            const std::string& example) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : texts)
    for (std::size_t from = 0; from <= text.size();) {
      const std::size_t to = std::min(text.find(',', from), text.size());
      const std::string one = text.substr(from, to - from);
      from = to + 1;
      const auto equals = one.find('=');
      if (equals == 0 || equals == std::string::npos)
        throw UserError(option + ": \"" + one + "\" is not NAME=NUMBER\n  hint: as in " + option + " " + example);
      pairs.emplace_back(one.substr(0, equals), one.substr(equals + 1));
    }
  return pairs;
}

std::map<std::string, double> read_numbers(const std::string& option, const std::vector<std::string>& texts) {
  std::map<std::string, double> values;
  for (const auto& [name, text] : read_pairs(option, texts, "eps=1e-5")) {
    double value = 0;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (error != std::errc() || end != last)
      throw UserError(option + ": " + name + " is \"" + text + "\", which is no number");
    if (!values.emplace(name, value).second) throw UserError(option + ": " + name + " is given twice");
  }
  return values;
}

}  // namespace cli
TESSERA_END
