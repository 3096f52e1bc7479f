// Owns Specialisation: what one variant of machine code takes as known about the Frame of a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tessera/call/frame.hpp"
#include "tessera/call/record.hpp"
#include "tessera/ir/tile.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// What is known of each Frame word. Addresses and scalars are never known; extents and strides may be.
struct Specialisation {
  std::vector<std::optional<std::int64_t>> words;  ///< a word's value, where it is known
  std::vector<std::int64_t> multiples;             ///< a number that divides the word, 1 where nothing is known
  std::vector<std::int64_t> alignment;             ///< of each argument: proven bytes of its address

  std::vector<std::int64_t> typical;  ///< each word in the first call: for cost models, not to rely on

  /// Nothing known but the natural alignment of elements.
  static Specialisation generic(const ir::Program& program);

  /// The conditions under which code made for this may run; none for `generic`.
  std::vector<call::Guard> guards() const;

  /// For logs and dumps: "M=512 K=300 stride(a,0)=any", or "generic".
  std::string describe(const ir::Program& program) const;
};

/// How the variants of one kernel become more general, so that few of them serve any sequence of calls: the first takes
/// every extent and stride as known; a word that has been seen with `patience` values is left open; the variant before
/// the last knows only which strides are 0 and 1, and the last knows nothing.
class SpecialisationPolicy {
 public:
  static constexpr std::size_t max_variants = 8;
  static constexpr std::size_t patience = 3;

  /// The specialisation of the next variant, for a call with this Frame; `variants` exist already.
  Specialisation next(const ir::Program& program, const std::uint64_t* frame, std::size_t variants);

 private:
  std::vector<std::vector<std::int64_t>> seen_;  // per word, different values
};

}  // namespace jit
TESSERA_END
