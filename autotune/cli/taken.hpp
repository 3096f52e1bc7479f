// Owns the account of what import and merge did: what was taken, what stayed, and why.
#pragma once

#include <string>

#include "autotune/cli/caches.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

/// What came from one place.
struct Taken {
  jit::StoreTotals added, kept;  ///< objects
  autotune::MergeReport tuned;
  bool any_objects = false, any_tuned = false;
};

/// Takes the entries of a file that export wrote, or of a database of tuned configurations. Throws UserError for a file
/// that is neither, DeviceError where it cannot be read or the cache not written.
Taken take_file(Caches& caches, const std::string& file);

/// Takes all entries of another cache's folder. Throws as take_file does.
Taken take_folder(Caches& caches, const std::string& folder);

/// Says what was done, a line a store and one for each decision; 1 where something was refused.
int tell(const std::string& from, const Taken& taken, Output& out, Json& list);

}  // namespace cli
TESSERA_END
