// Owns text inside HTML pages: those of dumps and of tuning reports.
#pragma once

#include <string>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// The text as it stands in an element or in a quoted attribute.
inline std::string escaped(const std::string& text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

}  // namespace jit
TESSERA_END
