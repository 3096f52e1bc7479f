// Owns the boundary of the LLVM library: what tessera_jit asks of it after opening it at the first compilation.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jit/loop/ir.hpp"
#include "jit/runtime/context.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// What to compile, and how.
struct CompileRequest {
  const loop::Program* program = nullptr;
  std::string features = "native";  ///< a feature set (targets/cpu/features.hpp) or a processor by LLVM's name
  int opt_level = 2;                ///< of LLVM's code generator, 0 … 3
  bool verify = false;              ///< check the LLVM IR (debugging Tessera)
  bool want_ir = false;             ///< fill CompiledCode::ir
  bool want_assembly = false;       ///< fill CompiledCode::assembly: generates code a second time
};

/// Milliseconds of processor time of each stage.
struct StageTimes {
  double emit = 0;     ///< Loop IR to LLVM IR
  double codegen = 0;  ///< LLVM IR to an object
  double link = 0;     ///< object to code in memory
  double total() const { return emit + codegen + link; }
};

/// The result of a compilation. `error` is empty on success.
struct CompiledCode {
  std::size_t object_bytes = 0;
  StageTimes times;    ///< without the linking
  std::string object;  ///< relocatable: `load` makes code of it here, jit/image an image for a cache
  std::string ir, assembly, error;
};

/// Code in this process. `error` is empty on success.
struct LinkedObject {
  Entry entry = nullptr;
  HostFunction host = nullptr;
  std::shared_ptr<void> code;  ///< keeps the machine code; when the last copy goes, its memory is released
  double milliseconds = 0;     ///< of processor time
  std::string error;
};

/// The compiler behind the border. Thread-safe; no member throws.
class LlvmBackend {
 public:
  virtual ~LlvmBackend() = default;
  virtual CompiledCode compile(const CompileRequest& request) noexcept = 0;
  /// Links an object that `compile` made for this machine by ORC, and finds `entry`, and `host` unless it is empty.
  virtual LinkedObject load(std::string_view object, const std::string& entry, const std::string& host) noexcept = 0;
  /// For cache keys and logs, such as "LLVM 19.1.7, znver3".
  virtual std::string description() const = 0;
  /// This machine's processor by LLVM's name, such as "znver3".
  virtual std::string processor() const = 0;
  /// The largest feature set that a processor of LLVM's list has whole; empty for an unknown name.
  virtual std::string_view feature_set(std::string_view processor) const = 0;
  /// The names of all x86 processors that LLVM knows, in order.
  virtual std::vector<std::string> processors() const = 0;
};

/// Both sides of the border compare this text: the two libraries must be of one build.
inline constexpr const char llvm_boundary[] = "tessera " TESSERA_VERSION " llvm boundary 5";

/// The type of the one symbol of the LLVM library, `tessera_llvm_backend`: null where `boundary` is another's.
using LlvmBackendFactory = LlvmBackend* (*)(const char* boundary);

}  // namespace jit
TESSERA_END
