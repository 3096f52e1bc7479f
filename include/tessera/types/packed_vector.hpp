// Owns the host containers of packed elements: PackedSpan, a view, and PackedVector, which owns its bytes.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <type_traits>
#include <vector>

#include "tessera/types/packed.hpp"
#include "tessera/types/values.hpp"

TESSERA_BEGIN

/// A stand-in for one packed element: reads as a T, and is assigned one.
template <ElementType T>
class PackedReference {
 public:
  constexpr PackedReference(std::byte* data, std::size_t index) : data_(data), index_(index) {}
  PackedReference(const PackedReference&) = default;

  constexpr operator T() const { return element_from_bits<T>(load_packed(dtype_of<T>, data_, index_)); }
  constexpr const PackedReference& operator=(T value) const {
    store_packed(dtype_of<T>, data_, index_, element_bits(value));
    return *this;
  }
  constexpr const PackedReference& operator=(const PackedReference& other) const {
    return *this = static_cast<T>(other);
  }

 private:
  std::byte* data_;
  std::size_t index_;
};

/// Reads elements in order, by value.
template <ElementType T>
class PackedIterator {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;

  constexpr PackedIterator() = default;
  constexpr PackedIterator(const std::byte* data, std::size_t index) : data_(data), index_(index) {}
  constexpr T operator*() const { return element_from_bits<T>(load_packed(dtype_of<T>, data_, index_)); }
  constexpr PackedIterator& operator++() {
    ++index_;
    return *this;
  }
  constexpr PackedIterator operator++(int) {
    PackedIterator old = *this;
    ++index_;
    return old;
  }
  constexpr bool operator==(const PackedIterator& other) const { return index_ == other.index_; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t index_ = 0;
};

/// A view of `size` packed elements, from the start of a byte; `const T` cannot be written. Does not check indices.
template <class T>
  requires ElementType<T>
class PackedSpan {
 public:
  using value_type = std::remove_const_t<T>;
  using byte_type = std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>;

  constexpr PackedSpan() = default;
  constexpr PackedSpan(byte_type* data, std::size_t size) : data_(data), size_(size) {}
  constexpr operator PackedSpan<const value_type>() const { return {data_, size_}; }

  constexpr byte_type* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr std::size_t bytes() const { return packed_bytes(dtype_of<T>, size_); }

  constexpr auto operator[](std::size_t index) const {
    if constexpr (std::is_const_v<T>)
      return element_from_bits<value_type>(load_packed(dtype_of<T>, data_, index));
    else
      return PackedReference<T>(data_, index);
  }
  constexpr PackedIterator<value_type> begin() const { return {data_, 0}; }
  constexpr PackedIterator<value_type> end() const { return {data_, size_}; }

 private:
  byte_type* data_ = nullptr;
  std::size_t size_ = 0;
};

/// `size` packed elements, at first the type's pattern 0 (zero; 2^-127 for e8m0). Does not check indices.
template <ElementType T>
class PackedVector {
 public:
  using value_type = T;

  constexpr PackedVector() = default;
  explicit constexpr PackedVector(std::size_t size) { resize(size); }
  constexpr PackedVector(std::initializer_list<T> values) {
    for (T value : values) push_back(value);
  }

  constexpr std::byte* data() { return data_.data(); }
  constexpr const std::byte* data() const { return data_.data(); }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr std::size_t bytes() const { return data_.size(); }

  constexpr PackedReference<T> operator[](std::size_t index) { return {data_.data(), index}; }
  constexpr T operator[](std::size_t index) const {
    return element_from_bits<T>(load_packed(dtype_of<T>, data_.data(), index));
  }
  constexpr PackedIterator<T> begin() const { return {data_.data(), 0}; }
  constexpr PackedIterator<T> end() const { return {data_.data(), size_}; }

  constexpr operator PackedSpan<T>() { return {data_.data(), size_}; }
  constexpr operator PackedSpan<const T>() const { return {data_.data(), size_}; }

  /// Keeps the first elements; new ones have the pattern 0.
  constexpr void resize(std::size_t size) {
    data_.resize(packed_bytes(dtype_of<T>, size));
    const std::size_t used =
        size % 8 * info(dtype_of<T>).bits % 8;  // bits of the last byte; the rest held dropped ones
    if (used != 0) data_.back() &= static_cast<std::byte>((1u << used) - 1);
    size_ = size;
  }
  constexpr void push_back(T value) {
    data_.resize(packed_bytes(dtype_of<T>, size_ + 1));
    store_packed(dtype_of<T>, data_.data(), size_++, element_bits(value));
  }

 private:
  std::vector<std::byte> data_;
  std::size_t size_ = 0;
};

TESSERA_END
