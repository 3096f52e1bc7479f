// Owns a growing array that is cheap in constant evaluation, where std::vector costs several calls an access.
#pragma once

#include <cstddef>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace detail {

/// A growing array of a type that is copied freely. Indices are not checked.
template <class T>
class List {
 public:
  constexpr List() = default;
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  constexpr ~List() { delete[] data_; }

  constexpr int push(const T& value) {
    if (size_ == capacity_) grow();
    data_[size_] = value;
    return size_++;
  }
  constexpr void pop() { --size_; }
  constexpr void resize_down(int size) { size_ = size; }
  constexpr T& operator[](int i) { return data_[i]; }
  constexpr const T& operator[](int i) const { return data_[i]; }
  constexpr T& back() { return data_[size_ - 1]; }
  constexpr int size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const T* data() const { return data_; }
  constexpr T* begin() { return data_; }
  constexpr T* end() { return data_ + size_; }
  constexpr const T* begin() const { return data_; }
  constexpr const T* end() const { return data_ + size_; }

 private:
  constexpr void grow() {
    const int capacity = capacity_ == 0 ? 16 : 2 * capacity_;
    T* data = new T[static_cast<std::size_t>(capacity)];
    for (int i = 0; i < size_; ++i) data[i] = data_[i];
    delete[] data_;
    data_ = data;
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  int size_ = 0, capacity_ = 0;
};

}  // namespace detail
TESSERA_END
