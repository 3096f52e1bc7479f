// Owns the way passes write Loop IR: a builder that folds constants, shares equal values and hoists pure instructions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "jit/loop/ir.hpp"

TESSERA_BEGIN
namespace loop {

/// Bits of a float or integer constant of type `t` as `constant` holds them.
std::int64_t constant_bits(DType t, double value);

/// Whether an instruction reads and writes no memory and cannot fault, so that it may be shared and hoisted.
bool is_pure(Op op);

/// Writes one function. A pure instruction is emitted in the outermost open region in which its operands exist, and an
/// equal one is found again: what a loop does not change is computed before it.
class Builder {
 public:
  using Values = std::vector<Value>;

  Builder(Program& program, std::string function_name, FunctionKind kind);

  /// Closes the function with `results` and appends it to the program.
  void finish(const Values& results = {});

  Program& program() { return program_; }
  const Function& function() const { return function_; }
  const Type& type(Value v) const { return function_.types[static_cast<std::size_t>(v)]; }
  int lanes(Value v) const { return type(v).lanes; }
  /// Parameters of the function itself: entry has (first, end).
  Value param(Type t);
  std::size_t depth() const { return open_.size(); }

  // ---- values ----
  Value emit(Op op, Type t, const Values& operands, const std::vector<std::int64_t>& imm = {});
  Value constant(Type t, std::int64_t bits);
  Value integer(std::int64_t v) { return constant({DType::i64, 1, -1}, v); }
  Value number(DType t, int lanes, double v);
  std::optional<std::int64_t> known(Value v) const;  ///< the value of an i64, or other integer, scalar constant
  bool is(Value v, std::int64_t c) const {
    auto k = known(v);
    return k && *k == c;
  }
  Value word(int index, DType t = DType::i64);
  Value iota(DType t, int lanes) { return emit(Op::iota, {t, static_cast<std::uint16_t>(lanes), -1}, {}); }

  Value unary(Op op, Value a) { return emit(op, type(a), {a}); }
  Value binary(Op op, Value a, Value b);
  Value compare(Op op, Value a, Value b);
  Value add(Value a, Value b) { return binary(Op::add, a, b); }
  Value sub(Value a, Value b) { return binary(Op::sub, a, b); }
  Value mul(Value a, Value b) { return binary(Op::mul, a, b); }
  Value min(Value a, Value b) { return binary(Op::min, a, b); }
  Value max(Value a, Value b) { return binary(Op::max, a, b); }
  /// a / b rounded up, of i64 that are ≥ 0 and > 0.
  Value ceil_div(Value a, Value b);
  /// The largest multiple of `unit` that is not above n ≥ 0, and the smallest that is not below.
  Value round_down(Value n, std::int64_t unit) { return mul(binary(Op::floor_div, n, integer(unit)), integer(unit)); }
  Value round_up(Value n, std::int64_t unit) { return mul(ceil_div(n, integer(unit)), integer(unit)); }
  Value fma(Value a, Value b, Value c) { return emit(Op::fma, type(c), {a, b, c}); }
  Value select(Value mask, Value a, Value b);
  Value cast(Value a, DType to, std::int64_t mode = 0);
  Value bitcast(Value a, DType to) { return emit(Op::bitcast, {to, type(a).lanes, -1}, {a}); }
  Value broadcast(Value a, int lanes);
  Value extract(Value a, int lane);
  Value shuffle(Value a, Value b, const std::vector<int>& lanes);
  Value logical_and(Value a, Value b);
  Value logical_not(Value a) { return unary(Op::logical_not, a); }
  /// An i1 constant, scalar or splat.
  Value boolean(bool v, int lanes = 1) { return constant({DType::b8, static_cast<std::uint16_t>(lanes), -1}, v); }

  // ---- memory: offsets in elements ----
  int buffer(Buffer b);
  Value load(int buffer, Value offset, Type t, Value mask = -1);
  void store(int buffer, Value offset, Value v, Value mask = -1, std::uint32_t flags = 0);
  Value gather(int buffer, Value offset, Value indices, DType elem, Value mask = -1);
  void scatter(int buffer, Value offset, Value indices, Value v, Value mask = -1);
  Value atomic(int buffer, Value offset, Value v, int kind, int scope);
  void prefetch(int buffer, Value offset, bool write, int locality);
  /// Places a scratch buffer at the start of the function; `count` must exist there.
  void alloc_first(int buffer, Value count);
  void fill(int buffer, Value offset, Value count, Value v);
  void effect(Inst inst);
  /// Appends an instruction with new results of these types.
  Values append(Inst inst, const std::vector<Type>& results);

  // ---- regions ----
  using LoopBody = std::function<Values(Value iv, std::span<const Value> carried)>;
  /// for (iv = lo; iv < hi; iv += step). A loop known to run once, or never, is written without a loop.
  Values for_loop(Value lo, Value hi, Value step, const Values& init, const LoopBody& body);
  void for_loop(Value lo, Value hi, Value step, const std::function<void(Value)>& body);
  Values if_else(Value condition, const std::function<Values()>& then, const std::function<Values()>& otherwise);
  void if_then(Value condition, const std::function<void()>& then);
  Values while_loop(const Values& init,
                    const std::function<std::pair<Value, Values>(std::span<const Value>)>& condition,
                    const std::function<Values(std::span<const Value>)>& body);

 private:
  struct Key {
    Op op;
    Type type;
    Values operands;
    std::vector<std::int64_t> imm;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& k) const;
  };
  struct Open {
    Region region;
    std::unordered_map<Key, Value, KeyHash> known;
  };

  Value fresh(Type t, std::size_t depth);
  void enter() { open_.emplace_back(); }
  Region leave(const Values& yielded);
  std::optional<Value> fold(Op op, Type t, const Values& operands);

  Program& program_;
  Function function_;
  std::vector<Open> open_;
  std::vector<std::uint32_t> depth_;  ///< of each value: in which open region it was made
  std::unordered_map<Value, std::int64_t> constants_;
  std::unordered_map<Value, Value> widened_;  ///< of floats that were cast to a wider type: what they were
};

}  // namespace loop
TESSERA_END
