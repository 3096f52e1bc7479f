// Owns Sample: a program with everything that decides a run of it, and its text form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tessera/call/config.hpp"
#include "tessera/ir/tile.hpp"

namespace fuzz {

namespace ir = tessera::ir;

/// What an array's elements are.
enum class Content : std::uint8_t {
  ordinary,  ///< floats within ±2, integers within ±7
  positive,  ///< floats of 0.5 … 2.5, integers of 1 … 5
  whole,     ///< whole numbers within ±3: exact sums, many ties
  any,       ///< every pattern of bits
  special,   ///< zeros, infinities, NaN, extremes and denormals among ordinary ones
  index,     ///< 0 … limit − 1
  outside,   ///< −2 … limit + 1
  ascending  ///< sorted, 0 … limit
};
inline constexpr std::string_view content_names[] = {"ordinary", "positive", "whole",   "any",
                                                     "special",  "index",    "outside", "ascending"};

/// How an array lies in memory.
enum class Layout : std::uint8_t {
  rows,       ///< row-major
  padded,     ///< rows with three elements between them
  columns,    ///< column-major
  gaps,       ///< every second element
  spread,     ///< the first axis has stride 0; arrays that are read only
  single,     ///< all strides are 0; arrays that are read only
  backwards,  ///< the last axis has a negative stride
};
inline constexpr std::string_view layout_names[] = {"rows",   "padded", "columns",  "gaps",
                                                    "spread", "single", "backwards"};

/// What a parameter is given.
struct Given {
  Content content = Content::ordinary;
  std::int64_t limit = 0;  ///< of Content::index, outside, ascending
  Layout layout = Layout::rows;
  bool at_start = false;      ///< its memory begins, and does not end, at a page that faults
  std::uint64_t seed = 1;     ///< of its elements
  std::int32_t same_as = -1;  ///< the parameter whose memory it shares
  std::uint64_t scalar = 0;   ///< the bits of a scalar
};

/// What is taken as known when a program is compiled.
enum class Known : std::uint8_t { exact, unit_strides, nothing };
inline constexpr std::string_view known_names[] = {"exact", "unit_strides", "nothing"};

/// By Numerics; a text leaves out the first.
inline constexpr std::string_view numerics_names[] = {"standard", "strict", "fast"};

/// One way to compile a program. The numbers are a configuration's choices; 0 leaves one to the planner.
struct Way {
  Known known = Known::exact;
  std::string features = "avx2";
  std::vector<std::int64_t> tunables;  ///< one for each tunable; empty: the cost model's
  bool small_caches = false;           ///< planned for caches of some kilobytes, so that blocking starts early
  bool typical = false;                ///< the cost model is told this call's extents, also where they are not known
  bool deterministic = false;
  tessera::Numerics numerics = tessera::Numerics::standard;
  std::int64_t threads = 1;  ///< planned for; with more than one, pieces of the grid run at the same time
  std::int64_t adding = 0, kc = 0, mc = 0, rows = 0, vectors = 0;

  /// Whether floats are added up in one order.
  bool ordered() const { return deterministic || numerics == tessera::Numerics::strict; }
};

/// The fields of a Way that a text gives as a word and a number.
inline constexpr std::pair<std::string_view, std::int64_t Way::*> way_numbers[] = {
    {"threads", &Way::threads}, {"adding", &Way::adding}, {"kc", &Way::kc},
    {"mc", &Way::mc},           {"rows", &Way::rows},     {"vectors", &Way::vectors}};

/// What a text says of a way after its features: words, then numbers.
std::string words_of(const Way& way);

/// A program, its arguments and the ways to run it.
struct Sample {
  std::uint64_t seed = 0;  ///< that made it, for messages
  ir::Storage program;
  std::vector<std::int64_t> extents;  ///< by base name: of each entry of Program::names that is one; others 0
  std::vector<Given> given;           ///< of each parameter
  std::vector<Way> ways;
};

/// The value of an entry of Program::extents.
std::int64_t extent_value(const Sample& sample, std::int32_t extent);

/// The text of a sample: lines that start with "#!" tell the run, the rest is Tile IR.
std::string to_text(const Sample& sample);

/// The sample of a text. Throws std::runtime_error that says what is wrong.
Sample from_text(const std::string& text);

}  // namespace fuzz
