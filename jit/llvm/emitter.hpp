// Owns the state of one translation of Loop IR to LLVM IR; its parts lie in emit*.cpp by kind of instruction.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "jit/llvm/emit.hpp"
#include "jit/loop/ir.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace jit::detail {

// How values are held in LLVM IR. A vector of n lanes is <n x element>, a scalar the element itself.
//   b8                         i1; one byte, 0 or 1, in memory
//   i4, u4                     i8, sign- and zero-extended; packed in memory
//   e2m1 e2m3 e3m2             i8, their bits zero-extended; packed in memory
//   e4m3 e5m2 e8m0 f16 bf16    i8 and i16, their bits
//   the rest                   as named
class Emitter {
 public:
  Emitter(const loop::Program& program, llvm::Module& module, const EmitOptions& options)
      : program_(program), module_(module), options_(options), b_(module.getContext()) {}

  /// Translates every function. Throws Unsupported where the program has what a CPU lacks or what contradicts itself.
  void run();

 private:
  using Value = llvm::Value;

  // ---- functions, regions, the switch over instructions: emit.cpp ----
  struct Signature {
    std::vector<int> buffers;  // that the function takes as hidden pointers
    llvm::Function* function = nullptr;
  };
  void declare(int index);
  void find_buffers(int index, std::vector<char>& visiting, std::vector<std::vector<char>>& uses);
  void collect(const loop::Region& region, std::vector<char>& visiting, std::vector<std::vector<char>>& uses,
               std::vector<char>& used, std::vector<char>& placed);
  int function_index(const std::string& name) const;
  void define(int index);
  std::vector<Value*> region(const loop::Region& region, const std::vector<Value*>& params);
  void instruction(const loop::Inst& inst);
  void finish(const std::vector<Value*>& results);
  void erase_unused();
  llvm::BasicBlock* block(const char* name);

  // ---- loops, branches, calls: emit_control.cpp ----
  void for_loop(const loop::Inst& inst);
  void while_loop(const loop::Inst& inst);
  void if_else(const loop::Inst& inst);
  void call(const loop::Inst& inst);
  void print(const loop::Inst& inst);
  void fail(const loop::Inst& inst);

  // ---- operators: emit_arithmetic.cpp ----
  Value* constant(const loop::Type& type, std::int64_t bits);
  Value* iota(const loop::Type& type);
  Value* unary(loop::Op op, Value* x, const loop::Type& type);
  Value* binary(loop::Op op, Value* x, Value* y, const loop::Type& type, bool contract = false);
  Value* compare(loop::Op op, Value* x, Value* y, const loop::Type& type);
  Value* fma(Value* x, Value* y, Value* z, const loop::Type& type, bool contract);
  Value* fma_of_groups(const loop::Inst& inst);
  Value* fma_without_fma(Value* x, Value* y, Value* z, const loop::Type& type);
  Value* each_lane(std::size_t function, std::initializer_list<Value*> operands, const loop::Type& type);
  Value* round(loop::Op op, Value* x, const loop::Type& type);
  Value* divide(loop::Op op, Value* x, Value* y, const loop::Type& type);
  Value* quotient(Value* x, Value* y, const loop::Type& type);
  Value* shift(loop::Op op, Value* x, Value* y, const loop::Type& type);
  Value* minmax(loop::Op op, Value* x, Value* y, const loop::Type& type);
  Value* wrap(Value* x, DType type);
  Value* shuffle(const loop::Inst& inst);
  Value* reduce(loop::Op op, Value* x, const loop::Type& type);
  Value* slice(Value* x, int first, int count);

  // ---- conversions: emit_convert.cpp ----
  Value* cast(Value* x, const loop::Type& from, const loop::Type& to, Rounding rounding, Saturation saturation,
              Value* random);
  Value* widen(Value* x, DType from);  // any float type to f32, exactly
  Value* narrow(Value* x, DType from, DType to, Rounding rounding, bool saturate, Value* random);
  Value* narrow_scale(Value* x, Rounding rounding, bool saturate, Value* random);
  Value* integer_to_float(Value* x, DType from, DType to, Rounding rounding, bool saturate, Value* random);
  Value* float_to_integer(Value* x, DType from, DType to, Rounding rounding, bool saturate, Value* random);
  Value* rounds_up(Value* significand, Value* shift, Value* odd, Rounding rounding, Value* random);
  Value* random_word(Value* random);
  Value* below_infinity(Value* x);
  Value* bitcast(Value* x, const loop::Type& from, const loop::Type& to);
  Value* to_bytes(Value* x, const loop::Type& type);  // storage bytes, packed
  Value* from_bytes(Value* x, const loop::Type& type);
  Value* to_storage(Value* x, DType type);  // as its lanes lie in memory, for types of at least a byte
  Value* from_storage(Value* x, DType type);

  // ---- memory: emit_memory.cpp ----
  Value* load(const loop::Inst& inst);
  void store(const loop::Inst& inst);
  Value* gather(const loop::Inst& inst);
  void scatter(const loop::Inst& inst);
  Value* atomic(const loop::Inst& inst);
  Value* compare_exchange(const loop::Inst& inst);
  void prefetch(const loop::Inst& inst);
  void alloc(const loop::Inst& inst);
  void fill(const loop::Inst& inst);
  Value* load_packed(int buffer, Value* offset, int lanes, Value* mask, int zeros);
  void store_packed(int buffer, Value* offset, Value* value, int lanes, Value* mask, int zeros);
  Value* load_packed_scalar(int buffer, Value* index);
  void store_packed_scalar(int buffer, Value* index, Value* value);
  Value* stack_slot(std::int64_t bytes);
  void counted_loop(Value* lo, Value* hi, std::int64_t step, const std::function<void(Value*)>& body);

  // ---- masks without an instruction: emit_masked.cpp ----
  /// Whether the processor loads and stores vectors of such elements under a mask in one instruction.
  bool masks_in_one(int bits) const;
  Value* load_masked(llvm::Type* stored, Value* pointer, llvm::Align alignment, Value* mask, int buffer);
  void store_masked(Value* value, Value* pointer, llvm::Align alignment, Value* mask);
  /// Whether so many bytes from the pointer on can be read at once: those of the mask's lanes are.
  Value* readable(Value* pointer, int bytes, Value* mask);
  void for_each_set(Value* mask, const std::function<void(Value*)>& body);  // of the lane's number, i64
  Value* branch(Value* condition, const std::function<Value*()>& then, const std::function<Value*()>& otherwise);

  // ---- where elements lie: emit_address.cpp ----
  Value* base(int buffer);
  Value* address(int buffer, Value* offset);
  std::pair<Value*, std::int64_t> split(Value* index, int depth = 0);
  Value* shared(llvm::Instruction::BinaryOps op, Value* x, Value* y, Value* made = nullptr);
  llvm::Align align(int buffer, loop::Value offset);
  void annotate(llvm::Instruction* inst, int buffer);

  // ---- types and small pieces ----
  llvm::Type* elem(DType type);
  llvm::Type* type(DType elem, int lanes);
  llvm::Type* type(const loop::Type& t) { return type(t.elem, t.lanes); }
  llvm::Type* integer(llvm::Type* like, int bits);  // integers of `bits` with the lanes of `like`
  llvm::Type* floating(llvm::Type* like, int bits);
  static int lanes_of(Value* x);
  Value* splat(llvm::Type* type, std::int64_t value);  // integer constant
  Value* splat_float(llvm::Type* type, double value);
  Value* spread(Value* scalar, int lanes);
  Value* as(Value* x, llvm::Type* type) { return b_.CreateBitCast(x, type); }
  Value* select(Value* c, Value* a, Value* b) { return b_.CreateSelect(c, a, b); }
  Value* use(loop::Value v) const;
  void set(loop::Value v, Value* value, int zeros = 0);
  const loop::Type& type_of(loop::Value v) const;
  int trailing_zeros(loop::Value v) const;
  Value* word(std::int64_t index);
  Value* hidden_pointer(std::size_t offset);  // a member of Context
  [[noreturn]] void refuse(const loop::Inst& inst, const std::string& why) const;

  struct FunctionState {
    const loop::Function* loop = nullptr;
    llvm::Function* llvm = nullptr;
    Value* frame = nullptr;
    Value* context = nullptr;
    llvm::Instruction* prologue_end = nullptr;  // words, bases and scratch of constant size are emitted before it
    std::vector<Value*> values;
    std::vector<std::uint8_t> zeros;  // known trailing zero bits of integer scalars
    std::vector<Value*> bases;        // by buffer
    std::map<std::int64_t, Value*> words;
  };
  /// What addresses in one basic block share.
  struct Addresses {
    llvm::BasicBlock* block = nullptr;
    std::map<std::tuple<unsigned, Value*, Value*>, Value*> sums;  // by operation and operands
    std::map<std::pair<int, Value*>, Value*> pointers;            // by buffer and index
  };

  const loop::Program& program_;
  llvm::Module& module_;
  EmitOptions options_;
  llvm::IRBuilder<> b_;
  std::vector<Signature> signatures_;
  FunctionState fn_;
  Addresses near_;
};

}  // namespace jit::detail
TESSERA_END
