// Owns the laying out of tables.
#include "autotune/cli/table.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

TESSERA_BEGIN
namespace cli {
namespace {

/// Characters of UTF-8 text.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::vector<std::string> Table::lines(const std::string& indent) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths.resize(std::max(widths.size(), i + 1));
      widths[i] = std::max(widths[i], width(row[i]));
    }
  std::vector<std::string> lines;
  for (const auto& row : rows_) {
    std::string& line = lines.emplace_back(indent);
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
  }
  return lines;
}

std::string seconds_text(double seconds) {
  char text[32];
  const double size = seconds < 0 ? -seconds : seconds;
  if (size < 999.5e-9)
    std::snprintf(text, sizeof text, "%.0f ns", seconds * 1e9);
  else if (size < 999.5e-6)
    std::snprintf(text, sizeof text, "%.3g µs", seconds * 1e6);
  else if (size < 0.9995)
    std::snprintf(text, sizeof text, "%.3g ms", seconds * 1e3);
  else
    std::snprintf(text, sizeof text, "%.3g s", seconds);
  return text;
}

std::string moment_text(std::int64_t when) {
  const std::time_t time = when;
  std::tm parts{};
  char text[32];
  if (!gmtime_r(&time, &parts) || std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts) == 0) return "?";
  return text;
}

}  // namespace cli
TESSERA_END
