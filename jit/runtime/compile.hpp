// Owns the compilation of a Loop IR program into machine code of this process.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "jit/llvm/api.hpp"
#include "jit/loop/ir.hpp"
#include "jit/runtime/context.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// How a Loop IR program is compiled.
struct CompileOptions {
  std::string features = "native";  ///< "native", "avx512", "avx2", "sse2" or a processor by LLVM's name
  int opt_level = 2;                ///< of LLVM's code generator, 0 … 3
  bool verify = false;              ///< check the LLVM IR before code generation; TESSERA_VERIFY=1 sets it for all
  bool load = true;                 ///< false: compile only, for a machine that is not this one
  bool keep_object = false;         ///< keep the object's bytes, for a cache
};

/// Machine code of one program. It stays valid as long as this lives.
class Compiled {
 public:
  Compiled(std::shared_ptr<const loop::Program> program, CompileOptions options, CompiledCode code)
      : program_(std::move(program)), options_(std::move(options)), code_(std::move(code)) {}
  /// The entry of the program; null if it was not loaded.
  Entry entry() const { return code_.entry; }
  /// The program's host function; null if it has none or was not loaded.
  HostFunction host() const { return code_.host; }
  const StageTimes& times() const { return code_.times; }
  std::size_t object_bytes() const { return code_.object_bytes; }
  const std::string& object() const { return code_.object; }
  const loop::Program& program() const { return *program_; }
  const CompileOptions& options() const { return options_; }
  /// The LLVM IR and the assembly text: compiles once more at each call.
  std::string ir() const;
  std::string assembly() const;

 private:
  std::shared_ptr<const loop::Program> program_;
  CompileOptions options_;
  CompiledCode code_;
};

/// Compiles `program`, whose one entry becomes `Compiled::entry`. Throws DeviceError when the LLVM library is absent
/// and InternalError when the program is not valid or has what this compiler lacks. Thread-safe.
std::shared_ptr<Compiled> compile_loop(const loop::Program& program, const CompileOptions& options = {});

/// The LLVM library, opened at the first call. Throws DeviceError when it is absent or of another build.
LlvmBackend& llvm_backend();

/// Why `llvm_backend` would throw, or nothing.
std::string llvm_backend_absent();

}  // namespace jit
TESSERA_END
