// Owns the order of compilation: Tile IR, specialised, planned, verified, compiled; and what a variant keeps alive.
#pragma once

#include <cstdint>
#include <memory>

#include "jit/specialisation.hpp"
#include "jit/target.hpp"
#include "tessera/call/config.hpp"
#include "tessera/call/record.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// A variant and all that it needs while it may run. Guards and the configuration's key are the engine's to set.
struct BuiltVariant {
  call::Variant variant;
  std::unique_ptr<LoadedCode> code;  ///< null where the interpreter runs it
  std::shared_ptr<void> keep;        ///< what else it needs
};

/// Compiles `program` for what is known of its calls. `frame` is that of the first call: it says how much work a call
/// is, never what the code may rely on. Where no target is named and none can compile it, the interpreter runs it,
/// which is said once on standard error; a checked call is always interpreted. Throws an Error whose text starts with
/// the kernel's name.
std::unique_ptr<BuiltVariant> build_variant(const ir::Program& program, const Specialisation& known,
                                            const std::uint64_t* frame, const Config* config);

/// Whether code of this program asks anything of its Context.
bool needs_context(const loop::Program& program);

/// How a grid is handed to threads.
struct GridShape {
  std::int64_t inline_limit = 1;  ///< at most this many programs: on the caller's thread
  std::int64_t grain = 1;         ///< fewest programs worth a task
};

/// A guess from the sizes of the arguments and from what the program does with them.
GridShape grid_shape(const ir::Program& program, const std::uint64_t* frame, std::int64_t programs);

}  // namespace jit
TESSERA_END
