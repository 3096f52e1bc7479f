// Owns dumps: TESSERA_DUMP=dir writes every stage of every compilation there, as texts and as one page to step through.
#pragma once

#include <span>
#include <string>

#include "jit/target.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// The folder of TESSERA_DUMP, or empty.
const std::string& dump_folder();

/// Writes `stages` into a new folder `folder`/<number>-<kernel>: one text file a stage, and index.html, which shows any
/// two of them side by side and needs nothing else. `title` heads the page. Gives the new folder's path; where it
/// cannot be written, nothing, and logs why: a dump never makes a call fail.
std::string write_dump(const std::string& folder, const std::string& kernel, const std::string& title,
                       std::span<const Stage> stages) noexcept;

}  // namespace jit
TESSERA_END
