// Owns what planning for a CPU needs to know of the machine.
#pragma once

#include <cstdint>

#include "tessera/call/config.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cpu {

/// What a caller chose of the blocks of contractions; 0: planning chooses.
struct Blocks {
  std::int64_t kc = 0, mc = 0;
  int rows = 0, vectors = 0;  ///< of a register block
};

/// How programs of a grid add into one array where they overlap.
enum class Adding : std::uint8_t {
  automatic,  ///< what the cost model takes for the fastest
  in_order,   ///< programs that overlap run on one thread, in order: the same bits every time
  copies,     ///< threads add into copies of their own, where arrays are small enough, which are added up at the end
  atomics,    ///< one atomic operation an element
};

/// A CPU as planning sees it.
struct Machine {
  int vector_bytes = 32;  ///< of one vector register: 16 (SSE2), 32 (AVX2), 64 (AVX-512)
  int vector_registers = 16;
  bool has_fma = true;
  bool has_masks = true;          ///< masked loads and stores of 32 and 64 bits in one instruction
  bool has_narrow_masks = false;  ///< … of 8 and 16 bits too (AVX-512BW)
  bool has_byte_dots = false;     ///< sums of four products u8 × i8 into i32 in one instruction (VNNI)
  bool has_bf16_dots = false;     ///< sums of two products of bf16 into f32 in one instruction (AVX512_BF16)
  std::int64_t l1_bytes = 32 << 10;
  std::int64_t l2_bytes = 512 << 10;
  std::int64_t l3_bytes = 16 << 20;
  int threads = 1;  ///< that a call may use
  Blocks blocks;
  Adding adding = Adding::automatic;
  Numerics numerics = Numerics::standard;
  bool deterministic = false;

  /// No product is fused into a sum, and functions use no instruction that other processors lack.
  bool strict() const { return numerics == Numerics::strict; }
  /// Floats are added and multiplied up in one order, ascending, whatever the threads, tile sizes and specialisation.
  bool ordered() const { return deterministic || strict(); }
  int lanes(int element_bytes) const { return vector_bytes / element_bytes; }
};

}  // namespace cpu
TESSERA_END
