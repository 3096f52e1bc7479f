// Owns the opening of libraries of kernels, and the choice of a kernel by what the user typed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tessera/call/registry.hpp"
#include "tessera/ir/tile.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

/// What LIB.so names: a shared library of kernels, or a file with the Tile IR text of one kernel.
class Library {
 public:
  /// Opens it, for the rest of the process: its code may leave threads behind. It is tried in a child process first, so
  /// that one that crashes ends in a message. Throws UserError.
  explicit Library(const std::string& path);

  /// By name, then hash; never empty.
  const std::vector<RegisteredKernel>& kernels() const { return kernels_; }

  /// The kernel of that name: `gemm`, or where instances of a template share a name `attention@3fa0`, with the first
  /// digits of the hash. An empty name is the only kernel. Throws UserError.
  const RegisteredKernel& kernel(const std::string& name) const;

 private:
  void open_text(const std::string& text);
  void open_library();

  std::string path_;
  std::vector<RegisteredKernel> kernels_;
  std::unique_ptr<ir::Storage> storage_;  // of a text
  std::unique_ptr<ir::Program> program_;
  std::unique_ptr<call::KernelRecord> record_;
};

/// The hash as 32 hexadecimal digits.
std::string hash_text(const RegisteredKernel& kernel);

}  // namespace cli
TESSERA_END
