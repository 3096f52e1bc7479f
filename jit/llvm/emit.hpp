// Owns the entry of the translation of Loop IR to LLVM IR.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "jit/loop/ir.hpp"
#include "tessera/version.hpp"

namespace llvm {
class Module;
}

TESSERA_BEGIN
namespace jit::detail {

/// What the program has and this emitter, or the machine it emits for, lacks. Found before any code generation: LLVM
/// itself ends the process when it meets what it cannot lower.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the translation depends on beyond the program.
struct EmitOptions {
  bool fma = true;        ///< the processor has `fma`; otherwise it is several instructions, or a call
  bool f16c = true;       ///< the processor converts f16
  bool round = true;      ///< the processor rounds floats to integers (SSE4.1)
  int vector_bits = 256;  ///< of the widest vector of integers that has arithmetic
  bool vnni = false;      ///< sums of products of bytes and of i16 into i32 (AVX512_VNNI, AVX_VNNI)
  bool bf16 = false;      ///< sums of products of bf16 into f32 (AVX512_BF16)
};

/// Translates `program` into `module`. Entry and host functions get external linkage and their own names, helpers
/// internal linkage; a host function is int64 NAME(const uint64* frame, Context*). Throws Unsupported.
void emit(const loop::Program& program, llvm::Module& module, const EmitOptions& options);

}  // namespace jit::detail
TESSERA_END
