// Owns the search for targets by name.
#include "autotune/cli/target.hpp"

#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

const jit::Target& named(const std::string& name) {
  std::string all;
  for (const jit::Target* target : jit::targets()) {
    if (target->name() == name) return *target;
    all.append(all.empty() ? "" : ", ").append(target->name());
  }
  throw UserError("there is no target " + name + "\n  hint: this build has " + all);
}

}  // namespace

TargetChoice::TargetChoice(const std::string& text) : target(named(text.substr(0, text.find(':')))) {
  if (const auto colon = text.find(':'); colon != std::string::npos)
    features = text.substr(colon + 1);
  else if (const auto here = target.features(); !here.empty())
    features = here.front();
  else if (const auto known = target.known_features(); !known.empty())
    features = known.front();
}

}  // namespace cli
TESSERA_END
