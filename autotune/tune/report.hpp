// Owns the page that shows a tuning: one file of HTML that needs nothing else.
#pragma once

#include <string>
#include <vector>

#include "autotune/tune/space.hpp"
#include "tessera/tune.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// What the page shows besides the result.
struct ReportFacts {
  std::string kernel, shape, device;
  std::vector<double> operations, bytes;  ///< of each trial, by the target's count; 0 where unknown
  jit::Roof roof;
};

/// Configurations against time, the roofline, a table of all that was tried, and what was pruned, by reason.
std::string report_page(const TuneResult& result, const ReportFacts& facts);

/// Throws UserError where no file can be made at `path`: before an hour of tuning, not after it.
void check_page(const std::string& path);

/// Writes a text into a file, whole or not at all. Throws UserError.
void write_page(const std::string& path, const std::string& page);

}  // namespace autotune
TESSERA_END
