// Owns the layout of rows of text in columns, and the wording of times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

/// Rows of cells, written with every column as wide as its widest cell; the last one is not filled up.
class Table {
 public:
  explicit Table(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.size() == 1; }
  /// Lines, each after `indent`.
  std::vector<std::string> lines(const std::string& indent = "  ") const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// "1.24 ms", "830 µs".
std::string seconds_text(double seconds);

/// A moment, in seconds since 1970, as "2026-11-21 14:40", in UTC.
std::string moment_text(std::int64_t when);

}  // namespace cli
TESSERA_END
