// Owns the interface between the JIT and a target: what a folder of targets/ implements, and the registry of them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jit/cache/key.hpp"
#include "jit/llvm/api.hpp"
#include "jit/loop/ir.hpp"
#include "jit/passes/simplify.hpp"
#include "jit/runtime/context.hpp"
#include "jit/specialisation.hpp"
#include "tessera/call/config.hpp"
#include "tessera/ir/tile.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// A text of a compilation: the program after a stage.
struct Stage {
  std::string name;  ///< "tile", "loop", "llvm", "assembly" …
  std::string text;
};

/// What is to be planned: a program, what is known of the calls it serves, and the choices that are made.
struct PlanRequest {
  ir::Program program;
  Specialisation known;
  std::vector<std::int64_t> tunables;  ///< the value of each tunable of the program
  std::vector<Tuned> choices;          ///< the target's own, by name; those left out are the target's
  std::string features;                ///< of the machine to plan for: one of Target::features()
  int threads = 0;                     ///< that a call may use at most; 0: all
  bool checked = false;
  Numerics numerics = Numerics::standard;
  bool deterministic = false;
  bool load = true;  ///< false: for a machine that is not this one; the code has no entry
};

/// Something that a device has or lacks, in words, for `tessera doctor`.
struct Fact {
  std::string name;     ///< "AVX-512"
  std::string value;    ///< what is there, or what it would be
  bool present = true;  ///< false: it is missing
  std::string cost;     ///< what its absence costs, in one sentence; empty where nothing
};

/// Code as a cache keeps it: what Target::load takes, in this process or in another.
struct CodeImage {
  std::string bytes;
  std::string entry, host;  ///< the names of the two functions; `host` may be empty
};

/// Code that can run: what a target made of a planned program.
class LoadedCode {
 public:
  virtual ~LoadedCode() = default;
  virtual Entry entry() const = 0;
  virtual HostFunction host() const = 0;  ///< null where the plan has none
  virtual StageTimes times() const = 0;
  virtual std::size_t bytes() const = 0;
  /// For a cache; without bytes where this code cannot be kept.
  virtual CodeImage image() const = 0;
  /// The stages after Loop IR as text, for dumps; made when asked.
  virtual std::vector<Stage> stages() const = 0;
  /// The relocatable object, as linkers take it; empty where there is none.
  virtual std::string object() const { return {}; }
};

/// A choice of the target's own that a tuner may make, such as a register block.
struct Choice {
  std::string name;                  ///< "cpu.kc": the target's name, a dot, the choice
  std::vector<std::int64_t> values;  ///< worth trying, ascending; 0, which comes first, leaves it to the target
};

/// What a target predicts of one call.
struct Estimate {
  double seconds = -1;    ///< of a call; below 0: no prediction. Equal programs have equal predictions, at any time
  double operations = 0;  ///< float additions and multiplications
  double bytes = 0;       ///< different bytes of arguments that are touched
  bool guessed = false;   ///< the length of some loop depends on data
};

/// What a machine can do at most, 0 where unknown.
struct Roof {
  double operations = 0;  ///< float additions and multiplications a second, in f32
  double bandwidth = 0;   ///< bytes a second from memory
};

/// One kind of machine. Its members are called by many threads at once.
class Target {
 public:
  virtual ~Target() = default;

  /// The folder's name: "cpu".
  virtual std::string_view name() const = 0;
  /// Whether this process can run its code; if not, `why` says in one sentence what is missing.
  virtual bool available(std::string& why) const = 0;
  /// Whether this process can compile for it too; without that, only code from caches runs.
  virtual bool can_compile(std::string& why) const = 0;
  /// The device in words, for logs and reports.
  virtual std::string describe() const = 0;
  /// The device as far as code and times depend on it, with a feature set: equal on machines that may share both. Found
  /// out without any compiler.
  virtual std::string fingerprint(const std::string& features) const = 0;
  /// The threads that a call may use at most.
  virtual int threads() const = 0;
  /// Feature sets that the device runs, by name, best first.
  virtual std::vector<std::string> features() const = 0;
  /// Feature sets that it can compile for, whether or not this device runs them; `features` is among them.
  virtual std::vector<std::string> known_features() const { return features(); }
  /// What the device has, and what it lacks that would make kernels faster.
  virtual std::vector<Fact> inspect() const { return {}; }

  /// A value for every tunable: those that `config` (may be null) gives, and the target's choice for the others.
  virtual std::vector<std::int64_t> tunables(const ir::Program& program, const Specialisation& known,
                                             const Config* config) const = 0;
  /// Values worth trying for each tunable, ascending, for calls like the one that `known` was made from; nothing for a
  /// tunable of which the target knows no better.
  virtual std::vector<std::vector<std::int64_t>> candidates(const ir::Program& program, const Specialisation& known,
                                                            const Config* config) const;
  /// The choices besides the kernel's tunables that may matter to this program. A Config gives them among its tunables.
  virtual std::vector<Choice> choices(const PlanRequest& request) const;
  /// What a call of `planned`, made by `plan` for `request`, is predicted to take. Well below a compilation's time.
  virtual Estimate estimate(const PlanRequest& request, const loop::Program& planned) const;
  /// The limits of the device with these features and threads (0: all), measured when first asked, for reports.
  virtual Roof roof(const std::string& features, int threads) const;
  /// Nothing, or why this target cannot run the program so (without `load`: cannot compile it), in one sentence.
  virtual std::string legal(const PlanRequest& request) const = 0;
  /// Tile IR to Loop IR; `observe` (may be empty) sees the program after each pass. Throws an Error whose text starts
  /// with the kernel's name.
  virtual loop::Program plan(const PlanRequest& request, const PassObserver& observe) const = 0;
  /// Loop IR to code of this process. Throws an Error.
  virtual std::unique_ptr<LoadedCode> compile(const loop::Program& program, const PlanRequest& request) const = 0;
  /// Code of an image, which needs no compiler. Throws an Error where it is not whole or not for this machine.
  virtual std::unique_ptr<LoadedCode> load(const CodeImage& image) const = 0;
  /// Adds to a key what the code of this target depends on beside the request: the machine, and how many threads are
  /// planned for.
  virtual void add_to_key(const PlanRequest& request, ObjectKey& key) const = 0;
};

/// The choices among the tunables of `config` (may be null): those whose names have a dot.
std::vector<Tuned> choices_of(const Config* config);

/// Adds a target; called by each target's register_target().
void register_target(std::unique_ptr<Target> target);

/// Every target of this build, in order of registration.
std::span<Target* const> targets();

/// The target of that name, or, where `name` is empty, the best one that is available. Throws UserError when there is
/// no such target and DeviceError when it, or every target, is not available.
const Target& find_target(std::string_view name);

}  // namespace jit
TESSERA_END
