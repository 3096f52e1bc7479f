// Owns the data of the example: the handwritten digits of data/digits.csv.gz.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace digits {

inline constexpr int side = 8;  ///< an image is side × side pixels
inline constexpr int pixels = side * side;
inline constexpr float darkest = 16;  ///< pixels are whole numbers from 0 (paper) to 16 (ink)

/// Images in rows of `pixels`, and the digit that each one's writer meant.
struct Images {
  std::vector<float> ink;
  std::vector<std::int32_t> label;

  std::size_t count() const { return label.size(); }
  std::span<const float> image(std::size_t i) const { return std::span(ink).subspan(i * pixels, pixels); }
};

/// Those to learn from and those to read.
struct Split {
  Images known, unread;
};

/// Reads a gzip-compressed file of comma-separated rows: 64 pixels and the label. Throws std::runtime_error, with the
/// file's name and the line, where the file is absent, damaged, or has anything else in it.
Images load(const std::string& file);

/// The first `known` images are known, the others are to be read.
Split split(const Images& images, std::size_t known);

}  // namespace digits
