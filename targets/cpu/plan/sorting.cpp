// Owns the code of sorting: bitonic merges of vectors (Chhugani et al., VLDB 2008) over blocks sorted in registers.
#include "targets/cpu/plan/sorting.hpp"

#include <algorithm>

TESSERA_BEGIN
namespace cpu {

using L = loop::Op;

namespace {
constexpr int merged = 2;  ///< vectors that a merge reads and writes at a time
}  // namespace

std::vector<std::pair<int, int>> sorting_network(int n) {
  std::vector<std::pair<int, int>> pairs;
  for (int p = 1; p < n; p *= 2)
    for (int k = p; k >= 1; k /= 2)
      for (int j = k % p; j + k < n; j += 2 * k)
        for (int i = j; i < std::min(j + k, n - k); ++i)
          if (i / (2 * p) == (i + k) / (2 * p)) pairs.push_back({i, i + k});
  return pairs;
}

Sorting::Sorting(loop::Builder& b, std::vector<DType> elems, bool descending, int lanes, std::int64_t cache_bytes)
    : b_(b), elems_(std::move(elems)), descending_(descending), lanes_(lanes), rows_(std::max(lanes, 8)) {
  const auto& key = info(elems_[0]);
  native_ = elems_.size() == 1 && (key.is_floating() || key.bits <= 32);
  std::int64_t bytes = 0;
  for (DType t : elems_) bytes += info(t).bits / 8;
  piece_ = block();
  while (piece_ * 2 * bytes * 2 <= cache_bytes) piece_ *= 2;
}

loop::Value Sorting::before(const Item& x, const Item& y) {
  const Value first = b_.compare(descending_ ? L::gt : L::lt, x[0], y[0]);
  if (elems_.size() == 1) return first;
  const Value tie = b_.binary(L::bit_and, b_.compare(L::eq, x[0], y[0]), b_.compare(L::lt, x[1], y[1]));
  return b_.binary(L::bit_or, first, tie);
}

Sorting::Item Sorting::select(Value mask, const Item& x, const Item& y) {
  Item r;
  for (std::size_t c = 0; c < x.size(); ++c) r.push_back(b_.select(mask, x[c], y[c]));
  return r;
}

Sorting::Item Sorting::shuffle(const Item& x, const Item& y, const std::vector<int>& lanes) {
  Item r;
  for (std::size_t c = 0; c < x.size(); ++c) r.push_back(b_.shuffle(x[c], y[c], lanes));
  return r;
}

Sorting::Item Sorting::load(std::span<const int> buffers, Value at, int lanes) {
  Item r;
  for (std::size_t c = 0; c < elems_.size(); ++c)
    r.push_back(b_.load(buffers[c], at, {elems_[c], static_cast<std::uint16_t>(lanes), -1}));
  return r;
}

void Sorting::store(std::span<const int> buffers, Value at, const Item& x) {
  for (std::size_t c = 0; c < x.size(); ++c) b_.store(buffers[c], at, x[c]);
}

void Sorting::exchange(Item& x, Item& y) {
  if (!native_) {
    const Value swap = before(y, x);
    Item first = select(swap, y, x);
    y = select(swap, x, y);
    x = std::move(first);
    return;
  }
  // Of equals fast_min(x, y) is y and fast_max(y, x) is x: zeros of both signs change places, and none is lost.
  const bool floating = info(elems_[0]).is_floating();
  const L least = floating ? L::fast_min : L::min, most = floating ? L::fast_max : L::max;
  const Value first = b_.binary(descending_ ? most : least, x[0], y[0]);
  y[0] = b_.binary(descending_ ? least : most, y[0], x[0]);
  x[0] = first;
}

/// Exchanges lanes whose numbers differ in the bit `distance`.
void Sorting::exchange_lanes(Item& x, int distance) {
  std::vector<int> across, blend;
  for (int i = 0; i < lanes_; ++i) {
    across.push_back(i ^ distance);
    blend.push_back((i & distance) != 0 ? lanes_ + i : i);
  }
  const Item partner = shuffle(x, x, across);
  if (!native_) {
    const DType t = elems_[0] == DType::f64 ? DType::i64 : elems_[0] == DType::f32 ? DType::i32 : elems_[0];
    const loop::Type type{t, static_cast<std::uint16_t>(lanes_), -1};
    const Value high =
        b_.compare(L::ne, b_.binary(L::bit_and, b_.iota(t, lanes_), b_.constant(type, distance)), b_.constant(type, 0));
    x = select(b_.binary(L::bit_xor, before(partner, x), high), partner, x);
    return;
  }
  // Both of equals take their partner.
  const bool floating = info(elems_[0]).is_floating();
  const L least = floating ? L::fast_min : L::min, most = floating ? L::fast_max : L::max;
  x[0] = b_.shuffle(b_.binary(descending_ ? most : least, x[0], partner[0]),
                    b_.binary(descending_ ? least : most, x[0], partner[0]), blend);
}

void Sorting::columns(std::vector<Item>& items) {
  for (const auto& [i, j] : sorting_network(static_cast<int>(items.size())))
    exchange(items[static_cast<std::size_t>(i)], items[static_cast<std::size_t>(j)]);
}

/// Sorts what is bitonic over whole vectors.
void Sorting::clean(std::span<Item> items) {
  for (std::size_t d = items.size() / 2; d > 0; d /= 2)
    for (std::size_t i = 0; i < items.size(); ++i)
      if ((i & d) == 0) exchange(items[i], items[i + d]);
  for (int d = lanes_ / 2; d > 0; d /= 2)
    for (Item& x : items) exchange_lanes(x, d);
}

/// Merges two sorted runs in registers.
void Sorting::merge(std::span<Item> low, std::span<Item> high) {
  std::vector<int> back;
  for (int i = lanes_; i-- > 0;) back.push_back(i);
  std::vector<Item> reversed;
  for (std::size_t i = high.size(); i-- > 0;) reversed.push_back(shuffle(high[i], high[i], back));
  for (std::size_t i = 0; i < low.size(); ++i) {
    high[i] = reversed[i];
    exchange(low[i], high[i]);
  }
  clean(low);
  clean(high);
}

/// Sorts the columns of a block of rows_ vectors, turns them into consecutive runs, and merges those.
void Sorting::sort_block(std::span<const int> buffers, Value at) {
  const auto place = [&](int row) { return b_.add(at, b_.integer(static_cast<std::int64_t>(row) * lanes_)); };
  std::vector<Item> x;
  for (int r = 0; r < rows_; ++r) x.push_back(load(buffers, place(r), lanes_));
  columns(x);
  // Interleaving row i with row i + rows_/2 turns the bits of an item's place by one: rows become lanes.
  std::vector<int> low, high;
  for (int i = 0; i < lanes_; ++i) {
    const int from = i / 2 + (i % 2 != 0 ? lanes_ : 0);
    low.push_back(from), high.push_back(from + lanes_ / 2);
  }
  for (int turn = 1; turn < rows_; turn *= 2) {
    std::vector<Item> next;
    for (int r = 0; r < rows_ / 2; ++r) {
      const Item &a = x[static_cast<std::size_t>(r)], &c = x[static_cast<std::size_t>(r + rows_ / 2)];
      next.push_back(shuffle(a, c, low));
      next.push_back(shuffle(a, c, high));
    }
    x = std::move(next);
  }
  for (int run = rows_ / lanes_; run < rows_; run *= 2)
    for (int r = 0; r < rows_; r += 2 * run) {
      const std::span<Item> all(x);
      merge(all.subspan(static_cast<std::size_t>(r), static_cast<std::size_t>(run)),
            all.subspan(static_cast<std::size_t>(r + run), static_cast<std::size_t>(run)));
    }
  for (int r = 0; r < rows_; ++r) store(buffers, place(r), x[static_cast<std::size_t>(r)]);
}

/// Merges the runs [first, middle) and [middle, end), multiples of `merged` vectors, to `to`: the next vectors come
/// from the run whose first item stands before; what is left of them after a merge is at most what both runs begin
/// with.
void Sorting::merge_runs(std::span<const int> buffers, Value first, Value middle, Value end, Value to) {
  const std::int64_t step = static_cast<std::int64_t>(merged) * lanes_;
  const std::size_t parts = elems_.size();
  const auto read = [&](Value at) {
    std::vector<Item> x;
    for (int i = 0; i < merged; ++i)
      x.push_back(load(buffers, b_.add(at, b_.integer(static_cast<std::int64_t>(i) * lanes_)), lanes_));
    return x;
  };
  const auto write = [&](Value at, std::span<const Item> x) {
    for (int i = 0; i < merged; ++i)
      store(buffers, b_.add(at, b_.integer(static_cast<std::int64_t>(i) * lanes_)), x[static_cast<std::size_t>(i)]);
  };
  std::vector<Value> carried{b_.add(first, b_.integer(step)), middle};
  for (const Item& x : read(first)) carried.insert(carried.end(), x.begin(), x.end());
  const auto unpack = [&](std::span<const Value> c) {
    std::vector<Item> x;
    for (std::size_t i = 0; i < merged; ++i)
      x.emplace_back(c.begin() + static_cast<std::ptrdiff_t>(2 + i * parts),
                     c.begin() + static_cast<std::ptrdiff_t>(2 + (i + 1) * parts));
    return x;
  };
  const Value last = b_.sub(b_.add(to, b_.sub(end, first)), b_.integer(step));
  carried = b_.for_loop(to, last, b_.integer(step), carried, [&](Value at, std::span<const Value> c) {
    const Value a = c[0], d = c[1];
    const Value left = b_.compare(L::lt, a, middle), right = b_.compare(L::lt, d, end);
    const Value ahead = b_.logical_not(before(load(buffers, d, 1), load(buffers, a, 1)));
    const Value take = b_.binary(L::bit_or, b_.logical_not(right), b_.binary(L::bit_and, left, ahead));
    std::vector<Item> low = unpack(c), high = read(b_.select(take, a, d));
    const Value by = b_.integer(step), none = b_.integer(0);
    merge(low, high);
    write(at, low);
    std::vector<Value> next{b_.add(a, b_.select(take, by, none)), b_.add(d, b_.select(take, none, by))};
    for (const Item& x : high) next.insert(next.end(), x.begin(), x.end());
    return next;
  });
  write(last, unpack(carried));
}

loop::Value Sorting::sort(std::span<const int> buffers, Value from, Value other, Value count) {
  b_.for_loop(b_.integer(0), count, b_.integer(block()), [&](Value at) { sort_block(buffers, b_.add(from, at)); });
  const auto known = b_.known(count);
  if (known && *known <= block()) return from;
  // First within pieces that stay in the cache, then all of it: one loop, so that its code stands once.
  const Value piece = b_.min(b_.integer(piece_), count);
  const std::int64_t phases = known && *known <= piece_ ? 1 : 2;
  const auto where = b_.for_loop(
      b_.integer(0), b_.integer(phases), b_.integer(1), {from, other}, [&](Value phase, std::span<const Value> places) {
        const Value within = b_.compare(L::eq, phase, b_.integer(0));
        const Value size = b_.max(b_.select(within, piece, count), b_.integer(1));  // of nothing too, a step
        const Value start = b_.select(within, b_.integer(block()), piece);
        const Value source = places[0], target = places[1];
        return b_.for_loop(b_.integer(0), count, size, {source, target}, [&](Value lo, std::span<const Value>) {
          const Value hi = b_.min(b_.add(lo, size), count);
          const auto done = b_.while_loop(
              {start, source, target},
              [&](std::span<const Value> c) {
                return std::pair{b_.compare(L::lt, c[0], size), std::vector<Value>(c.begin(), c.end())};
              },
              [&](std::span<const Value> c) {
                const Value run = c[0], twice = b_.add(run, run);
                b_.for_loop(lo, hi, twice, [&](Value at) {
                  const Value middle = b_.min(b_.add(at, run), hi), end = b_.min(b_.add(at, twice), hi);
                  merge_runs(buffers, b_.add(c[1], at), b_.add(c[1], middle), b_.add(c[1], end), b_.add(c[2], at));
                });
                return std::vector<Value>{twice, c[2], c[1]};
              });
          return std::vector<Value>{done[1], done[2]};
        });
      });
  return where[0];
}

}  // namespace cpu
TESSERA_END
