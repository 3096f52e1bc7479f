// Owns the names of builds: which libtessera_jit this is, and which compiler lies beside it.
#pragma once

#include <string>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// The build id of libtessera_jit in hexadecimal digits: it changes with every change of planning.
const std::string& jit_build_id();

/// The build ids of libtessera_llvm and libLLVM, read from their files without opening them as libraries; empty where
/// one of them is not there, as where only compiled kernels are shipped.
const std::string& compiler_build_id();

/// The build id in an ELF file; empty where it has none or cannot be read.
std::string build_id_of(const std::string& file);

/// Where the LLVM library is expected: beside libtessera_jit.
std::string llvm_library_path();

}  // namespace jit
TESSERA_END
