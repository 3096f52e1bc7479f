// Owns the reading of NAME=VALUE lists, and the Frame of a call that is not made.
#include "autotune/cli/shape.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "autotune/cli/units.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/call/extents.hpp"
#include "tessera/call/frame.hpp"
#include "tessera/call/registry.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

constexpr std::int64_t typical_extent = 1024;  // what cost models see of an extent that may be anything
constexpr std::int64_t largest_extent = std::int64_t{1} << 48;

std::optional<std::int64_t> find(const NamedValues& values, std::string_view name) {
  for (const auto& [key, value] : values)
    if (key == name) return value;
  return std::nullopt;
}

}  // namespace

NamedValues read_values(const std::string& option, const std::vector<std::string>& texts, std::int64_t least) {
  NamedValues values;
  for (const auto& [name, text] : read_pairs(option, texts, "M=512,N=1000")) {
    std::int64_t value = 0;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (error != std::errc() || end != last || value < least || value > largest_extent)
      throw UserError(option + ": " + name + " is \"" + text + "\"\n  hint: it takes a whole number from " +
                      std::to_string(least) + " to 2^48");
    if (const auto before = find(values, name))
      throw UserError(option + ": " + name + " is given twice, " + std::to_string(*before) + " and " +
                      std::to_string(value));
    values.emplace_back(name, value);
  }
  return values;
}

std::vector<std::string> extent_names(const ir::Program& program) {
  std::vector<std::string> names;
  for (const ir::Extent& extent : program.extents) {
    const std::string name(program.str(extent.base));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

jit::Specialisation known_shape(const ir::Program& program, const NamedValues& shape) {
  const std::string kernel(program.name);
  const std::vector<std::string> names = extent_names(program);
  for (const auto& [name, value] : shape) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    std::string all;
    for (const std::string& one : names) all.append(all.empty() ? "" : ", ").append(one);
    throw UserError(kernel + ": there is no extent " + name +
                    "\n  hint: " + (all.empty() ? "this kernel has none" : "its extents are " + all));
  }

  const call::FrameLayout layout = call::frame_layout(program);
  jit::Specialisation known = jit::Specialisation::generic(program);
  for (std::size_t i = 0; i < program.extents.size(); ++i) {
    const ir::Extent& extent = program.extents[i];
    const auto base = find(shape, program.str(extent.base));
    if (!base) continue;
    const std::int64_t value = call::extent_value(extent, *base);
    if (value < 0)
      throw UserError(kernel + ": extent " + call::extent_text(program, extent) + " is " + std::to_string(value) +
                      " where " + std::string(program.str(extent.base)) + " is " + std::to_string(*base));
    known.words[layout.extent_word(i)] = value;
  }
  for (const ir::Arg& arg : program.args) {
    if (!call::is_parameter(arg)) break;
    if (!call::is_array(arg)) continue;
    std::optional<std::int64_t> stride = 1;
    for (int axis = arg.rank - 1; axis >= 0 && stride; --axis) {
      const auto entry = static_cast<std::size_t>(arg.first_extent + axis);
      known.words[layout.stride_word(entry)] = stride;
      const auto extent = known.words[layout.extent_word(static_cast<std::size_t>(program.arg_extents[entry]))];
      std::int64_t next = 0;
      if (extent && __builtin_mul_overflow(*stride, std::max<std::int64_t>(*extent, 1), &next))
        throw UserError(kernel + ": argument " + std::string(program.str(arg.name)) + " has more than 2^63 elements");
      stride = extent ? std::optional(next) : std::nullopt;
    }
  }
  for (std::size_t word = 0; word < layout.words(); ++word) {
    const bool address = word < layout.first_extent();
    known.typical.push_back(known.words[word].value_or(address ? 0 : typical_extent));
  }
  return known;
}

Config with_tunables(const ir::Program& program, const NamedValues& values) {
  Config config;
  for (const auto& [name, value] : values) config.tunables.push_back({name, value});
  call::check_config(program, config).raise();
  return config;
}

}  // namespace cli
TESSERA_END
