// Owns View: how a call names memory, its extents and its strides; and the ways to make one.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "tessera/ir/program.hpp"
#include "tessera/types/packed_vector.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN

/// The rank of a view whose rank is known at run time only.
inline constexpr int dynamic_rank = -1;

// g++ does not unroll loops over axes at -O2 by itself, which keeps small arrays in memory: 20 ns a call.
#if defined(__GNUC__) && !defined(__clang__)
#define TESSERA_UNROLL _Pragma("GCC unroll 8")
#else
#define TESSERA_UNROLL
#endif

namespace call {

/// An extent, stride or index of any integer type, so that `{rows, 300}` may mix them.
struct Number {
  std::int64_t value = 0;
  template <std::integral I>
    requires(!std::is_same_v<I, bool>)
  constexpr Number(I number) : value(static_cast<std::int64_t>(number)) {}  // NOLINT: implicit on purpose
};

template <class T>
inline constexpr bool is_packed_element = info(dtype_of<T>).is_sub_byte();

/// What a pointer to elements is: `T*`, or bytes where elements are narrower than one.
template <class T>
using ElementPointer =
    std::conditional_t<is_packed_element<T>, std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>, T>*;

/// The memory that a view may touch, where its container says so; everything otherwise.
struct Bounds {
  std::uintptr_t begin = 0;
  std::uintptr_t end = ~std::uintptr_t{0};
};

template <int Rank>
using Numbers = std::array<std::int64_t, static_cast<std::size_t>(Rank == dynamic_rank ? ir::max_rank : Rank)>;

template <std::size_t R>
constexpr Numbers<static_cast<int>(R)> to_numbers(const Number (&list)[R]) {
  Numbers<static_cast<int>(R)> numbers{};
  TESSERA_UNROLL
  for (std::size_t i = 0; i < R; ++i) numbers[i] = list[i].value;
  return numbers;
}

}  // namespace call

/// An array in memory as a kernel's argument: the address of element (0, …), extents, and strides counted in elements
/// (they may be 0 or negative). It owns nothing and checks nothing: the call that it is given to does, and names the
/// argument. Elements narrower than a byte are packed (see types/packed.hpp): their last axis has stride 1.
template <class T, int Rank>
  requires ElementType<T>
class View {
 public:
  using element_type = T;
  using pointer = call::ElementPointer<T>;
  using Numbers = call::Numbers<Rank>;
  static constexpr int static_rank = Rank;
  static_assert(Rank == dynamic_rank || (Rank >= 0 && Rank <= ir::max_rank), "tessera: arrays have at most 8 axes");

  /// Row-major: the last axis has stride 1.
  constexpr View(pointer data, const Numbers& extents, call::Bounds bounds = {}, int rank = Rank)
      : data_(data), bounds_(bounds), extents_(extents), rank_(rank) {
    std::int64_t stride = 1;
    TESSERA_UNROLL
    for (int i = this->rank() - 1; i >= 0; --i) {
      strides_[at(i)] = stride;
      if (__builtin_mul_overflow(stride, extents_[at(i)], &stride)) {
        // Harmless where it is the size of the whole, which the call checks.
        stride = INT64_MAX;
        if (i > 0) fault_ = "its extents multiply to more than 63 bits hold";
      }
    }
  }
  constexpr View(pointer data, const Numbers& extents, const Numbers& strides, call::Bounds bounds = {},
                 int rank = Rank, const char* fault = nullptr)
      : data_(data), bounds_(bounds), extents_(extents), strides_(strides), fault_(fault), rank_(rank) {}

  constexpr pointer data() const { return data_; }
  constexpr int rank() const { return Rank == dynamic_rank ? rank_ : Rank; }
  constexpr std::int64_t extent(int axis) const { return extents_[at(axis)]; }
  constexpr std::int64_t stride(int axis) const { return strides_[at(axis)]; }
  constexpr call::Bounds bounds() const { return bounds_; }
  /// What went wrong while making this view, or null; the call that it is given to says it.
  constexpr const char* fault() const { return fault_; }

  /// May be given where nothing is written.
  constexpr operator View<const T, Rank>() const
    requires(!std::is_const_v<T>)
  {
    return {data_, extents_, strides_, bounds_, rank_, fault_};
  }

  /// The same elements with the axes in reverse order; for a matrix, its transpose.
  constexpr View transpose() const {
    View result = *this;
    for (int i = 0; i < rank(); ++i) {
      result.extents_[at(i)] = extents_[at(rank() - 1 - i)];
      result.strides_[at(i)] = strides_[at(rank() - 1 - i)];
    }
    return result;
  }

  /// The same elements with two axes (from 0) exchanged.
  constexpr View transpose(int first, int second) const {
    if (!has(first) || !has(second)) return wrong("transpose() names an axis that it lacks");
    View result = *this;
    std::swap(result.extents_[at(first)], result.extents_[at(second)]);
    std::swap(result.strides_[at(first)], result.strides_[at(second)]);
    return result;
  }

  /// The positions first, first + step, … below end of one axis (from 0); a negative step walks down to above end.
  constexpr View slice(int axis, call::Number first, call::Number end, call::Number step = 1) const {
    if (!has(axis)) return wrong("slice() names an axis that it lacks");
    const std::int64_t from = first.value, to = end.value, by = step.value, size = extents_[at(axis)];
    if (by == 0 || by == INT64_MIN) return wrong("slice() has a step of 0");
    const bool inside = by > 0 ? from >= 0 && from <= to && to <= size : to >= -1 && to <= from && from < size;
    if (!inside) return wrong("slice() reaches outside the array");
    const std::int64_t span = by > 0 ? to - from : from - to, length = by > 0 ? by : -by;
    View result = *this;
    result.extents_[at(axis)] = span / length + (span % length != 0);
    if (__builtin_mul_overflow(strides_[at(axis)], by, &result.strides_[at(axis)]))
      return wrong("slice() has a stride that overflows");
    return result.moved(axis, from, strides_[at(axis)]);
  }

  /// One position of one axis (from 0): a view of one axis less.
  constexpr auto pick(int axis, call::Number position) const {
    static_assert(Rank != 0, "tessera: pick() needs an axis");
    constexpr int rank_left = Rank == dynamic_rank ? dynamic_rank : Rank - 1;
    call::Numbers<rank_left> extents{}, strides{};
    const bool inside = has(axis) && position.value >= 0 && position.value < extents_[at(axis)];
    for (int i = 0, j = 0; i < rank(); ++i)
      if (i != axis && j < rank() - 1) {
        extents[at(j)] = extents_[at(i)];
        strides[at(j++)] = strides_[at(i)];
      }
    const View whole = inside ? moved(axis, position.value, strides_[at(axis)]) : *this;
    return View<T, rank_left>(whole.data_, extents, strides, bounds_, rank() - 1,
                              inside ? whole.fault_ : "pick() names a position that it lacks");
  }

  /// The same address and extents with these strides, in elements.
  template <std::size_t R>
  constexpr View strides(const call::Number (&list)[R]) const {
    static_assert(Rank == dynamic_rank || Rank == static_cast<int>(R), "tessera: strides() needs one stride an axis");
    if (static_cast<int>(R) != rank()) return wrong("strides() needs one stride an axis");
    View result = *this;
    for (std::size_t i = 0; i < R; ++i) result.strides_[i] = list[i].value;
    return result;
  }

 private:
  static constexpr std::size_t at(int axis) { return static_cast<std::size_t>(axis); }
  constexpr bool has(int axis) const { return axis >= 0 && axis < rank(); }
  constexpr View wrong(const char* why) const {
    View result = *this;
    if (result.fault_ == nullptr) result.fault_ = why;
    return result;
  }

  /// With its first element `position` steps of `stride` elements further along an axis.
  constexpr View moved(int axis, std::int64_t position, std::int64_t stride) const {
    View result = *this;
    std::int64_t elements = 0;
    if (__builtin_mul_overflow(position, stride, &elements)) return wrong("its offsets overflow 63 bits");
    if (elements == 0 || result.extents_[at(axis)] == 0) return result;
    if constexpr (call::is_packed_element<T>) {
      std::int64_t bits = 0;
      if (__builtin_mul_overflow(elements, info(dtype_of<T>).bits, &bits)) return wrong("its offsets overflow 63 bits");
      if (bits % 8 != 0) return wrong("it starts inside a byte of packed elements");
      result.data_ += bits / 8;
    } else {
      result.data_ += elements;
    }
    return result;
  }

  pointer data_ = nullptr;
  call::Bounds bounds_;
  Numbers extents_{};
  Numbers strides_{};
  const char* fault_ = nullptr;
  int rank_ = 0;
};

namespace call {

template <class T>
inline constexpr bool is_view = false;
template <class T, int Rank>
inline constexpr bool is_view<View<T, Rank>> = true;

template <class T>
inline constexpr bool is_packed_container = false;
template <class T>
inline constexpr bool is_packed_container<PackedVector<T>> = true;
template <class T>
inline constexpr bool is_packed_container<PackedSpan<T>> = true;

/// What the elements of a container are, const where they cannot be written through it.
template <class C>
struct ContainerElement {
  using type = std::remove_pointer_t<decltype(std::declval<C&>().data())>;
};
template <class C>
  requires is_packed_container<std::remove_cvref_t<C>>
struct ContainerElement<C> {
  using bytes = std::remove_pointer_t<decltype(std::declval<C&>().data())>;
  using value = typename std::remove_cvref_t<C>::value_type;
  using type = std::conditional_t<std::is_const_v<bytes>, const value, value>;
};

template <class T>
concept PlainElement = ElementType<T> && !is_packed_element<T>;

/// Something with contiguous elements and a size: std::vector, std::span, std::array, packed vectors and spans.
template <class C>
concept Container =
    !is_view<std::remove_cvref_t<C>> && !std::is_array_v<std::remove_cvref_t<C>> && requires(C& container) {
      { container.data() };
      { container.size() } -> std::convertible_to<std::size_t>;
      requires std::is_pointer_v<decltype(container.data())>;
    } && (is_packed_container<std::remove_cvref_t<C>> || PlainElement<typename ContainerElement<C>::type>);

/// Something like std::mdspan: data_handle(), extent(i), stride(i), rank().
template <class M>
concept MdspanLike = requires(const std::remove_cvref_t<M>& m, std::size_t i) {
  {m.data_handle()};
  { m.stride(i) } -> std::convertible_to<std::int64_t>;
  { std::remove_cvref_t<M>::rank() } -> std::convertible_to<int>;
}
&&(
    requires(const std::remove_cvref_t<M>& m, std::size_t i) {
      { m.extent(i) } -> std::convertible_to<std::int64_t>;
    } ||
    requires(const std::remove_cvref_t<M>& m, std::size_t i) {
      { m.extents().extent(i) } -> std::convertible_to<std::int64_t>;
    }) &&
    PlainElement<std::remove_pointer_t<decltype(std::declval<const std::remove_cvref_t<M>&>().data_handle())>>;

template <class T>
constexpr Bounds bounds_of(ElementPointer<T> data, std::size_t size) {
  if (std::is_constant_evaluated()) return {};
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const DType type = dtype_of<T>;
  return {begin, begin + packed_bytes(type, size)};
}

template <class C>
constexpr auto container_bounds(C& container) {
  return bounds_of<typename ContainerElement<C>::type>(container.data(), container.size());
}

}  // namespace call

// view(…): the ways to make a View. Extents and strides are braced lists of integers, which fix the rank.

/// `extents` elements at `data`, row-major.
template <class T, std::size_t R>
  requires ElementType<T>
constexpr View<T, static_cast<int>(R)> view(T* data, const call::Number (&extents)[R]) {
  static_assert(!call::is_packed_element<T>,
                "tessera: elements narrower than a byte are packed: use PackedVector, PackedSpan or view<T>(bytes, …)");
  return {data, call::to_numbers(extents)};
}
/// `extents` elements at `data` with these strides, in elements.
template <class T, std::size_t R>
  requires ElementType<T>
constexpr View<T, static_cast<int>(R)> view(T* data, const call::Number (&extents)[R],
                                            const call::Number (&strides)[R]) {
  return view(data, extents).strides(strides);
}

/// Packed elements (i4, u4, fp4, fp6) in raw bytes: `view<e2m1>(bytes, {512, 300})`.
template <class T, std::size_t R, class Byte>
  requires(ElementType<T> && call::is_packed_element<T> && std::is_same_v<std::remove_const_t<Byte>, std::byte>)
constexpr auto view(Byte* data, const call::Number (&extents)[R]) {
  using Element = std::conditional_t<std::is_const_v<Byte>, const T, T>;
  return View<Element, static_cast<int>(R)>(data, call::to_numbers(extents));
}

/// The elements of a container, row-major; the call checks that there are enough.
template <call::Container C, std::size_t R>
constexpr auto view(C&& container, const call::Number (&extents)[R]) {
  using T = typename call::ContainerElement<C>::type;
  return View<T, static_cast<int>(R)>(container.data(), call::to_numbers(extents), call::container_bounds(container));
}
template <call::Container C, std::size_t R>
constexpr auto view(C&& container, const call::Number (&extents)[R], const call::Number (&strides)[R]) {
  return view(container, extents).strides(strides);
}

/// All elements of a container, as one axis.
template <call::Container C>
constexpr auto view(C&& container) {
  return view(container, {container.size()});
}

/// A C array of any rank: `float a[4][5]`.
template <class T>
  requires(std::is_array_v<T> && std::extent_v<T> != 0 && call::PlainElement<std::remove_all_extents_t<T>>)
constexpr auto view(T& array) {
  using Element = std::remove_all_extents_t<T>;
  constexpr int rank = static_cast<int>(std::rank_v<T>);
  call::Numbers<rank> extents{};
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((extents[I] = static_cast<std::int64_t>(std::extent_v<T, I>)), ...);
  }(std::make_index_sequence<static_cast<std::size_t>(rank)>{});
  auto* data = reinterpret_cast<Element*>(&array);
  return View<Element, rank>(data, extents, call::bounds_of<Element>(data, sizeof(T) / sizeof(Element)));
}

/// An std::mdspan, or anything like it.
template <call::MdspanLike M>
constexpr auto view(const M& m) {
  using T = std::remove_pointer_t<decltype(m.data_handle())>;
  constexpr int rank = static_cast<int>(M::rank());
  call::Numbers<rank> extents{}, strides{};
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if constexpr (requires { m.extent(i); })
      extents[i] = static_cast<std::int64_t>(m.extent(i));
    else
      extents[i] = static_cast<std::int64_t>(m.extents().extent(i));
    strides[i] = static_cast<std::int64_t>(m.stride(i));
  }
  return View<T, rank>(m.data_handle(), extents, strides);
}

/// `extents` elements at `data`, row-major, of a rank that is known at run time only (at most 8).
template <class T, call::Container E>
  requires(ElementType<T> && !call::is_packed_element<T> && std::integral<typename std::remove_cvref_t<E>::value_type>)
constexpr View<T, dynamic_rank> view(T* data, const E& extents) {
  call::Numbers<dynamic_rank> numbers{};
  if (extents.size() > numbers.size()) return {data, numbers, numbers, {}, 0, "it has more than 8 axes"};
  for (std::size_t i = 0; i < extents.size(); ++i) numbers[i] = static_cast<std::int64_t>(extents.data()[i]);
  return {data, numbers, call::Bounds{}, static_cast<int>(extents.size())};
}

TESSERA_END
