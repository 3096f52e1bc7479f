// Owns Recipe: one small kernel for an operation, recorded for any element type, with its data and its bound.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/record.hpp"

namespace conformance {

namespace ir = tessera::ir;
using ir::Op;
using tessera::DType;

/// Element types, one bit each.
using Types = std::uint32_t;
constexpr Types one(DType t) { return Types{1} << static_cast<int>(t); }
constexpr bool has(Types types, DType t) { return (types & one(t)) != 0; }
/// The types of some kinds.
template <class Test>
constexpr Types types_that(Test test) {
  Types all = 0;
  for (int t = 0; t < tessera::dtype_count; ++t)
    if (test(tessera::dtype_table[t])) all |= Types{1} << t;
  return all;
}
inline constexpr Types any_type = types_that([](const tessera::DTypeInfo&) { return true; });
inline constexpr Types numbers = types_that([](const tessera::DTypeInfo& i) { return !i.is_boolean(); });
inline constexpr Types floats = types_that([](const tessera::DTypeInfo& i) { return i.is_floating(); });
inline constexpr Types integers = types_that([](const tessera::DTypeInfo& i) { return i.is_integer(); });
inline constexpr Types not_floats = any_type & ~floats;
inline constexpr Types positions = one(DType::i64);

/// The extents of a run, by the names N, M, K, G, E, P, Q, B.
enum class Shape : std::uint8_t {
  line,     ///< N elements
  rows,     ///< 32 rows (M) of N
  shorts,   ///< M rows of 16 (N)
  product,  ///< M = N = K
  pairs     ///< N of few hundred: work is N²
};

/// What the elements of arrays are. Those called i, g and h are indices: a permutation of 0 … N − 1, any of 0 … N − 1,
/// any of 0 … 255; those called c are conditions.
enum class Data : std::uint8_t {
  ordinary,  ///< floats within ±1, integers that can be multiplied and added
  positive,  ///< floats of 0.5 … 2, integers of 1 … 3
  few,       ///< 0, 1, 2
  ones,      ///< ±1; without a sign 1
  rare       ///< one in 64 is ±1, the others are 0: sums of many fit every type
};

/// What a rate is compared with.
enum class Bound : std::uint8_t {
  copy,      ///< as many bytes as the arguments have, copied in the same cache
  formula,   ///< `work` vector operations an element, two a cycle (or copy, where that takes longer)
  products,  ///< fused multiply-adds of f32, two vectors a cycle
  lanes,     ///< `work` cycles an element that is moved by itself (or copy)
  passes     ///< copy, once for each doubling of what is in order
};

struct Recipe {
  Op op;
  std::string how;  ///< tells recipes of one operation apart; empty where there is one
  Types types;      ///< those that the operation takes
  Shape shape = Shape::line;
  std::function<void(tessera::Kernel, DType)> body;
  Data x = Data::ordinary;  ///< of arrays
  Data y = Data::ordinary;  ///< of the array y
  Bound bound = Bound::copy;
  std::function<double(DType)> work = {};  ///< for a type
};

std::vector<Recipe> elementwise_recipes();
std::vector<Recipe> cast_recipes(DType to);  ///< from every type
std::vector<Recipe> axis_recipes();          ///< reductions, scans, order
std::vector<Recipe> shape_recipes();
std::vector<Recipe> memory_recipes();   ///< arrays, Vars
std::vector<Recipe> control_recipes();  ///< leaves, blocks, control, effects
/// All but the casts between two types.
std::vector<Recipe> all_recipes();

// ---- what bodies are written with ----
inline constexpr tessera::Dim<"BN"> BN;
inline constexpr tessera::Dim<"BM"> BM;

using Names = std::vector<std::string_view>;
inline tessera::Array in(tessera::Kernel k, DType t, std::string_view name, const Names& extents) {
  return k.argument(ir::Effect::in, t, name, extents.data(), static_cast<int>(extents.size()));
}
inline tessera::Array inout(tessera::Kernel k, DType t, std::string_view name, const Names& extents) {
  return k.argument(ir::Effect::inout, t, name, extents.data(), static_cast<int>(extents.size()));
}
inline tessera::Array out(tessera::Kernel k, DType t, const Names& extents, std::string_view name = "r") {
  return k.argument(ir::Effect::out, t, name, extents.data(), static_cast<int>(extents.size()));
}
/// An operation as it stands in the table: nothing is cast, and nothing refused before the verifier sees it.
inline tessera::Tile node(tessera::Kernel k, Op op, DType t, std::initializer_list<tessera::Tile> operands,
                          std::int64_t imm = 0) {
  tessera::detail::Recorder* r = k.recorder();
  std::int32_t ids[4] = {};
  int count = 0;
  for (const tessera::Tile& o : operands) ids[count++] = o.id();
  return tessera::detail::result(r, r->bad ? -1 : r->join(op, t, 0, ids, count, imm));
}
/// One, or true.
inline tessera::Operand unit(DType t) { return t == DType::b8 ? tessera::Operand(true) : tessera::Operand(1); }

}  // namespace conformance
