// Owns a string for constant evaluation: std::string is none under clang 19 with libstdc++ 12.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace ir {

/// A growing text.
class Chars {
 public:
  constexpr Chars() = default;
  constexpr Chars(const char* text) { *this += std::string_view(text); }
  constexpr explicit Chars(std::string_view text) { *this += text; }

  constexpr Chars& operator+=(std::string_view text) {
    for (char c : text) data_.push_back(c);
    return *this;
  }
  constexpr Chars& operator+=(const Chars& other) { return *this += other.view(); }
  constexpr Chars& operator+=(const char* text) { return *this += std::string_view(text); }
  constexpr Chars& operator+=(char c) {
    data_.push_back(c);
    return *this;
  }
  template <class T>
  friend constexpr Chars operator+(Chars a, const T& b) {
    a += b;
    return a;
  }
  friend constexpr Chars operator+(const char* a, const Chars& b) { return Chars(a) + b; }

  constexpr bool empty() const { return data_.empty(); }
  constexpr std::size_t size() const { return data_.size(); }
  constexpr std::string_view view() const { return {data_.data(), data_.size()}; }
  std::string str() const { return std::string(view()); }

 private:
  std::vector<char> data_;
};

/// Decimal digits, with a minus sign where needed.
template <class T>
constexpr Chars number(T value) {
  const bool negative = value < T{};
  auto rest = static_cast<std::uint64_t>(value);
  if (negative) rest = 0 - rest;
  char digits[20] = {};
  int at = 20;
  do digits[--at] = static_cast<char>('0' + rest % 10);
  while ((rest /= 10) != 0);
  Chars out(negative ? "-" : "");
  out += std::string_view(digits + at, static_cast<std::size_t>(20 - at));
  return out;
}

}  // namespace ir
TESSERA_END
