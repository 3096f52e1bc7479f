// Owns the fields of the keys of compiled code.
#include "jit/runtime/object_key.hpp"

#include <map>

#include "jit/cache/build_id.hpp"
#include "tessera/call/registry.hpp"
#include "tessera/ir/hash.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

std::string known_text(const std::optional<std::int64_t>& value, std::int64_t multiple) {
  if (value) return std::to_string(*value);
  return multiple > 1 ? "any multiple of " + std::to_string(multiple) : "any";
}

}  // namespace

ObjectKey object_key(const Target& target, const PlanRequest& request) {
  // Whoever adds a member to PlanRequest meets this line, and adds a field below.
  const auto& [program, known, tunables, choices, features, threads, checked, numerics, deterministic, load] = request;
  (void)load;  // what is done with the code, not what it is
  ObjectKey key;
  const auto number = [](const char* name, std::size_t i) { return std::string(name) + " " + std::to_string(i); };
  // The program as it stands, of which names are no part. A captured one is canonical; of another, names of tunables
  // and extents may have another order, so it has a key of its own.
  std::string words;
  ir::detail::each_word(program, [&](std::uint64_t word) {
    for (int k = 0; k < 8; ++k) words.push_back(static_cast<char>(word >> (8 * k)));
  });
  key.add("target", target.name());
  key.add("program", ir::hash_of_canonical(program).hex(), program.name);
  key.add("program words", words);
  for (std::size_t i = 0; i < tunables.size(); ++i)
    key.add(number("tunable", i), std::to_string(tunables[i]), program.str(program.tunables[i].name));
  std::map<std::string, std::int64_t> chosen;
  for (const Tuned& choice : choices) chosen[choice.name] = choice.value;
  for (const auto& [name, value] : chosen) key.add(name, std::to_string(value));
  const call::FrameLayout layout = call::frame_layout(program);
  for (std::size_t i = 0; i < program.extents.size(); ++i) {
    const std::size_t word = layout.extent_word(i);
    key.add(number("extent", i), known_text(known.words[word], known.multiples[word]),
            call::extent_text(program, program.extents[i]));
  }
  std::size_t parameter = 0;
  for (const ir::Arg& arg : program.args) {
    if (!call::is_parameter(arg)) break;
    const std::string_view name = program.str(arg.name);
    const std::size_t scalar = layout.arg_word(parameter);
    if (!call::is_array(arg)) {
      key.add(number("scalar", parameter), known_text(known.words[scalar], known.multiples[scalar]), name);
    } else {
      for (int axis = 0; axis < arg.rank; ++axis) {
        const auto entry = static_cast<std::size_t>(arg.first_extent + axis);
        const std::size_t word = layout.stride_word(entry);
        key.add(number("stride", entry), known_text(known.words[word], known.multiples[word]),
                std::string(name) + ", axis " + std::to_string(axis));
      }
      key.add(number("alignment", parameter), std::to_string(known.alignment[parameter]), name);
    }
    ++parameter;
  }
  key.add("features", features);
  key.add("most threads", std::to_string(threads));
  key.add("checked", checked ? "1" : "0");
  key.add("numerics", numerics == Numerics::strict ? "strict" : numerics == Numerics::fast ? "fast" : "standard");
  key.add("deterministic", deterministic ? "1" : "0");
  target.add_to_key(request, key);
  key.add("tessera", TESSERA_VERSION);
  key.add("planner", jit_build_id());
  key.add(compiler_field, compiler_build_id());
  return key;
}

}  // namespace jit
TESSERA_END
