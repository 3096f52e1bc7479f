// Owns the handles of a kernel's values: Tile, Block, Var, Scalar; and Operand, what every operation takes.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <source_location>
#include <string_view>
#include <type_traits>

#include "tessera/language/dim.hpp"
#include "tessera/language/name.hpp"
#include "tessera/language/recorder.hpp"
#include "tessera/types/values.hpp"

TESSERA_BEGIN

class Tile;
class Block;
class Var;
class Place;
class Slot;
template <ElementType T>
struct Scalar;

/// Infinity, as a literal for any floating tile: `where(seen, x, -inf)`.
inline constexpr double inf = __builtin_inf();

namespace detail {

using Here = std::source_location;

/// What a literal of C++ was.
enum class LiteralKind : std::uint8_t { none, integer, floating, boolean, typed, tunable };

/// A handle of a recorded value; what an `if` of C++ must not branch on.
template <class T>
concept Handle = std::same_as<T, Tile> || std::same_as<T, Var> || std::same_as<T, Place> || std::same_as<T, Slot> ||
                 std::same_as<T, Block>;

template <class T>
struct IsScalar : std::false_type {};
template <class T>
struct IsScalar<Scalar<T>> : std::true_type {};
/// What records when it is used: handles and scalars.
template <class T>
concept Recorded = Handle<T> || IsScalar<T>::value;

/// The element types that C++ has no literals of: f16, bf16, fp8 … are typed literals.
template <class T>
concept TypedLiteral = ElementType<T> && !std::is_arithmetic_v<T>;

/// At run time: the recordings in progress on this thread, the innermost first.
inline Recorder*& recordings() {
  static thread_local Recorder* head = nullptr;
  return head;
}
template <class B>
constexpr bool no_branch() {
  static_assert(
      !sizeof(B),
      "tessera: C++ cannot branch on a tile: use where(c, a, b) for values, if (auto t = k.when(c)) for effects, "
      "while (k.loop(c)) for loops");
  return false;
}

[[noreturn]] void stale_value();  // live.hpp
/// At run time, refuses handles that outlived their recording.
constexpr void check_live(const Recorder* r, unsigned generation) {
  if (!std::is_constant_evaluated()) {
    for (const Recorder* p = recordings(); p != nullptr; p = p->outer)
      if (p == r && p->generation == generation) return;
    stale_value();
  }
}

}  // namespace detail

/// What operations take: a tile, block, Var, place, slot, scalar, Dim or literal, with the line where it was written.
class Operand : public operators::Found {
 public:
  constexpr Operand(const Tile& t, detail::Here l = detail::Here::current());
  constexpr Operand(Tile&& t, detail::Here l = detail::Here::current());
  constexpr Operand(const Block& b, detail::Here l = detail::Here::current());
  constexpr Operand(const Var& v, detail::Here l = detail::Here::current());
  constexpr Operand(const Place& p, detail::Here l = detail::Here::current());
  constexpr Operand(Place&& p, detail::Here l = detail::Here::current());
  constexpr Operand(const Slot& s, detail::Here l = detail::Here::current());
  template <class T>
  constexpr Operand(const Scalar<T>& s, detail::Here l = detail::Here::current());
  template <name N>
  constexpr Operand(Dim<N>, detail::Here l = detail::Here::current())
      : kind(detail::LiteralKind::tunable), tunable(Dim<N>::text()), line(l.line()) {}
  /// `e` outlives the operand: both are of one expression.
  constexpr Operand(const DimExpression& e, detail::Here l = detail::Here::current())
      : kind(detail::LiteralKind::tunable), expression(&e), line(l.line()) {}
  template <class A>
    requires std::is_arithmetic_v<A>
  constexpr Operand(A value, detail::Here l = detail::Here::current()) : line(l.line()) {
    if constexpr (std::is_same_v<A, bool>) {
      kind = detail::LiteralKind::boolean;
      bits = value;
    } else if constexpr (std::is_integral_v<A>) {
      kind = detail::LiteralKind::integer;
      bits = static_cast<std::uint64_t>(value);
      negative = value < A{0};
    } else {
      kind = detail::LiteralKind::floating;
      bits = std::bit_cast<std::uint64_t>(static_cast<double>(value));
    }
  }
  template <detail::TypedLiteral T>
  constexpr Operand(T value, detail::Here l = detail::Here::current())
      : kind(detail::LiteralKind::typed), bits(element_bits(value)), literal_type(dtype_of<T>), line(l.line()) {}
  /// For the operations themselves: node `node` of `r`.
  constexpr Operand(detail::Recorder* r, int node, std::uint32_t at) : recorder(r), id(node), line(at) {}

  constexpr bool is_node() const { return kind == detail::LiteralKind::none; }

  detail::Recorder* recorder = nullptr;
  std::int32_t id = -1;
  detail::LiteralKind kind = detail::LiteralKind::none;
  bool negative = false;   ///< of an integer literal
  bool fresh = false;      ///< a temporary of the same expression
  std::uint64_t bits = 0;  ///< of a literal: two's complement, or a double
  DType literal_type = DType::i64;
  std::string_view tunable;
  const DimExpression* expression = nullptr;
  std::uint32_t line = 0;
};

/// A value: a function of the lanes of its axes (LANGUAGE.md). It cannot be changed; a `Var` can.
class [[maybe_unused]] Tile : public operators::Found {
 public:
  constexpr Tile(detail::Recorder* r, int node) : recorder_(r), id_(node), generation_(r->generation) {}
  constexpr Tile(const Tile&) = default;
  // A copy assignment that only lvalues reach; everything else goes through Operand, which knows its line.
  constexpr void operator=(Tile&) & { refuse(0, false); }
  constexpr void operator=(Operand v) & { refuse(v.line, false); }
  constexpr void operator=(Operand v) && { refuse(v.line, true); }

  /// Of a tile just read from an argument: reads only where `mask` holds, and is `other` elsewhere.
  constexpr Tile where(Operand mask, Operand other) const;

  template <class B>
    requires std::is_same_v<B, bool>
  constexpr explicit operator B() const {
    return detail::no_branch<B>();
  }

  constexpr detail::Recorder* recorder() const { return recorder_; }
  constexpr int id() const { return id_; }
  constexpr unsigned generation() const { return generation_; }

  /// Records that this value was to be changed; `temporary`: it was not even named.
  constexpr void refuse(std::uint32_t line, bool temporary) const;

 private:
  detail::Recorder* recorder_;
  int id_;
  unsigned generation_;
};

/// A piece of an axis: an index of arguments, and as a value its positions (i64, one axis).
class [[maybe_unused]] Block : public operators::Found {
 public:
  constexpr Block(detail::Recorder* r, int node) : recorder_(r), id_(node), generation_(r->generation) {}
  constexpr Block(const Block&) = default;
  constexpr void operator=(Block&) & { refuse_assignment(0); }
  constexpr void operator=(Operand v) & { refuse_assignment(v.line); }
  constexpr operator Tile() const { return {recorder_, id_}; }

  /// The first position, clipped to the extent (i64, no axes).
  constexpr Tile begin() const { return part(ir::Op::block_begin); }
  /// One past the last position, clipped to range and extent.
  constexpr Tile end() const { return part(ir::Op::block_end); }
  /// end − begin.
  constexpr Tile count() const { return part(ir::Op::block_count); }
  /// Which piece of its axis or range this is, from 0.
  constexpr Tile number() const { return part(ir::Op::block_number); }
  /// The block with `low` more lanes before and `high` after: a halo. grow(0) is the same axis.
  constexpr Block grow(int low, int high, detail::Here l = detail::Here::current()) const;
  constexpr Block grow(int both, detail::Here l = detail::Here::current()) const { return grow(both, both, l); }

  template <class B>
    requires std::is_same_v<B, bool>
  constexpr explicit operator B() const {
    return detail::no_branch<B>();
  }

  constexpr detail::Recorder* recorder() const { return recorder_; }
  constexpr int id() const { return id_; }
  constexpr unsigned generation() const { return generation_; }

 private:
  constexpr Tile part(ir::Op op) const;
  constexpr void refuse_assignment(std::uint32_t line) const {
    if (!recorder_->bad) recorder_->fail(line) << "a block is a value: it cannot be assigned";
  }

  detail::Recorder* recorder_;
  int id_;
  unsigned generation_;
};

/// A variable: a tile that loops and branches may change. Copying one makes a new variable of its present value.
/// It takes no axis that it was not declared with, and no wider type.
class [[maybe_unused]] Var : public operators::Found {
 public:
  template <class T>
    requires(detail::Recorded<T> && !std::same_as<T, Var>)
  constexpr Var(const T& value, detail::Here l = detail::Here::current()) : Var(l.line(), Operand(value, l)) {}
  constexpr Var(const Var& value, detail::Here l = detail::Here::current()) : Var(l.line(), Operand(value, l)) {}
  template <class T>
    requires(std::is_arithmetic_v<T> || detail::DimLike<T>)
  constexpr Var(T) : recorder_(nullptr) {
    static_assert(!sizeof(T), "tessera: a number has no kernel and no type here: Var v = k.full<f32>(0)");
  }

  constexpr void operator=(Var& v) & { set(Operand(v, detail::Here{}), 0); }
  constexpr void operator=(Operand v) & { set(v, v.line); }

  constexpr operator Tile() const {
    const Operand o(*this, detail::Here{});
    return {o.recorder, o.id};
  }
  template <class B>
    requires std::is_same_v<B, bool>
  constexpr explicit operator B() const {
    return detail::no_branch<B>();
  }

  constexpr detail::Recorder* recorder() const { return recorder_; }
  constexpr int id() const { return id_; }
  constexpr unsigned generation() const { return generation_; }
  /// Records the assignment of `v`.
  constexpr void set(Operand v, std::uint32_t line);

 private:
  constexpr Var(std::uint32_t line, Operand value);

  detail::Recorder* recorder_;
  int id_ = -1;
  unsigned generation_ = 0;
};

/// A number that a call gives: uniform, of rank 0.
template <ElementType T>
struct Scalar : operators::Found {
  using element = T;
  detail::Recorder* recorder;
  int id;
  unsigned generation;
  constexpr Scalar(detail::Recorder* r, int node, unsigned g) : recorder(r), id(node), generation(g) {}
};

namespace detail {

/// Whether the value may be used here; records why not.
constexpr bool usable(Recorder* r, int id, std::uint32_t line) {
  if (r->bad) return false;
  if (r->usable_region(id)) return true;
  r->fail(line) << "a value made inside a loop or branch (line " << r->line_of(id)
                << ") is used outside it: declare it Var before";
  return false;
}

}  // namespace detail
TESSERA_END
