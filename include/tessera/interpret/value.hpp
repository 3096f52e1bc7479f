// Owns the values of tiles while the interpreter runs: lanes over axes, their error bounds, and which lanes exist.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "tessera/interpret/number.hpp"
#include "tessera/ir/tile.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a <= 0 ? 0 : (a - 1) / b + 1; }

/// Where an axis stands at present. Lane l is at position begin + l, and exists when low ≤ begin + l < high, or, on a
/// joined axis, when `exists` says so.
struct AxisState {
  std::int64_t lanes = 0;
  std::int64_t begin = 0;
  std::int64_t low = std::numeric_limits<std::int64_t>::min();
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
  std::int64_t number = 0;           ///< of the block among its like
  std::vector<std::uint8_t> exists;  ///< empty: by the positions
  bool all = true;                   ///< every lane exists

  bool has(std::int64_t lane) const {
    if (all) return true;
    return exists.empty() ? begin + lane >= low && begin + lane < high : exists[static_cast<std::size_t>(lane)] != 0;
  }
  /// The lane at a position, or −1 where none exists there.
  std::int64_t lane_at(std::int64_t position) const {
    if (position < begin || static_cast<Word>(position) - static_cast<Word>(begin) >= static_cast<Word>(lanes))
      return -1;
    return has(position - begin) ? position - begin : -1;
  }
  /// Sets `all` by the positions.
  void settle() {
    exists.clear();
    all = lanes == 0 || (begin >= low && begin + lanes <= high);
  }
};

inline constexpr int most_axes = 2 * ir::max_rank;

/// A list of axes with their present numbers of lanes.
struct Shape {
  int rank = 0;
  std::uint8_t axes[most_axes] = {};
  std::int64_t lanes[most_axes] = {};

  void add(int axis, std::int64_t n) {
    axes[rank] = static_cast<std::uint8_t>(axis);
    lanes[rank++] = n;
  }
  int find(int axis) const {
    for (int i = 0; i < rank; ++i)
      if (axes[i] == axis) return i;
    return -1;
  }
  std::int64_t count() const {
    std::int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= lanes[i];
    return n;
  }
  bool operator==(const Shape& o) const {
    return rank == o.rank && std::equal(axes, axes + rank, o.axes) && std::equal(lanes, lanes + rank, o.lanes);
  }
};

/// A tile's value: words in the order of its axes, the last one fastest.
struct Value {
  DType type = DType::i64;
  Shape shape;
  std::vector<Word> words;
  std::vector<double> error;       ///< bound of each lane's error; empty: exact
  std::vector<std::uint8_t> gone;  ///< lanes that do not exist although their axes' lanes do; empty: none
  std::int32_t pad = -1;           ///< the node whose value `at` reads outside, −1: none

  void reset(DType t, const Shape& s) {
    type = t;
    shape = s;
    words.resize(static_cast<std::size_t>(s.count()));
    error.clear();
    gone.clear();
    pad = -1;
  }
  std::size_t size() const { return words.size(); }
  double error_at(std::size_t i) const { return error.empty() ? 0.0 : error[i]; }
};

/// Copies what has shape `from` into what has shape `to`, by axes: broadcasts over axes that `from` lacks.
/// Axes of `from` that `to` lacks stay at their first lane.
template <class T>
void spread(const T* source, const Shape& from, T* target, const Shape& to) {
  std::int64_t stride_of[most_axes] = {}, step[most_axes] = {}, at[most_axes] = {};
  std::int64_t stride = 1;
  for (int i = from.rank - 1; i >= 0; --i) {
    stride_of[i] = from.lanes[i] == 1 ? 0 : stride;
    stride *= from.lanes[i];
  }
  for (int i = 0; i < to.rank; ++i) {
    const int k = from.find(to.axes[i]);
    step[i] = k < 0 ? 0 : stride_of[k];
  }
  if (to.count() == 0) return;
  if (to.rank == 0) {
    *target = *source;
    return;
  }
  const int last = to.rank - 1;
  const std::int64_t run = to.lanes[last], by = step[last];
  std::int64_t offset = 0;
  for (;;) {
    const T* s = source + offset;
    if (by == 0)
      std::fill(target, target + run, *s);
    else if (by == 1)
      std::copy(s, s + run, target);
    else
      for (std::int64_t i = 0; i < run; ++i) target[i] = s[i * by];
    target += run;
    int d = last - 1;
    for (; d >= 0; --d) {
      offset += step[d];
      if (++at[d] < to.lanes[d]) break;
      offset -= step[d] * to.lanes[d];
      at[d] = 0;
    }
    if (d < 0) return;
  }
}

/// One operand as a function of the lanes of another shape: where its words lie, after spreading if needed.
struct Lanes {
  const Word* words = nullptr;
  const double* error = nullptr;  ///< null: exact
  const std::uint8_t* gone = nullptr;
  std::size_t step = 1;  ///< 0: one lane for all
  std::vector<Word> own_words;
  std::vector<double> own_error;
  std::vector<std::uint8_t> own_gone;

  Word word(std::size_t i) const { return words[i * step]; }
  double error_at(std::size_t i) const { return error ? error[i * step] : 0.0; }
  bool gone_at(std::size_t i) const { return gone && gone[i * step] != 0; }

  void bind(const Value& v, const Shape& to) {
    step = v.size() == 1 ? 0 : 1;
    words = v.words.data();
    error = v.error.empty() ? nullptr : v.error.data();
    gone = v.gone.empty() ? nullptr : v.gone.data();
    if (step == 0 || v.shape == to) return;
    const auto copy = [&](const auto& from, auto& own) {
      own.resize(static_cast<std::size_t>(to.count()));
      spread(from.data(), v.shape, own.data(), to);
      return own.data();
    };
    words = copy(v.words, own_words);
    if (error) error = copy(v.error, own_error);
    if (gone) gone = copy(v.gone, own_gone);
  }
  /// Converts the words to another type, in place of what they were.
  void convert(DType from, DType to, std::size_t count) {
    if (from == to) return;
    const std::size_t n = step == 0 ? 1 : count;
    std::vector<Word> converted(n);
    for (std::size_t i = 0; i < n; ++i) converted[i] = canonical(to, convert_bits(from, to, words[i]));
    own_words.swap(converted);
    words = own_words.data();
  }
};

}  // namespace interpreter
TESSERA_END
