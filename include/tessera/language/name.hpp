// Owns text as a template argument: names of axes and of tunables.
#pragma once

#include <cstddef>
#include <string_view>

#include "tessera/version.hpp"

TESSERA_BEGIN

/// Where the operators on recorded values live. Only what derives from `Found` finds them (by argument-dependent
/// lookup), so that they are no candidates, which compilers would have to refuse one by one, of every other `==` and
/// `<<`.
namespace operators {
struct Found {};
}  // namespace operators

/// A text as a template argument: `sum<"N">(x)`, `template <name N> void add(Tile x)`.
template <std::size_t Size>
struct name {
  char text[Size]{};

  constexpr name(const char (&from)[Size]) {
    for (std::size_t i = 0; i < Size; ++i) text[i] = from[i];
  }
  constexpr std::string_view view() const { return {text, Size - 1}; }
  bool operator==(const name&) const = default;
};

/// A tunable by name, such as a tile size: `inline constexpr Dim<"BM"> BM;`. Its value comes from the configuration of
/// a call; in a kernel it is a positive number (i64) known before the launch.
template <name Name>
struct Dim : operators::Found {
  static constexpr std::string_view text() { return Name.view(); }
};

namespace detail {

/// Names of axes, as template arguments or as run-time texts give them.
struct Axes {
  const std::string_view* names;
  int count;
};
template <name... N>
struct NameList {
  static constexpr std::string_view names[sizeof...(N) + 1] = {N.view()..., {}};
  static constexpr Axes axes{names, static_cast<int>(sizeof...(N))};
};

}  // namespace detail
TESSERA_END
