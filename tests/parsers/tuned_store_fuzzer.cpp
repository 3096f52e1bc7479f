// A libFuzzer target: any text is read as a table of tuned configurations, as a configuration and as extents.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "autotune/store/rows.hpp"
#include "tests/parsers/mutate.hpp"

using namespace tessera;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto configuration = autotune::parse_configuration(text)) {
    const std::string printed = autotune::text(*configuration);
    const auto again = autotune::parse_configuration(printed);
    fuzz::hold(again && autotune::text(*again) == printed);
  }
  if (const auto extents = autotune::parse_extents(text)) {
    const auto again = autotune::parse_extents(autotune::text(*extents));
    fuzz::hold(again && *again == *extents);
    (void)autotune::bucket(*extents);
  }
  std::vector<autotune::Row> rows;
  std::string error;
  const bool good = autotune::rows_from_json(text, rows, error);
  fuzz::hold(good == error.empty());
  if (!good) return 0;
  const std::string printed = autotune::rows_to_json(rows);
  std::vector<autotune::Row> again;
  fuzz::hold(autotune::rows_from_json(printed, again, error) && again.size() == rows.size());
  fuzz::hold(autotune::rows_to_json(again) == printed);
  return 0;
}
