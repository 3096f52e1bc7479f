// Owns the data of Loop IR: structured loops over machine values, buffers, roles and channels, for one class of
// machine.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "jit/loop/ops.hpp"
#include "tessera/types/dtype.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace loop {

/// Where a buffer lives.
enum class Space : std::uint8_t {
  global,     ///< an argument of the kernel (Buffer::word) or memory of the whole device
  scratch,    ///< private to one execution of the entry (CPU: cached memory of the calling thread)
  shared,     ///< one program's on-chip memory (GPU shared memory, LDS)
  registers,  ///< private to one lane
  local,      ///< a processing element's own memory
};

/// Which part of the machine a factor of a layout runs over.
enum class Place : std::uint8_t { registers, lane, warp, element_x, element_y };

/// Who takes part in an atomic, a fence or a barrier.
enum class Scope : std::uint8_t { thread, program, device, warp, role };

/// One factor of a layout: `size` consecutive steps of `stride` along dimension `dim` laid over `place`. Stride 0: each
/// of the `size` places holds a copy.
struct Factor {
  std::uint8_t dim = 0;
  Place place = Place::registers;
  std::int32_t size = 1;
  std::int32_t stride = 1;
  bool operator==(const Factor&) const = default;
};

/// How the coordinates of a tile map to registers, lanes, warps and processing elements. Within a place the first
/// factor listed varies fastest.
struct Layout {
  std::string name;
  std::vector<std::int32_t> shape;
  std::vector<Factor> factors;
  bool operator==(const Layout&) const = default;
};

/// The type of a value: a scalar (lanes 1), a vector (lanes > 1) or a tile (layout ≥ 0, an index into
/// Program::layouts). Masks are b8; pointers are no values (see Buffer).
struct Type {
  DType elem = DType::i64;
  std::uint16_t lanes = 1;
  std::int16_t layout = -1;
  bool operator==(const Type&) const = default;
};

/// Memory with one element type. Instructions address it by an element offset (i64) from its start.
struct Buffer {
  std::string name;
  DType elem = DType::f32;
  Space space = Space::scratch;
  std::int32_t word = -1;    ///< global: the frame word that holds its address; otherwise −1: placed by an `alloc`
  std::int32_t align = 64;   ///< bytes; global: what is proven
  std::int32_t swizzle = 0;  ///< bytes of an XOR swizzle (0, 32, 64, 128)
  bool read_only = false;
  bool no_alias = true;  ///< no other buffer of the program overlaps it
  std::vector<std::int64_t>
      shape;  ///< static extents where known (shared, registers, local: required; else may be empty)
};

/// What joins roles: a ring of `depth` slots; acquire/commit on the producer's side, wait/release on the consumer's.
struct Channel {
  std::string name;
  std::int32_t depth = 1;                     ///< slots; of a colour: elements that the fabric holds
  std::int32_t producers = 1, consumers = 1;  ///< arrivals that complete a slot; of a colour: who sends, who receives
  std::int32_t bytes = 0;                     ///< transaction bytes a slot expects (mbarrier + TMA), 0 for none
  std::int32_t colour = -1;                   ///< CSL colour, −1 elsewhere
};

using Value = std::int32_t;  ///< index into Function::types

struct Inst;

/// A list of instructions with block parameters; the last instruction is a `yield` whose operands are its results.
struct Region {
  std::vector<Value> params;
  std::vector<Inst> body;
};

/// One instruction. The meaning of operands, imm and regions stands beside each row of ops.hpp.
struct Inst {
  Op op = Op::constant;
  std::int32_t buffer = -1;  ///< memory instructions: which buffer;  channel instructions: which channel
  std::uint32_t flags = 0;
  std::vector<Value> results;
  std::vector<Value> operands;
  std::vector<std::int64_t> imm;
  std::string text;  ///< call: the callee; print, fail: the text; mma: the shape's name
  std::vector<Region> regions;
};

enum InstFlags : std::uint32_t {
  flag_masked = 1,       ///< load, store, gather, scatter: the last operand is a mask
  flag_nontemporal = 2,  ///< store a whole vector past the caches; its address is a multiple of its size
  flag_unroll = 4,       ///< for: unroll fully when expanded
  flag_contract = 8,     ///< fmul/fadd may be contracted
  flag_volatile = 16,
  flag_branch = 32,  ///< select: prefer a branch
};

enum class FunctionKind : std::uint8_t { entry, helper, host };

/// A function. `entry` takes (first: i64, end: i64), the range of grid programs to run; frame words are read by `word`.
/// A helper takes and returns values; it may use every buffer of the program. `host` runs once before the launch;
/// it may return the number of the grid's programs (an i64).
struct Function {
  std::string name;
  FunctionKind kind = FunctionKind::helper;
  std::vector<Type> types;         ///< of every value of the function
  std::vector<Type> result_types;  ///< helper: what its yield returns
  Region body;
};

/// A Loop IR program.
struct Program {
  std::string name;
  std::string machine;  ///< "cpu", "sm_90a", "gfx942", "wse" …
  std::vector<Layout> layouts;
  std::vector<Buffer> buffers;
  std::vector<Channel> channels;
  std::vector<Function> functions;
  std::vector<std::pair<std::string, std::int64_t>> attributes;  ///< launch facts: warps, mesh size, scratch bytes …
};

}  // namespace loop
TESSERA_END
