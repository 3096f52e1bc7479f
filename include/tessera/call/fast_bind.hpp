// Owns the quick check of a repeated call: compile-time tables of a captured kernel, straight-line code, one answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tessera/call/argument.hpp"
#include "tessera/call/extents.hpp"
#include "tessera/call/frame.hpp"
#include "tessera/call/uniform.hpp"
#include "tessera/ir/program.hpp"
#include "tessera/language/messages.hpp"
#include "tessera/version.hpp"

// `fast_bind` accepts what is plainly right: extents ≥ 1 that agree, data that is there and aligned, strides that are
// not negative and, of what is written, nest; memory intervals that are disjoint. What it does not accept is looked at
// again by bind.hpp. It computes everything and branches once.

TESSERA_BEGIN
namespace call {

template <class A>
using ViewOf = decltype(as_view(std::declval<A&>()));

/// A text of compile time.
struct Fault {
  tessera::detail::Text text;
  bool wrong = false;
};

/// What is wrong with the types of a call's arguments, found at compile time.
template <class Captured, class... Args>
struct TypeFaults {
  static constexpr ir::Program program = Captured::program;
  static constexpr FrameLayout layout = frame_layout(program);

  template <std::size_t I, class A>
  static constexpr void check(Fault& fault) {
    if (fault.wrong || I >= layout.args) return;
    const ir::Arg& arg = program.args[I];
    const std::string_view name = program.str(arg.name), type = dtype_name(arg.type);
    const auto say = [&](auto... pieces) {
      fault.wrong = true;
      fault.text << program.name << ": argument " << name << " ";
      (void)(fault.text << ... << pieces);
    };
    if (!is_array(arg)) {
      if (!Numeric<std::remove_cv_t<A>>) say("is a scalar of ", type, ": pass a number");
      return;
    }
    if constexpr (!ArrayArgument<A>) {
      say("is an array of ", type, ": pass a view, a container or an mdspan of such elements");
    } else {
      using V = ViewOf<A>;
      const DType given = dtype_of<typename V::element_type>;
      if (given != arg.type)
        say("has elements of ", type, ", but those given are ", dtype_name(given));
      else if (is_written(arg) && std::is_const_v<typename V::element_type>)
        say("is written, but what is given is const");
      else if (V::static_rank != dynamic_rank && V::static_rank != arg.rank)
        say("has rank ", int{arg.rank}, ", but the array given has rank ", V::static_rank,
            ": view(data, {extents}) gives one extent an axis");
    }
  }

  static constexpr Fault find() {
    Fault fault;
    if (sizeof...(Args) != layout.args) {
      fault.wrong = true;
      fault.text << program.name << " takes " << layout.args << " arguments, but " << sizeof...(Args) << " are given";
      return fault;
    }
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (check<I, Args>(fault), ...);
    }(std::index_sequence_for<Args...>{});
    for (std::size_t i = 0; !fault.wrong && i < program.extents.size(); ++i)
      if (binding_entry(program, static_cast<int>(i)) < 0) {
        fault.wrong = true;
        fault.text << program.name << ": extent " << program.str(program.extents[i].base)
                   << " cannot be found from the arguments: some array needs an axis of just that name";
      }
    return fault;
  }
  static constexpr Fault found = find();
  static constexpr std::string_view message() { return found.text.view(); }
};

/// Refuses a call whose argument types cannot be right, as a compile error with a sentence.
template <class Captured, class... Args>
constexpr bool types_fit() {
  using Faults = TypeFaults<Captured, Args...>;
  if constexpr (Faults::found.wrong) (void)&tessera::detail::Report<Faults>::report;
  return !Faults::found.wrong;
}

/// The quick check of one captured kernel. Args are the (possibly const) types of the arguments.
template <class Captured>
struct FastBinder {
  static constexpr const ir::Program& program = Captured::program;
  static constexpr FrameLayout layout = frame_layout(program);

  /// Bytes [first, end) of an array, and the extents that the signature names.
  struct Interval {
    std::uintptr_t first = 0, end = 0;
  };
  struct State {
    std::array<Interval, layout.args> intervals;
    std::array<std::int64_t, layout.strides> extents;
  };

  template <class... Args>
  [[gnu::always_inline]] static inline bool run(std::uint64_t* frame, Args&... args) {
    State state;
    bool ok = true;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((ok &= argument<I>(frame, state, args)), ...);
    }(std::index_sequence_for<Args...>{});
    [&]<std::size_t... X>(std::index_sequence<X...>) {
      ((ok &= bind_extent<X>(frame, state)), ...);
    }(std::make_index_sequence<layout.extents>{});
    [&]<std::size_t... E>(std::index_sequence<E...>) {
      ((ok &= state.extents[E] == static_cast<std::int64_t>(frame[extent_word(E)])), ...);
    }(std::make_index_sequence<layout.strides>{});
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((ok &= apart<I>(state, std::index_sequence<I...>{})), ...);
    }(std::index_sequence_for<Args...>{});
    if (!ok) return false;
    return [&]<std::size_t... E>(std::index_sequence<E...>) {
      return (expected<E>(frame) && ...);
    }(std::make_index_sequence<condition_count()>{});
  }

 private:
  static constexpr std::size_t extent_word(std::size_t entry) {
    return layout.extent_word(static_cast<std::size_t>(program.arg_extents[entry]));
  }

  template <std::size_t I, class A>
  [[gnu::always_inline]] static inline bool argument(std::uint64_t* frame, State& state, A& given) {
    constexpr ir::Arg arg = program.args[I];
    if constexpr (!is_array(arg))
      return scalar_word<arg.type, std::remove_cv_t<A>>(given, frame[layout.arg_word(I)]);
    else
      return array<I>(frame, state, as_view(given));
  }

  template <std::size_t I, class V>
  [[gnu::always_inline]] static inline bool array(std::uint64_t* frame, State& state, const V& view) {
    constexpr ir::Arg arg = program.args[I];
    constexpr std::uint64_t width = info(arg.type).bits;
    constexpr auto first = static_cast<std::size_t>(arg.first_extent);
    const auto data = reinterpret_cast<std::uintptr_t>(view.data());
    bool ok = view.fault() == nullptr && data != 0;
    if constexpr (V::static_rank == dynamic_rank) ok &= view.rank() == arg.rank;
    if constexpr (width > 8) ok &= data % (width / 8) == 0;
    frame[layout.arg_word(I)] = data;
    std::int64_t reach = 0;  // the offset of the last element, in elements
    TESSERA_UNROLL
    for (int axis = arg.rank - 1; axis >= 0; --axis) {
      const auto at = static_cast<std::size_t>(axis);
      const std::int64_t extent = view.extent(axis), stride = view.stride(axis);
      state.extents[first + at] = extent;
      frame[layout.stride_word(first + at)] = static_cast<std::uint64_t>(stride);
      if constexpr (width < 8) {
        if (axis == arg.rank - 1)
          ok &= stride == 1;
        else if (is_written(arg))
          ok &= stride % 8 * static_cast<std::int64_t>(width) % 8 == 0;
      }
      // Below 2^62 and 2^57, products cannot wrap unnoticed: the multiplication says so.
      std::int64_t span = 0;
      ok &= extent >= 1;
      ok &= stride > (is_written(arg) ? reach : -1);
      ok &= !__builtin_mul_overflow(extent - 1, stride, &span);
      ok &= static_cast<std::uint64_t>(span) < limit;
      reach = static_cast<std::int64_t>(static_cast<std::uint64_t>(reach) + static_cast<std::uint64_t>(span));
      ok &= static_cast<std::uint64_t>(reach) < limit;
    }
    const std::uint64_t elements = static_cast<std::uint64_t>(reach) + 1;
    const std::uintptr_t end = data + (width >= 8 ? elements * (width / 8) : (elements * width + 7) / 8);
    ok &= data < limit;
    ok &= data >= view.bounds().begin;
    ok &= end <= view.bounds().end;
    state.intervals[I] = {data, end};
    return ok;
  }
  static constexpr std::uint64_t limit = std::uint64_t{1} << 53;  // elements and addresses; more is for bind.hpp

  template <std::size_t X>
  [[gnu::always_inline]] static inline bool bind_extent(std::uint64_t* frame, const State& state) {
    constexpr ir::Extent wanted = program.extents[X];
    constexpr auto entry = static_cast<std::size_t>(binding_entry(program, static_cast<int>(X)));
    constexpr ir::Extent binding = program.extents[static_cast<std::size_t>(program.arg_extents[entry])];
    const std::int64_t base = state.extents[entry] - binding.plus;
    frame[layout.extent_word(X)] = static_cast<std::uint64_t>(extent_value(wanted, base));
    return base >= 0;
  }

  /// Whether array I, if it is written, shares no bytes with others (plainly).
  template <std::size_t I, std::size_t... J>
  [[gnu::always_inline]] static inline bool apart(const State& state, std::index_sequence<J...>) {
    bool ok = true;
    ((ok &= pair_apart<I, J>(state)), ...);
    return ok;
  }
  template <std::size_t I, std::size_t J>
  [[gnu::always_inline]] static inline bool pair_apart(const State& state) {
    constexpr ir::Arg a = program.args[I], b = program.args[J];
    if constexpr (I == J || !is_array(a) || !is_array(b) || !is_written(a) || (is_written(b) && J < I))
      return true;
    else
      return (static_cast<int>(state.intervals[I].end <= state.intervals[J].first) |
              static_cast<int>(state.intervals[J].end <= state.intervals[I].first)) != 0;
  }

  static constexpr bool is_condition(const ir::Node& node) {
    return node.op == ir::Op::expects && uniformity(program, program.operand(node, 0)) == Uniformity::frame;
  }
  static constexpr std::size_t condition_count() {
    std::size_t count = 0;
    for (const ir::Node& node : program.nodes) count += is_condition(node);
    return count;
  }
  static constexpr std::int32_t condition(std::size_t number) {
    for (const ir::Node& node : program.nodes)
      if (is_condition(node) && number-- == 0) return program.operand(node, 0);
    return -1;
  }
  template <std::size_t Number>
  [[gnu::always_inline]] static inline bool expected(const std::uint64_t* frame) {
    const Uniform value = evaluate_captured<Captured, condition(Number)>(frame);
    return value.defined && value.word != 0;
  }
};

/// Fills the Frame and says yes where everything is plainly right. Needs `types_fit<Captured, Args...>()`.
template <class Captured, class... Args>
[[gnu::always_inline]] inline bool fast_bind(std::uint64_t* frame, Args&... args) {
  return FastBinder<Captured>::run(frame, args...);
}

/// The same arguments with their types erased, for the full check: bind.hpp.
template <class Captured, class... Args>
auto raw_arguments(Args&... args) noexcept {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<RawArg, sizeof...(Args)>{raw_argument(args, !is_array(Captured::program.args[I]))...};
  }(std::index_sequence_for<Args...>{});
}

}  // namespace call
TESSERA_END
