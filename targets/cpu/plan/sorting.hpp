// Owns sorting of items in scratch memory: networks over registers, in-register blocks, and merges, as Loop IR.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "jit/loop/builder.hpp"

TESSERA_BEGIN
namespace cpu {

/// The comparators of Batcher's odd-even merge sort of n items: each puts the first of the two first.
std::vector<std::pair<int, int>> sorting_network(int n);

/// Writes the code that sorts items. An item is a key, and perhaps a second component that breaks ties, ascending;
/// float keys are never NaN (zeros of both signs are equal, and both are kept). O(n log n) comparisons in merges of
/// whole vectors, whatever the order of the input.
class Sorting {
 public:
  using Value = loop::Value;
  using Item = std::vector<Value>;  ///< its components: scalars, or vectors of items

  /// Items of components `elems` (16 bits or wider), key first, in vectors of `lanes` (a power of two, 2 to 16);
  /// runs are merged in pieces of `cache_bytes` as long as they fit there.
  Sorting(loop::Builder& b, std::vector<DType> elems, bool descending, int lanes, std::int64_t cache_bytes);

  /// Scratch is sorted in multiples of this; it is a power of two.
  std::int64_t block() const { return static_cast<std::int64_t>(rows_) * lanes_; }
  int lanes() const { return lanes_; }

  /// Whether x stands before y, strictly.
  Value before(const Item& x, const Item& y);
  /// Puts the one that stands before into x and the other into y.
  void exchange(Item& x, Item& y);
  /// Sorts items among each other, lane by lane.
  void columns(std::vector<Item>& items);

  /// Sorts `count` items, a multiple of block(), which lie in `buffers` (one a component) from element `from`. As many
  /// elements from `other` on, and one vector beyond each, are scratch. Gives the element from which the result lies:
  /// `from` or `other`.
  Value sort(std::span<const int> buffers, Value from, Value other, Value count);

 private:
  Item load(std::span<const int> buffers, Value at, int lanes);
  void store(std::span<const int> buffers, Value at, const Item& x);
  Item shuffle(const Item& x, const Item& y, const std::vector<int>& lanes);
  Item select(Value mask, const Item& x, const Item& y);
  void exchange_lanes(Item& x, int distance);
  void clean(std::span<Item> items);
  void merge(std::span<Item> low, std::span<Item> high);
  void sort_block(std::span<const int> buffers, Value at);
  void merge_runs(std::span<const int> buffers, Value first, Value middle, Value end, Value to);

  loop::Builder& b_;
  std::vector<DType> elems_;
  bool descending_, native_;
  int lanes_, rows_;
  std::int64_t piece_;  ///< items whose two copies fit into the cache; a power of two
};

}  // namespace cpu
TESSERA_END
