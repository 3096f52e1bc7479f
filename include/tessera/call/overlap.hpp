// Owns the exact answer to whether strided arrays share memory, and whether an array names one address twice.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>

#include "tessera/ir/program.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace call {

/// What the search for a common address can say. `unknown`: it would take too long (arrays of many axes with strides
/// that fit nothing); whoever asks refuses then.
enum class Shares : std::uint8_t { no, yes, unknown };

/// An array that is not empty, in units (bits, or bytes): its first unit, the units of an element, and per axis the
/// last index and the stride's size in units. Negative strides are turned: an axis starts at its lowest address.
struct Footprint {
  std::int64_t first = 0;
  std::int64_t width = 1;
  int rank = 0;
  std::array<std::int64_t, ir::max_rank> last{};
  std::array<std::int64_t, ir::max_rank> stride{};

  /// The last unit.
  constexpr std::int64_t end() const {
    std::int64_t sum = first + width - 1;
    for (int i = 0; i < rank; ++i) sum += last[static_cast<std::size_t>(i)] * stride[static_cast<std::size_t>(i)];
    return sum;
  }
};

/// Decides whether Σ coefficient·x = target has a solution in integers 0 ≤ x ≤ bound.
/// Equal coefficients are merged; the largest are tried first, each only where the rest can still reach the target and
/// a common divisor allows it; two that remain are solved by the extended Euclidean algorithm.
class BoundedSum {
 public:
  /// Coefficients and bounds are not negative; their total is below 2^62.
  constexpr void add(std::int64_t coefficient, std::int64_t bound) {
    if (coefficient == 0 || bound == 0) return;
    for (std::size_t i = 0; i < count_; ++i)
      if (terms_[i].coefficient == coefficient) {
        terms_[i].bound += bound;
        return;
      }
    std::size_t place = count_++;
    for (; place > 0 && terms_[place - 1].coefficient < coefficient; --place) terms_[place] = terms_[place - 1];
    terms_[place] = {coefficient, bound};
  }

  constexpr Shares reaches(std::int64_t target) {
    reach_[count_] = divisor_[count_] = 0;
    for (std::size_t i = count_; i-- > 0;) {
      reach_[i] = reach_[i + 1] + terms_[i].coefficient * terms_[i].bound;
      divisor_[i] = std::gcd(divisor_[i + 1], terms_[i].coefficient);
    }
    steps_ = 0;
    return search(0, target);
  }

 private:
  struct Term {
    std::int64_t coefficient = 0, bound = 0;
  };
  static constexpr std::size_t max_terms = 2 * ir::max_rank + 1;
  static constexpr int max_steps = 200'000;
  __extension__ using Wide = __int128;

  constexpr Shares search(std::size_t i, std::int64_t target) {
    if (target < 0 || target > reach_[i]) return Shares::no;
    if (target == 0) return Shares::yes;
    if (target % divisor_[i] != 0) return Shares::no;
    if (i + 1 == count_) return Shares::yes;  // divisible and within reach
    if (i + 2 == count_) return two(terms_[i], terms_[i + 1], target) ? Shares::yes : Shares::no;
    const auto [coefficient, bound] = terms_[i];
    const std::int64_t rest = target - reach_[i + 1];
    const std::int64_t low = rest > 0 ? (rest + coefficient - 1) / coefficient : 0;
    const std::int64_t high = target / coefficient < bound ? target / coefficient : bound;
    for (std::int64_t x = high; x >= low; --x) {
      if (++steps_ > max_steps) return Shares::unknown;
      const Shares found = search(i + 1, target - x * coefficient);
      if (found != Shares::no) return found;
    }
    return Shares::no;
  }

  /// a·x + b·y = target, which the greatest common divisor of a and b divides.
  static constexpr bool two(Term a, Term b, std::int64_t target) {
    const std::int64_t divisor = std::gcd(a.coefficient, b.coefficient);
    const std::int64_t p = a.coefficient / divisor, q = b.coefficient / divisor, t = target / divisor;
    const std::int64_t rest = t - q * b.bound;
    const std::int64_t low = rest > 0 ? (rest + p - 1) / p : 0;
    const std::int64_t high = t / p < a.bound ? t / p : a.bound;
    if (low > high) return false;
    const auto modulo = [q](Wide value) { return static_cast<std::int64_t>((value % q + q) % q); };
    const std::int64_t wanted = modulo(static_cast<Wide>(modulo(t)) * inverse(p % q, q));  // x ≡ wanted (mod q)
    return modulo(static_cast<Wide>(wanted) - low) <= high - low;
  }

  /// The inverse of `a` modulo `m`; they have no common divisor.
  static constexpr std::int64_t inverse(std::int64_t a, std::int64_t m) {
    std::int64_t r0 = m, r1 = a, s0 = 0, s1 = 1;
    while (r1 != 0) {
      const std::int64_t quotient = r0 / r1;
      r0 = std::exchange(r1, r0 - quotient * r1);
      s0 = std::exchange(s1, s0 - quotient * s1);
    }
    return m == 1 ? 0 : (s0 % m + m) % m;
  }

  std::array<Term, max_terms> terms_{};
  std::array<std::int64_t, max_terms + 1> reach_{}, divisor_{};
  std::size_t count_ = 0;
  int steps_ = 0;
};

/// Whether two arrays have a unit in common.
constexpr Shares share_memory(const Footprint& a, const Footprint& b) {
  if (a.end() < b.first || b.end() < a.first) return Shares::no;
  // a.first + Σ s·x + p = b.first + Σ t·y + q; with y and q counted from their other ends all terms stand on one side.
  BoundedSum sum;
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.rank); ++i) sum.add(a.stride[i], a.last[i]);
  for (std::size_t i = 0; i < static_cast<std::size_t>(b.rank); ++i) sum.add(b.stride[i], b.last[i]);
  sum.add(1, a.width - 1 + b.width - 1);
  return sum.reaches(b.end() - a.first);
}

/// Whether two different indices of an array name one address. Strides are in elements here: `width` is not looked at.
constexpr Shares repeats_address(const Footprint& a) {
  std::array<std::pair<std::int64_t, std::int64_t>, ir::max_rank> axes{};  // stride and last index, by stride
  std::size_t count = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.rank); ++i) {
    if (a.last[i] == 0) continue;
    if (a.stride[i] == 0) return Shares::yes;
    std::size_t place = count++;
    for (; place > 0 && axes[place - 1].first > a.stride[i]; --place) axes[place] = axes[place - 1];
    axes[place] = {a.stride[i], a.last[i]};
  }
  bool nested = true;  // each stride steps over all of the axes below it
  std::int64_t below = 0;
  for (std::size_t i = 0; i < count; ++i) {
    nested = nested && axes[i].first > below;
    below += axes[i].first * axes[i].second;
  }
  if (nested) return Shares::no;
  // Some Σ stride·d = 0 with |d| ≤ last, not all 0. Let k be the first axis whose d is not 0, and positive by symmetry:
  // stride_k (1 + z) = Σ_{j>k} stride_j d_j, with d counted from its lowest value.
  Shares result = Shares::no;
  for (std::size_t k = 0; k < count; ++k) {
    BoundedSum sum;
    std::int64_t target = -axes[k].first;
    sum.add(axes[k].first, axes[k].second - 1);
    for (std::size_t j = k + 1; j < count; ++j) {
      sum.add(axes[j].first, 2 * axes[j].second);
      target += axes[j].first * axes[j].second;
    }
    const Shares found = sum.reaches(target);
    if (found == Shares::yes) return found;
    if (found == Shares::unknown) result = found;
  }
  return result;
}

}  // namespace call
TESSERA_END
