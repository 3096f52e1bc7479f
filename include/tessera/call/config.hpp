// Owns Config: what a caller may decide about how a kernel runs, and how exactly it computes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tessera/call/errors.hpp"
#include "tessera/ir/program.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN

/// A tunable of a kernel (a `Dim`) by name, and its value.
struct Tuned {
  std::string name;
  std::int64_t value = 0;
};

/// How exactly floats are computed. docs/math.md says what each mode promises and what it costs; in every one, results
/// lie within the interpreter's bound for it.
enum class Numerics : std::uint8_t {
  standard,  ///< sums and dots in any order, a product and its sum fused where the processor can; functions within 1
             ///< ulp
  strict,    ///< one order of additions, one rounding an operation: the same bits with every feature set, whatever the
             ///< threads, tile sizes and specialisation
  fast,      ///< as standard, with functions within 4 ulp where that is faster
};

/// How a call should run; what is left out is chosen by Tessera.
///
///     gemm.with(Config{.tunables = {{"BM", 64}, {"BN", 96}}, .threads = 1})(a, b, c);
struct Config {
  std::vector<Tuned> tunables = {};  ///< tile sizes by name, all positive; and a target's own choices, such as "cpu.kc"
  int threads = 0;                   ///< most threads; 0: all
  bool checked = false;              ///< outside reads, overflow and division by zero are errors instead of values
  std::string target = {};           ///< "cpu"; empty: the best one present
  std::string features = {};         ///< host features by name, such as "avx2"; empty: those of this machine
  Numerics numerics = Numerics::standard;
  bool deterministic = false;  ///< one order of additions: the same bits whatever the threads, tile sizes and variant

  /// A number that differs between configurations (for all practical purposes); never 0, which means "no Config".
  std::uint64_t key() const {
    std::uint64_t hash = 0xcbf29ce484222325u;
    const auto mix = [&hash](std::uint64_t value) {
      hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 32;
    };
    const auto text = [&](std::string_view s) {
      for (char c : s) mix(static_cast<unsigned char>(c));
      mix(0x100 + s.size());
    };
    std::uint64_t unordered = 0;  // tunables mean the same in any order
    for (const Tuned& tuned : tunables) {
      const std::uint64_t before = std::exchange(hash, 0x84222325cbf29ce4u);
      text(tuned.name);
      mix(static_cast<std::uint64_t>(tuned.value));
      unordered += std::exchange(hash, before);
    }
    mix(unordered);
    mix(static_cast<std::uint64_t>(threads) << 1 | static_cast<std::uint64_t>(checked));
    text(target);
    text(features);
    mix(static_cast<std::uint64_t>(numerics) << 1 | static_cast<std::uint64_t>(deterministic));
    return hash | 1;
  }
};

namespace call {

/// Whether a name in Config::tunables is a choice of a target's own, such as "cpu.kc": whether it has a dot. The target
/// looks at those when it plans.
constexpr bool is_choice(std::string_view name) { return name.find('.') != std::string_view::npos; }

/// Whether `config` fits the program: every tunable exists, once, and is positive; threads are not negative.
inline Status check_config(const ir::Program& program, const Config& config) noexcept {
  const auto fail = [&](const std::string& text, const std::string& hint) {
    return Status(ErrorKind::user, std::string(program.name) + ": configuration: " + text, hint);
  };
  for (std::size_t i = 0; i < config.tunables.size(); ++i) {
    const Tuned& tuned = config.tunables[i];
    bool known = is_choice(tuned.name);
    std::string names;
    for (const ir::Tunable& tunable : program.tunables) {
      known |= program.str(tunable.name) == tuned.name;
      names.append(names.empty() ? "" : ", ").append(program.str(tunable.name));
    }
    if (!known)
      return fail("there is no tunable " + tuned.name,
                  names.empty() ? "this kernel has no tunables" : "the tunables of this kernel are " + names);
    if (tuned.value <= 0 && !is_choice(tuned.name))
      return fail("tunable " + tuned.name + " is " + std::to_string(tuned.value), "tunables are 1 or more");
    for (std::size_t j = 0; j < i; ++j)
      if (config.tunables[j].name == tuned.name)
        return fail("tunable " + tuned.name + " is given twice, " + std::to_string(config.tunables[j].value) + " and " +
                        std::to_string(tuned.value),
                    "give it once");
  }
  if (config.threads < 0)
    return fail("threads is " + std::to_string(config.threads), "0 means all threads, 1 the caller's only");
  return {};
}

}  // namespace call
TESSERA_END
