// Owns reading the digits: decompression by zlib, and the comma-separated numbers.
#include "data.hpp"

#include <zlib.h>

#include <charconv>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace digits {
namespace {

std::string decompress(const std::string& file) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(gzopen(file.c_str(), "rb"), gzclose);
  if (!in) throw std::runtime_error(file + ": cannot be opened");
  std::string text;
  char part[1 << 16];
  int got = 0;
  while ((got = gzread(in.get(), part, sizeof part)) > 0) text.append(part, static_cast<std::size_t>(got));
  // A file that was cut off reads as a shorter one; only the state of the stream tells.
  int state = Z_OK;
  const char* why = gzerror(in.get(), &state);
  if (got < 0 || state != Z_OK) throw std::runtime_error(file + ": " + why);
  return text;
}

}  // namespace

Images load(const std::string& file) {
  const std::string text = decompress(file);
  Images images;
  std::size_t line = 0;
  for (std::string_view rest = text; !rest.empty();) {
    ++line;
    std::string_view row = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), row.size() + 1));
    if (row.ends_with('\r')) row.remove_suffix(1);
    for (int column = 0; column <= pixels; ++column) {
      int value = -1;
      const auto [end, error] = std::from_chars(row.data(), row.data() + row.size(), value);
      row.remove_prefix(static_cast<std::size_t>(end - row.data()));
      const bool last = column == pixels;
      if (error != std::errc{} || value < 0 || value > (last ? 9 : static_cast<int>(darkest)) ||
          (last ? !row.empty() : !row.starts_with(',')))
        throw std::runtime_error(file + ": line " + std::to_string(line) +
                                 " is not 64 pixels from 0 to 16 and a digit");
      if (last)
        images.label.push_back(value);
      else
        images.ink.push_back(static_cast<float>(value)), row.remove_prefix(1);
    }
  }
  return images;
}

Split split(const Images& images, std::size_t known) {
  if (known > images.count())
    throw std::runtime_error("digits: there are only " + std::to_string(images.count()) + " images");
  const auto ink = images.ink.begin() + static_cast<std::ptrdiff_t>(known * pixels);
  const auto label = images.label.begin() + static_cast<std::ptrdiff_t>(known);
  return {{{images.ink.begin(), ink}, {images.label.begin(), label}},
          {{ink, images.ink.end()}, {label, images.label.end()}}};
}

}  // namespace digits
