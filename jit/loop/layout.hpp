// Owns the arithmetic of layouts: which coordinate of a tile stands in which register of which lane, warp and element.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "jit/loop/ir.hpp"

TESSERA_BEGIN
namespace loop {

inline constexpr int place_count = 5;
inline constexpr std::string_view place_names[] = {"registers", "lane", "warp", "element_x", "element_y"};

/// A position in the machine, one number a Place, in the order of Place.
using Position = std::array<std::int64_t, place_count>;

/// A coordinate of a tile; tiles have at most four dimensions.
using Coordinate = std::array<std::int64_t, 4>;

/// How many positions of `place` the layout uses: the product of its factors there.
std::int64_t extent(const Layout& layout, Place place);

/// The coordinate that stands at `at`. A position beyond the layout's extent of a place wraps, as copies do.
Coordinate coordinate(const Layout& layout, const Position& at);

/// Whether two positions hold one coordinate: some factor has stride 0.
bool replicates(const Layout& layout);

/// What is wrong with the layout, or empty: dimensions and factors are positive and every coordinate of the shape
/// stands somewhere, within the shape, and exactly once but for factors of stride 0.
std::string check_layout(const Layout& layout);

}  // namespace loop
TESSERA_END
