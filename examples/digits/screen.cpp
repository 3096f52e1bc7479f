// Owns drawing in the terminal.
#include "screen.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <span>

namespace digits {
namespace {

constexpr std::size_t picture_columns = 2 * side, gap = 3, pairs_in_a_row = 2;

std::string emphasised(const char* code, const std::string& text) {
  static const bool terminal = isatty(STDOUT_FILENO) && std::getenv("NO_COLOR") == nullptr;
  return terminal ? std::string("\x1b[") + code + "m" + text + "\x1b[0m" : text;
}

// A line of an image: two columns a pixel, which is about square.
std::string shades(std::span<const float> image, int y) {
  static constexpr const char* shade[] = {"  ", "░░", "▒▒", "▓▓", "██"};
  std::string line;
  for (int x = 0; x < side; ++x) {
    const float ink = image[static_cast<std::size_t>(y * side + x)];
    line += shade[static_cast<std::size_t>(ink / darkest * (std::size(shade) - 1) + 0.5f)];
  }
  return line;
}

std::string padded(std::string text, std::size_t columns) {
  text.resize(std::max(text.size(), columns), ' ');
  return text;
}

// An image that was misread beside its nearest known one, line by line; all lines have equal width on the screen.
std::vector<std::string> pair_of_pictures(const Split& split, const Reading& reading, std::size_t i) {
  const auto known = [&](std::size_t c) { return static_cast<std::size_t>(reading.nearest[i * voters + c]); };
  std::string neighbours;
  for (std::size_t c = 0; c < voters; ++c)
    neighbours += (c == 0 ? "near " : ", ") + std::to_string(split.known.label[known(c)]);
  const std::string title =
      "a " + std::to_string(split.unread.label[i]) + ", read as " + std::to_string(reading.digit[i]);
  std::vector<std::string> lines{strong(padded(title, picture_columns)) + std::string(gap, ' ') +
                                 faint(padded(neighbours, picture_columns))};
  for (int y = 0; y < side; ++y)
    lines.push_back(shades(split.unread.image(i), y) + std::string(gap, ' ') +
                    faint(shades(split.known.image(known(0)), y)));
  return lines;
}

}  // namespace

std::string strong(const std::string& text) { return emphasised("1", text); }
std::string faint(const std::string& text) { return emphasised("2", text); }

std::string draw_misread(const Split& split, const Reading& reading, std::size_t most) {
  std::vector<std::vector<std::string>> pairs;
  for (std::size_t i = 0; i < reading.digit.size() && pairs.size() < most; ++i)
    if (reading.digit[i] != split.unread.label[i]) pairs.push_back(pair_of_pictures(split, reading, i));
  std::string screen;
  for (std::size_t first = 0; first < pairs.size(); first += pairs_in_a_row) {
    for (std::size_t y = 0; y < pairs[first].size(); ++y) {
      std::string line = "  ";
      for (std::size_t i = first; i < std::min(first + pairs_in_a_row, pairs.size()); ++i)
        line += (i == first ? "" : std::string(2 * gap, ' ')) + pairs[i][y];
      screen += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    screen += "\n";
  }
  return screen;
}

}  // namespace digits
