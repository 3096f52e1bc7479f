// Owns the compilation of a Loop IR program into machine code of this process.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "jit/image/image.hpp"
#include "jit/llvm/api.hpp"
#include "jit/loop/ir.hpp"
#include "jit/runtime/context.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// How a Loop IR program is compiled.
struct CompileOptions {
  std::string features = "native";  ///< a feature set (targets/cpu/features.hpp) or a processor by LLVM's name
  int opt_level = 2;                ///< of LLVM's code generator, 0 … 3
  bool verify = false;              ///< check the LLVM IR before code generation; TESSERA_VERIFY=1 sets it for all
  bool load = true;                 ///< false: compile only, for a machine that is not this one
};

/// An image of code in this process. It stays valid as long as this lives.
struct Linked {
  std::shared_ptr<LoadedImage> code;
  Entry entry = nullptr;
  HostFunction host = nullptr;
};

/// Loads an image of link_image; `host` may be empty. Throws DeviceError.
Linked load_code(std::string_view image, const std::string& entry, const std::string& host);

/// Machine code of one program. It stays valid as long as this lives.
class Compiled {
 public:
  Compiled(std::shared_ptr<const loop::Program> program, CompileOptions options, CompiledCode code, LinkedObject linked)
      : program_(std::move(program)),
        options_(std::move(options)),
        code_(std::move(code)),
        linked_(std::move(linked)) {}
  /// The entry of the program; null if it was not loaded.
  Entry entry() const { return linked_.entry; }
  /// The program's host function; null if it has none or was not loaded.
  HostFunction host() const { return linked_.host; }
  const StageTimes& times() const { return code_.times; }
  std::size_t object_bytes() const { return code_.object_bytes; }
  /// The object as the code generator wrote it.
  const std::string& object() const { return code_.object; }
  /// A shared image made of it, for caches: load_code runs it without LLVM.
  std::string image() const;
  const loop::Program& program() const { return *program_; }
  const CompileOptions& options() const { return options_; }
  /// The LLVM IR and the assembly text: compiles once more at each call.
  std::string ir() const;
  std::string assembly() const;

 private:
  std::shared_ptr<const loop::Program> program_;
  CompileOptions options_;
  CompiledCode code_;
  LinkedObject linked_;
};

/// The names of the program's entry and of its host function, empty where it has none.
std::string entry_name(const loop::Program& program);
std::string host_name(const loop::Program& program);

/// Compiles `program`, whose one entry becomes `Compiled::entry`. Throws DeviceError when the LLVM library is absent
/// and InternalError when the program is not valid or has what this compiler lacks. Thread-safe.
std::shared_ptr<Compiled> compile_loop(const loop::Program& program, const CompileOptions& options = {});

/// The LLVM library, opened at the first call. Throws DeviceError when it is absent or of another build.
LlvmBackend& llvm_backend();

/// Why `llvm_backend` would throw, or nothing.
std::string llvm_backend_absent();

}  // namespace jit
TESSERA_END
