// Owns the opening of the LLVM library, which lies beside this one: kernels that come from a cache never load it.
#include <dlfcn.h>

#include <string>

#include "jit/cache/build_id.hpp"
#include "jit/runtime/compile.hpp"
#include "tessera/call/errors.hpp"

#ifndef TESSERA_LLVM_LIBRARY
#define TESSERA_LLVM_LIBRARY "libtessera_llvm.so"
#endif

TESSERA_BEGIN
namespace jit {
namespace {

struct Library {
  LlvmBackend* backend = nullptr;
  std::string absent;

  Library() {
    const std::string path = llvm_library_path();
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    std::string first = handle ? "" : dlerror();
    if (!handle) handle = dlopen(TESSERA_LLVM_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
      absent = "kernels cannot be compiled here: " + first +
               "\n  hint: build Tessera with LLVM 19 (Debian: llvm-19-dev); until then kernels run in the interpreter";
      return;
    }
    auto factory = reinterpret_cast<LlvmBackendFactory>(dlsym(handle, "tessera_llvm_backend"));
    backend = factory ? factory(llvm_boundary) : nullptr;
    if (!backend)
      absent = path + " is of another build than this library (" + llvm_boundary + ")\n  hint: install both anew";
  }
};

const Library& library() {
  static const Library opened;
  return opened;
}

}  // namespace

LlvmBackend& llvm_backend() {
  if (!library().backend) throw DeviceError(library().absent);
  return *library().backend;
}

std::string llvm_backend_absent() { return library().absent; }

}  // namespace jit
TESSERA_END
