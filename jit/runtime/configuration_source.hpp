// Owns the question of what configuration a call without one should get, and who answers it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "jit/target.hpp"
#include "tessera/call/config.hpp"
#include "tessera/ir/tile.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// A call that met no variant: which kernel, for what, where.
struct ConfigurationQuestion {
  const ir::Program& program;  ///< the record's own, unless a copy of it is compiled
  const Specialisation& known;
  const std::uint64_t* frame;  ///< of this call
  const Target& target;
  const std::string& features;
  int threads;           ///< that the call may use; 0: all
  const Config* config;  ///< of the call, without tunables; null: none
};

/// Answers with tunables that were found good before. Called by many threads at once.
class ConfigurationSource {
 public:
  virtual ~ConfigurationSource() = default;
  /// Values of tunables, or nothing: then the target's cost model chooses. Does not throw; answers in well below a
  /// millisecond, since a call waits.
  virtual std::optional<std::vector<Tuned>> tunables(const ConfigurationQuestion& question) noexcept = 0;
};

/// Makes `source` (null: nobody) the one that is asked; gives the one before. It must outlive all calls. Where none was
/// set, and a table of tuned configurations exists, libtessera_autotune is opened and answers.
ConfigurationSource* set_configuration_source(ConfigurationSource* source);

/// Both libraries compare this text: they must be of one build.
inline constexpr const char configuration_boundary[] = "tessera " TESSERA_VERSION " configurations 2";
/// The type of `tessera_autotune_source` of libtessera_autotune: null where `boundary` is another's.
using ConfigurationSourceFactory = ConfigurationSource* (*)(const char* boundary);

/// Asks; nothing where nobody answers.
std::optional<std::vector<Tuned>> ask_configuration(const ConfigurationQuestion& question) noexcept;

}  // namespace jit
TESSERA_END
