// Owns docs/conformance.md: what it says, and whether one that is there still fits.
#pragma once

#include <string>
#include <vector>

#include "tests/conformance/run.hpp"

namespace conformance {

/// A recipe with its results by element type.
struct Row {
  const Recipe* recipe;
  std::vector<Result> results;  ///< in the order of DType
};

/// "add", "sum, down columns".
std::string label(const Recipe& recipe);

/// Why elements go one by one, or a loop is scalar, where no vector form exists; empty where one does.
std::string no_vector_form(const Recipe& recipe, const std::string& features);

/// The first gap of a result, in words; empty where there is none.
std::string gap(const Recipe& recipe, const Result& result);

/// The whole page.
std::string page(const std::vector<Row>& rows, const std::vector<Row>& casts);

/// What a page lacks or has too much, one line each: rows, and the types of each row.
std::string stale(const std::string& page, const std::vector<Row>& rows);

}  // namespace conformance
