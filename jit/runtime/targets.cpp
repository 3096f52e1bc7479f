// Owns the registry of targets.
#include <mutex>

#include "jit/target.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace jit {

void register_targets();  // generated: calls every target's register_target()

namespace {

// Never destroyed: calls may come from destructors of static objects.
std::vector<std::unique_ptr<Target>>& owned() {
  static auto* list = new std::vector<std::unique_ptr<Target>>;
  return *list;
}
std::vector<Target*>& listed() {
  static auto* list = new std::vector<Target*>;
  return *list;
}

}  // namespace

std::vector<std::vector<std::int64_t>> Target::candidates(const ir::Program& program, const Specialisation&,
                                                          const Config*) const {
  return std::vector<std::vector<std::int64_t>>(program.tunables.size());
}
std::vector<Choice> Target::choices(const PlanRequest&) const { return {}; }
Estimate Target::estimate(const PlanRequest&, const loop::Program&) const { return {}; }
Roof Target::roof(const std::string&, int) const { return {}; }

std::vector<Tuned> choices_of(const Config* config) {
  std::vector<Tuned> choices;
  for (std::size_t i = 0; config != nullptr && i < config->tunables.size(); ++i)
    if (call::is_choice(config->tunables[i].name)) choices.push_back(config->tunables[i]);
  return choices;
}

void register_target(std::unique_ptr<Target> target) {
  listed().push_back(target.get());
  owned().push_back(std::move(target));
}

std::span<Target* const> targets() {
  static std::once_flag once;
  std::call_once(once, [] { register_targets(); });
  return listed();
}

const Target& find_target(std::string_view name) {
  std::string names, why, all;
  for (const Target* target : targets()) {
    names.append(names.empty() ? "" : ", ").append(target->name());
    if (!name.empty() && target->name() != name) continue;
    if (target->available(why)) return *target;
    if (!name.empty()) throw DeviceError("target " + std::string(name) + ": " + why);
    all.append("\n  ").append(target->name()).append(": ").append(why);
  }
  if (!name.empty())
    throw UserError("there is no target " + std::string(name) + "\n  hint: this build has " +
                    (names.empty() ? "" : names + ", ") + "interpreter");
  throw DeviceError("no target is available" + all);
}

}  // namespace jit
TESSERA_END
