// Owns the text forms of configurations, extents and outcomes.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "autotune/store/tuned_store.hpp"

TESSERA_BEGIN
namespace autotune {
namespace {

/// "NAME=number" separated by blanks, each given to `add`; false where that is not what the text is.
template <class F>
bool each_pair(std::string_view text, F add) {
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t equals = one.rfind('=');
    std::int64_t value = 0;
    if (equals == std::string_view::npos || equals == 0) return false;
    const char* end = one.data() + one.size();
    const auto [stop, error] = std::from_chars(one.data() + equals + 1, end, value);
    if (error != std::errc() || stop != end || !add(std::string(one.substr(0, equals)), value)) return false;
  }
  return true;
}

constexpr std::string_view outcomes[] = {"ok", "wrong", "failed", "crashed", "timeout"};

}  // namespace

std::string_view name(Outcome outcome) { return outcomes[static_cast<std::size_t>(outcome)]; }

std::string text(const std::vector<Tuned>& configuration) {
  std::vector<Tuned> sorted = configuration;
  std::sort(sorted.begin(), sorted.end(), [](const Tuned& a, const Tuned& b) { return a.name < b.name; });
  std::string out;
  for (const Tuned& tuned : sorted) out += (out.empty() ? "" : " ") + tuned.name + "=" + std::to_string(tuned.value);
  return out;
}

std::optional<std::vector<Tuned>> parse_configuration(std::string_view text) {
  std::vector<Tuned> list;
  std::set<std::string> names;  // a tunable that is given twice has no value
  const bool good = each_pair(text, [&](std::string name, std::int64_t value) {
    if (value <= 0 || !names.insert(name).second) return false;
    list.push_back({std::move(name), value});
    return true;
  });
  return good ? std::optional(std::move(list)) : std::nullopt;
}

std::string text(const std::map<std::string, std::int64_t>& extents) {
  std::string out;
  for (const auto& [name, value] : extents) out += (out.empty() ? "" : " ") + name + "=" + std::to_string(value);
  return out;
}

std::optional<std::map<std::string, std::int64_t>> parse_extents(std::string_view text) {
  std::map<std::string, std::int64_t> extents;
  const bool good = each_pair(text, [&](const std::string& name, std::int64_t value) {
    return value >= 0 && extents.emplace(name, value).second;
  });
  return good ? std::optional(std::move(extents)) : std::nullopt;
}

std::string bucket(const std::map<std::string, std::int64_t>& extents) {
  std::string out;
  for (const auto& [name, value] : extents)
    out += (out.empty() ? "" : " ") + name + "=" +
           (value <= 0 ? std::string("0") : "2^" + std::to_string(std::lround(std::log2(static_cast<double>(value)))));
  return out;
}

}  // namespace autotune
TESSERA_END
