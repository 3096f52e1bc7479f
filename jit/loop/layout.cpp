// Owns the evaluation and the check of layouts.
#include "jit/loop/layout.hpp"

#include <algorithm>

TESSERA_BEGIN
namespace loop {

std::int64_t extent(const Layout& layout, Place place) {
  std::int64_t n = 1;
  for (const Factor& f : layout.factors)
    if (f.place == place) n *= std::max(f.size, 1);
  return n;
}

Coordinate coordinate(const Layout& layout, const Position& at) {
  Coordinate c{};
  Position left = at;
  for (const Factor& f : layout.factors) {
    std::int64_t& rest = left[static_cast<std::size_t>(f.place)];
    const std::int64_t size = std::max(f.size, 1);
    if (f.dim < c.size()) c[f.dim] += rest % size * f.stride;
    rest /= size;
  }
  return c;
}

bool replicates(const Layout& layout) {
  return std::any_of(layout.factors.begin(), layout.factors.end(),
                     [](const Factor& f) { return f.stride == 0 && f.size > 1; });
}

std::string check_layout(const Layout& layout) {
  const std::size_t rank = layout.shape.size();
  if (rank < 1 || rank > 4) return "a tile has one to four dimensions";
  std::int64_t cells = 1, positions = 1, places = 1;
  for (std::int32_t n : layout.shape) {
    if (n < 1) return "its shape is not positive";
    cells *= n;
    if (cells > 1 << 24) return "its shape is too large";
  }
  for (const Factor& f : layout.factors) {
    if (f.dim >= rank) return "a factor names dimension " + std::to_string(f.dim) + " of " + std::to_string(rank);
    if (f.size < 1 || f.stride < 0) return "a factor's size is not positive, or its stride is negative";
    if (static_cast<int>(f.place) >= place_count) return "a factor names no place";
    places *= f.size;
    if (places > 1 << 24) return "its factors hold too many elements";
    if (f.stride == 0) continue;
    positions *= f.size;
    if (positions > cells) return "its factors hold more elements than its shape";
  }
  if (positions != cells)
    return "its factors hold " + std::to_string(positions) + " elements, its shape has " + std::to_string(cells);
  // Every coordinate once: a dimension's factors must make a mixed-radix number of its extent.
  for (std::size_t d = 0; d < rank; ++d) {
    std::vector<Factor> mine;
    for (const Factor& f : layout.factors)
      if (f.dim == d && f.stride != 0 && f.size > 1) mine.push_back(f);
    std::sort(mine.begin(), mine.end(), [](const Factor& a, const Factor& b) { return a.stride < b.stride; });
    std::int64_t next = 1;
    for (const Factor& f : mine) {
      if (f.stride != next) return "its factors leave out or repeat coordinates of dimension " + std::to_string(d);
      next *= f.size;
    }
    if (next != layout.shape[d]) return "its factors do not span dimension " + std::to_string(d);
  }
  return {};
}

}  // namespace loop
TESSERA_END
