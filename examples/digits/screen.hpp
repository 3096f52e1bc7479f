// Owns what the terminal shows: emphasis where it is a terminal, and images in shades.
#pragma once

#include <string>

#include "read.hpp"

namespace digits {

/// Text for standard output: plain where that is not a terminal, or where NO_COLOR is set.
std::string strong(const std::string& text);
std::string faint(const std::string& text);

/// Images that were misread, each beside the known image that it is nearest to, with what they are: the first `most`.
std::string draw_misread(const Split& split, const Reading& reading, std::size_t most);

}  // namespace digits
